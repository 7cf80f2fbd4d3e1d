"""The consumer: one WebSocket of `hanzo.live.v1`. Reads frames, keeps order and limits, hands commands to `commands`.

It has no channel layer of its own (its alias names none): the hub is the group's member for the whole process.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import cached_property
from importlib.metadata import version
from typing import Any

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from django.conf import settings

from hanzo_live.protocol import CLOSE_KINDS, DEFAULT_LIMITS, PROTOCOL_VERSION, SUBPROTOCOL, CloseCode
from hanzo_live.protocol.commands import AnyCommand, Hello, Ping
from hanzo_live.protocol.errors import ErrorCode, LiveError
from hanzo_live.protocol.parsing import CommandRefused, MalformedFrame, parse_command
from sessions.authentication import ANONYMOUS, Identity
from sessions.outages import DATABASE_AWAY, database_away
from sessions.queries import user_wire
from streaming.hub import Subscription, frame_of, metrics, the_hub
from streaming.servers import SocketWriter, writer_for
from streaming.sockets import attendance, commands, identities, revocation
from streaming.sockets.admission import Admission, Bucket, Refused, address_of, check_origin, headers_of

logger = logging.getLogger(__name__)

# A client may have this many commands under way; the next is refused until one is answered.
MAX_UNDER_WAY = 64
COMMANDS_PER_SECOND = 100
CLOSE_WITHIN_S = 5.0

admission = Admission()
sockets: set[LiveConsumer] = set()
_version = version("hanzo-live-server")


class LiveConsumer(AsyncConsumer):
    """One per socket. Also the hub's `Watcher`."""

    channel_layer_alias = "none: the hub is the member"

    writer: SocketWriter
    identity: Identity | None = None
    user_id: str | None = None
    session_key: str | None = None
    _holder: str | None = None
    _entered = False
    _closing = False
    _malformed = 0
    _hello_timer: asyncio.TimerHandle | None = None
    _under_way: set[asyncio.Task[None]] | None = None

    def __init__(self) -> None:
        self.connection = secrets.token_hex(8)
        self.subscriptions: dict[str, Subscription] = {}
        self.started: set[str] = set()

    async def dispatch(self, message: dict[str, Any]) -> None:
        # Not Channels' own: that hops a thread per message to close database connections, which live elsewhere here.
        kind = message["type"]
        if kind == "websocket.receive":
            await self.websocket_receive(message)
        elif kind == "websocket.connect":
            await self.websocket_connect()
        elif kind == "websocket.disconnect":
            code = message.get("code")
            # Daphne says None of a close frame without a code, which is what `close()` in a browser sends.
            self._end(1005 if code is None else code)
            raise StopConsumer

    # Coming in and going out ------------------------------------------------------------------------------------

    async def websocket_connect(self) -> None:
        offered = self.scope.get("subprotocols") or []
        await self.base_send(
            {"type": "websocket.accept", "subprotocol": SUBPROTOCOL if SUBPROTOCOL in offered else None}
        )
        self.writer = writer_for(self.scope, self.base_send)
        sockets.add(self)
        revocation.ensure_watching()
        try:
            headers = headers_of(self.scope)
            check_origin(headers)
            self.address = address_of(self.scope)
            admission.enter(self.address)
            self._entered = True
            metrics.CONNECTIONS.inc()
            metrics.SOCKETS.set(admission.open)
            found = await identities.of_handshake(headers)
            if found is not None:
                self._become(found.identity, found.session_key)
            else:
                loop = asyncio.get_running_loop()
                self._hello_timer = loop.call_later(DEFAULT_LIMITS.hello_timeout_s, self._no_hello)
        except Refused as refused:
            await self.close(refused.code, refused.error)
        except LiveError as error:
            await self.close(CloseCode.UNAUTHENTICATED, error)
        except DATABASE_AWAY:
            logger.exception("The database could not be asked whose socket this is.")
            away = database_away()
            await self.close(
                CloseCode.SERVER_FULL, LiveError(ErrorCode.BUSY, away.message, retry_after=away.retry_after)
            )

    def _become(self, identity: Identity, session_key: str | None = None) -> None:
        """Take the socket for `identity`. Raises Refused where that one has too many."""
        if self._hello_timer is not None:
            self._hello_timer.cancel()
            self._hello_timer = None
        if self._holder is None:
            holder = f"user:{identity.user.pk}" if identity.user else f"address:{self.address}"
            admission.hold(holder)
            self._holder = holder
        self.identity = identity
        self.session_key = session_key
        if identity.user is not None and self.user_id is None:
            self.user_id = str(identity.user.pk)
            the_hub().listen(f"user.{self.user_id}", self._credential_ended)

    def _no_hello(self) -> None:
        self.close_soon(
            CloseCode.HELLO_TIMEOUT,
            LiveError(ErrorCode.UNAUTHENTICATED, "Send `hello` first, with a token, within 10 seconds of connecting."),
        )

    def _credential_ended(self, message: dict[str, Any]) -> None:
        if revocation.concerns(message, self):
            self.sign_out()

    def sign_out(self) -> None:
        """The credential that this socket stands on has ended."""
        self.close_soon(CloseCode.UNAUTHENTICATED, identities.ended())

    def close_soon(self, code: CloseCode, error: LiveError) -> None:
        if not self._closing:
            self._run(self.close(code, error))

    async def close(self, code: CloseCode, error: LiveError | None = None) -> None:
        """Say why, then close: some servers drop the reason that a close frame carries."""
        if self._closing:
            return
        self._closing = True
        metrics.REFUSED.labels(code=str(int(code))).inc()
        self._leave_all(may_return=CLOSE_KINDS[code].reconnect)
        if error is not None:
            wire = error.wire()
            if CLOSE_KINDS[code].reconnect and wire["retry_after"] is None:
                wire["retry_after"] = 1
            self.writer.write(frame_of(wire), force=True)
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_WITHIN_S):
                    await self.writer.flush()
        await self.base_send({"type": "websocket.close", "code": int(code)})
        self.writer.finish()

    def _end(self, code: int) -> None:
        self._closing = True
        sockets.discard(self)
        if self._hello_timer is not None:
            self._hello_timer.cancel()
        self._leave_all(may_return=code not in attendance.CLEAN_CODES)
        if hasattr(self, "writer"):
            self.writer.finish()
        for task in self._under_way or ():
            task.cancel()
        if self.user_id is not None:
            the_hub().unlisten(f"user.{self.user_id}", self._credential_ended)
        if self._holder is not None:
            admission.release(self._holder)
        if self._entered:
            admission.leave()
            metrics.SOCKETS.set(admission.open)

    def _leave_all(self, *, may_return: bool) -> None:
        for log, subscription in self.subscriptions.items():
            the_hub().unsubscribe(subscription)
            attendance.leave(self, log, linger=may_return)
        self.subscriptions.clear()

    # Commands ---------------------------------------------------------------------------------------------------

    async def websocket_receive(self, message: dict[str, Any]) -> None:
        if self._closing:
            return
        wait = self._bucket.take()
        try:
            raw = message.get("text")
            if raw is None:
                raise MalformedFrame(ErrorCode.BAD_REQUEST, "Send text frames; this one is binary.")
            command = parse_command(raw)
            self._malformed = 0
        except MalformedFrame as refused:
            self.reply(refused.wire())
            self._malformed += 1
            if self._malformed >= DEFAULT_LIMITS.malformed_frames:
                await self.close(CloseCode.MALFORMED, refused)
            return
        except CommandRefused as refused:
            self._malformed = 0
            self.reply(refused.wire())
            return
        if wait:
            error = LiveError(
                ErrorCode.RATE_LIMITED,
                f"More than {COMMANDS_PER_SECOND} commands a second. Slow down.",
                retry_after=round(wait, 2),
            )
            self.reply(error.wire(command.id))
        elif isinstance(command, Ping):
            self.reply({"type": "pong", "id": command.id})
        elif isinstance(command, Hello):
            await self._hello(command)
        elif self.identity is None:
            error = LiveError(
                ErrorCode.UNAUTHENTICATED,
                "Say `hello` first: with a token, or with `token: null` where anonymous use is allowed.",
            )
            self.reply(error.wire(command.id))
        else:
            self._perform(command)
        # A client that sends and does not read is not read from until it does.
        if self.writer.buffered > settings.MAX_FRAME_BYTES:
            await self.writer.drained()

    @cached_property
    def _bucket(self) -> Bucket:
        return Bucket(COMMANDS_PER_SECOND, 2 * COMMANDS_PER_SECOND)

    @cached_property
    def _turn(self) -> asyncio.Lock:
        return asyncio.Lock()

    def _perform(self, command: AnyCommand) -> None:
        """Start the command; reading goes on meanwhile."""
        if len(self._under_way or ()) >= MAX_UNDER_WAY:
            error = LiveError(
                ErrorCode.RATE_LIMITED,
                f"{MAX_UNDER_WAY} commands are waiting for their answers. Wait for some.",
                retry_after=0.5,
            )
            self.reply(error.wire(command.id))
            return
        self._run(self._answer(command, commands.perform))

    async def _answer(
        self, command: AnyCommand, perform: Callable[[LiveConsumer, Any], Coroutine[Any, Any, None]]
    ) -> None:
        try:
            # One after the other: what a client said first is in the log first.
            async with self._turn:
                await perform(self, command)
        except LiveError as error:
            self.reply(error.wire(command.id))
        except DATABASE_AWAY:
            self._database_away(command)
        except Exception:
            logger.exception("The command %s failed.", command.type)
            failure = LiveError(
                ErrorCode.INTERNAL, "The server failed at this command; its operator finds why in the log. Try again."
            )
            self.reply(failure.wire(command.id))

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        if self._under_way is None:
            self._under_way = set()
        task = asyncio.get_running_loop().create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _hello(self, command: Hello) -> None:
        try:
            if command.token is not None:
                identity = await identities.of_hello(command.token)
                known = self.identity
                if known is not None and known.user is not None and identity.user != known.user:
                    raise LiveError(ErrorCode.FORBIDDEN, "This socket speaks for somebody else. Open another one.")
                self._become(identity)
            elif self.identity is None:
                identities.require_anonymous()
                self._become(ANONYMOUS)
        except Refused as refused:
            await self.close(refused.code, refused.error)
            return
        except LiveError as error:
            self.reply(error.wire(command.id))
            if error.code is ErrorCode.UNAUTHENTICATED:
                await self.close(CloseCode.UNAUTHENTICATED, error)
            return
        except DATABASE_AWAY:
            self._database_away(command)
            return
        self.reply(self._welcome(command.id))

    def _database_away(self, command: AnyCommand) -> None:
        logger.exception("The database could not be used for the command %s.", command.type)
        self.reply(database_away().wire(command.id))

    def _welcome(self, id: int | str | None) -> dict[str, Any]:
        user = self.identity.user if self.identity else None
        shown = user_wire(user) if user else {"id": None, "name": "Anonymous", "avatar": None}
        return {
            "type": "welcome",
            "id": id,
            "protocol": PROTOCOL_VERSION,
            "connection": self.connection,
            "user": {**shown, "anonymous": user is None},
            "server": {"version": _version},
            "limits": {
                "max_frame_bytes": settings.MAX_FRAME_BYTES,
                "max_streams": settings.MAX_STREAMS_PER_SOCKET,
                "max_subscriptions": settings.MAX_SUBSCRIPTIONS,
                "heartbeat_s": DEFAULT_LIMITS.heartbeat_s,
            },
        }

    def reply(self, wire: dict[str, Any]) -> None:
        self.writer.write(frame_of(wire), force=True)

    # The hub's Watcher ------------------------------------------------------------------------------------------

    def detached(self, log: str) -> None:
        self.subscriptions.pop(log, None)
        attendance.leave(self, log)

    def too_slow(self) -> None:
        self.close_soon(
            CloseCode.TOO_SLOW,
            LiveError(
                ErrorCode.RATE_LIMITED,
                "This connection took nothing for a minute. Reconnect and resume where you were.",
                retry_after=1,
            ),
        )
