"""The people of one session, merged from their connections: pure. What each is doing, and what viewers must be told.

Not for where connections come from (`attendance`) nor how they are kept (`leases`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Wire = dict[str, Any]

# A summarised session is listed again only below this share of the limit: at the limit it would flap.
LISTED_AGAIN = 0.9


@dataclass(frozen=True, slots=True)
class Connection:
    """What one socket says of its person. `moved` is when its cursor was set, in ms since 1970; 0 for never."""

    user: Wire
    idle: bool = False
    typing: bool = False
    cursor: Any = None
    moved: int = 0

    def fields(self) -> list[Any]:
        """As it is kept in Redis."""
        user = self.user
        return [user["id"], user["name"], user["avatar"], self.idle, self.typing, self.cursor, self.moved]

    @classmethod
    def of(cls, fields: list[Any]) -> Connection:
        id, name, avatar, idle, typing, cursor, moved = fields
        return cls({"id": id, "name": name, "avatar": avatar}, idle, typing, cursor, moved)

    @property
    def user_id(self) -> str:
        return str(self.user["id"])


class People:
    """Everybody in one session. A person is active if any of their connections is, types if any does, and has the
    cursor that was set last."""

    def __init__(self, max_listed: int) -> None:
        self._max_listed = max_listed
        self._connections: dict[str, Connection] = {}
        self._of_user: dict[str, dict[str, Connection]] = {}
        self._changed: dict[str, Wire] = {}  # user id → user, who may be gone by now
        self._told: dict[str, Wire] = {}
        self.summarised = False

    @property
    def total(self) -> int:
        """How many people, not connections."""
        return len(self._of_user)

    @property
    def ids(self) -> set[str]:
        """The connections."""
        return set(self._connections)

    def __contains__(self, id: str) -> bool:
        return id in self._connections

    def connections_of(self, user_id: str) -> list[str]:
        return list(self._of_user.get(user_id, ()))

    def put(self, id: str, connection: Connection) -> None:
        self._connections[id] = connection
        self._of_user.setdefault(connection.user_id, {})[id] = connection
        self._changed[connection.user_id] = connection.user

    def drop(self, id: str) -> None:
        connection = self._connections.pop(id, None)
        if connection is None:
            return
        of_user = self._of_user[connection.user_id]
        del of_user[id]
        if not of_user:
            del self._of_user[connection.user_id]
        self._changed[connection.user_id] = connection.user

    def turn(self) -> bool:
        """Whether the session has just grown over the size that is listed, or shrunk well under it."""
        limit = self._max_listed * LISTED_AGAIN if self.summarised else self._max_listed
        if (self.total > limit) is self.summarised:
            return False
        self.summarised = not self.summarised
        return True

    def everybody(self) -> Wire:
        """The fields of the event that tells all: the list, or the number alone above the size that is listed."""
        if self.summarised:
            return {"users": [], "total": self.total, "summarised": True}
        return {"users": [self._person(user_id) for user_id in self._of_user], "total": self.total}

    def take_changes(self) -> list[Wire]:
        """The people whose state is not what was last taken, each with all of it."""
        changes = []
        for user_id, user in self._changed.items():
            if user_id in self._of_user:
                person = self._person(user_id)
                if person == self._told.get(user_id):
                    continue
                self._told[user_id] = person
            elif self._told.pop(user_id, None) is None:
                continue
            else:
                person = _gone(user)
            changes.append(person)
        self._changed.clear()
        return changes

    def _person(self, user_id: str) -> Wire:
        of_user = self._of_user[user_id]
        connections = of_user.values()
        # With the id, for every process has to find the same one.
        newest = of_user[max(of_user, key=lambda id: (of_user[id].moved, id))]
        return {
            "user": newest.user,
            "connections": len(connections),
            "status": "idle" if all(connection.idle for connection in connections) else "active",
            "typing": any(connection.typing for connection in connections),
            "cursor": newest.cursor,
            "left": False,
        }


def _gone(user: Wire) -> Wire:
    return {"user": user, "connections": 0, "status": "idle", "typing": False, "cursor": None, "left": True}
