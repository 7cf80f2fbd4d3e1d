"""Presence on sockets: gives `presence` the hub's groups and Redis, and tells it who comes, goes and does what.

Who watches a session with an account is in it; anonymous sockets and SSE are not.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING

import redis.asyncio
from django.conf import settings

from hanzo_live.protocol.commands import PresenceSet
from presence.attendance import KEEP, Attendance, Hear
from presence.leases import Leases
from sessions.queries import user_wire
from streaming.hub import Subscription, frame_of, the_hub
from streaming.log.script import group_channel, group_of

if TYPE_CHECKING:
    from streaming.consumers import LiveConsumer

# Close codes of a client that leaves: it closed (with or without a code), or its page did. Any other way of ending may
# be followed by a reconnect.
CLEAN_CODES = frozenset({1000, 1001, 1005})
CONNECTIONS = 4
SOCKET_TIMEOUT_S = 5.0


class _Groups:
    """The hub hears a session's group already where somebody watches its log."""

    def listen(self, log: str, hear: Hear) -> None:
        the_hub().listen(group_of(log), hear)

    def unlisten(self, log: str, hear: Hear) -> None:
        the_hub().unlisten(group_of(log), hear)


class _Elsewhere:
    """The viewer behind a quiet subscription: told of the others by whoever sends it the log's events."""

    ready = True

    def tell(self, frame: object) -> bool:
        return True


_attendances: dict[asyncio.AbstractEventLoop, tuple[Attendance, asyncio.Task[None]]] = {}


def the_attendance() -> Attendance:
    """This event loop's."""
    loop = asyncio.get_running_loop()
    found = _attendances.get(loop)
    if found is None:
        for closed in [known for known in _attendances if known.is_closed()]:
            del _attendances[closed]
        pool = redis.asyncio.BlockingConnectionPool.from_url(
            settings.REDIS_URL, max_connections=CONNECTIONS, timeout=SOCKET_TIMEOUT_S, socket_timeout=SOCKET_TIMEOUT_S
        )
        leases = Leases(redis.asyncio.Redis(connection_pool=pool), secrets.token_hex(6), _address_of)
        attendance = Attendance(leases, _Groups(), frame_of, max_listed=settings.PRESENCE_MAX_LISTED)
        the_hub().on_member_gone = attendance.evict
        found = _attendances[loop] = attendance, loop.create_task(attendance.keep())
    return found[0]


def enter(socket: LiveConsumer, subscription: Subscription) -> None:
    """The socket watches the subscription's log, if it is still there."""
    log = subscription.log.name
    user = socket.identity.user if socket.identity is not None else None
    if user is not None and log.startswith("session:") and socket.subscriptions.get(log) is subscription:
        viewer = _Elsewhere() if subscription.quiet else subscription
        the_attendance().enter(log, socket.connection, user_wire(user), viewer)


def leave(socket: LiveConsumer, log: str, *, linger: bool = False) -> None:
    """The socket watches `log` no longer; with `linger` it may be back in a moment."""
    if log.startswith("session:"):
        the_attendance().leave(log, socket.connection, linger=linger)


def set_presence(socket: LiveConsumer, log: str, command: PresenceSet) -> bool:
    """What the person does. False where the socket does not watch that session."""
    return the_attendance().update(
        log,
        socket.connection,
        status=command.status,
        typing=command.typing,
        cursor=command.cursor if "cursor" in command.model_fields_set else KEEP,
    )


async def drain() -> None:
    """The process stops: its people are on their way to another one, and nobody is told that they left."""
    if asyncio.get_running_loop() in _attendances:
        await the_attendance().drain()


def _address_of(log: str) -> tuple[str, str]:
    group = group_of(log)
    return group_channel(group), group
