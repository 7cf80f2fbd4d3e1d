"""Commands on their way: each has an id, and somebody who waits for its reply."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hanzo_live.errors import HanzoLiveError
from hanzo_live.protocol.base import JsonObject


def _nobody(_: object) -> None:
    """Nobody waits for that."""


@dataclass(slots=True, eq=False)
class Command:
    """`repeat`: sent again after a reconnect, for it carries a key, or repeats harmlessly."""

    id: int
    frame: JsonObject
    repeat: bool = False
    ok: Callable[[JsonObject], None] = field(default=_nobody)
    failed: Callable[[HanzoLiveError], None] = field(default=_nobody)
    sent: bool = False


class PendingCommands:
    """All commands without a reply, in the order in which they were given."""

    def __init__(self) -> None:
        self._by_id: dict[int, Command] = {}
        self._last = 0

    def add(
        self,
        frame: JsonObject,
        *,
        ok: Callable[[JsonObject], None] = _nobody,
        failed: Callable[[HanzoLiveError], None] = _nobody,
        repeat: bool = False,
    ) -> Command:
        self._last += 1
        command = Command(self._last, {"id": self._last, **frame}, repeat, ok, failed)
        self._by_id[command.id] = command
        return command

    def take(self, id: object) -> Command | None:
        """The command that a reply's `id` names, which waits no longer; None if nobody waits for it."""
        return self._by_id.pop(id, None) if isinstance(id, int) and not isinstance(id, bool) else None

    def unsent(self) -> list[Command]:
        return [command for command in self._by_id.values() if not command.sent]

    def interrupt(self, error: HanzoLiveError) -> None:
        """The socket is gone: those sent that may not be repeated fail, the others wait for the next."""
        for command in list(self._by_id.values()):
            if command.sent and not command.repeat:
                del self._by_id[command.id]
                command.failed(error)
            else:
                command.sent = False

    def abandon(self, error: HanzoLiveError) -> None:
        """No socket will come: all fail."""
        commands, self._by_id = self._by_id, {}
        for command in commands.values():
            command.failed(error)
