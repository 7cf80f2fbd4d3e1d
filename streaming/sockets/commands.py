"""What each command of a socket does: ask `access`, call a verb, subscribe, reply. One function a command."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID, uuid4

from django.conf import settings

from hanzo_live.protocol import flush_class
from hanzo_live.protocol.commands import (
    MessageRead,
    MessageSend,
    PresenceSet,
    SessionInvite,
    StreamStart,
    StreamStop,
    Subscribe,
    ToolApprove,
    ToolResult,
    Unsubscribe,
)
from hanzo_live.protocol.errors import ErrorCode, LiveError
from sessions import access, invitations, reading
from sessions import services as sessions
from sessions.access import Action
from sessions.invitation_pages import page_path
from streaming import services, waiting
from streaming.database import in_db
from streaming.hub import Subscription, View, the_hub
from streaming.models import OPEN, Stream
from streaming.services import Started
from streaming.sockets import attendance, drafts
from streaming.sockets.admission import origin_of

if TYPE_CHECKING:
    from streaming.consumers import LiveConsumer


# Messages in a snapshot that nobody asked for by number.
DEFAULT_TAIL = 50


async def perform(socket: LiveConsumer, command: Any) -> None:
    """Do the command and reply. Raises LiveError for a refusal."""
    handler = HANDLERS.get(command.type)
    if handler is None:
        raise LiveError(
            ErrorCode.UNKNOWN_COMMAND,
            f"This server does not offer `{command.type}` yet. See its documentation for what it offers.",
        )
    await handler(socket, command)


async def subscribe(socket: LiveConsumer, command: Subscribe) -> None:
    log = await in_db(_readable_log, _user(socket), command.log)
    before = socket.subscriptions.pop(log, None)
    if before is not None:
        the_hub().unsubscribe(before)
    _make_room(socket)
    view = View(flush_class(command.flush_ms), command.buffer_size or 0, command.show_thoughts)
    try:
        subscription, mode = await the_hub().subscribe(
            socket, log, view, tail=command.tail, epoch=command.epoch, seq=command.seq, quiet=command.quiet
        )
        await _keep(socket, subscription, log)
    except BaseException:
        attendance.leave(socket, log)
        raise
    # A live client goes on from what it is told here: from what it has, not from what has come to the log meanwhile.
    live = mode == "live"
    socket.reply(
        {
            "type": "ok",
            "id": command.id,
            "log": log,
            "epoch": subscription.epoch if live else subscription.log.epoch,
            "seq": subscription.have if live else subscription.log.ring.head,
            "mode": mode,
        }
    )
    the_hub().release(subscription)
    attendance.enter(socket, subscription)


async def unsubscribe(socket: LiveConsumer, command: Unsubscribe) -> None:
    log = command.log
    if log not in socket.subscriptions and log.startswith("session:"):
        log = await in_db(access.require_log, _user(socket), log)
    subscription = socket.subscriptions.pop(log, None)
    if subscription is not None:
        the_hub().unsubscribe(subscription)
        attendance.leave(socket, log)
    socket.reply({"type": "ok", "id": command.id, "log": log})


async def stream_start(socket: LiveConsumer, command: StreamStart) -> None:
    _require_write(socket)
    await _check_streams(socket)
    id = uuid4()
    if command.session is not None:
        log = await in_db(access.require_log, _user(socket), f"session:{command.session}")
    else:
        log = f"stream:{id}"

    def start() -> Started:
        return services.start_stream(
            _user(socket), command, session_ref=command.session, content=command.content, messages=command.messages,
            key=command.key, stream_id=id,
        )  # fmt: skip

    view = View(flush_class(command.flush_ms), command.buffer_size or 0, bool(command.show_thoughts))
    # Held until the reply is out: `ok` comes first.
    known = subscription = socket.subscriptions.get(log)
    try:
        if command.session is None:
            subscription, started = await _watch_and_start(socket, log, view, start)
        else:
            # Watched before it is started: nothing is missed.
            subscription = known or await _watch(socket, log, view, start="head")
            the_hub().hold(subscription)
            started = await in_db(start)
        if started.log != log:  # the key had started another stream: that one is watched
            the_hub().unsubscribe(subscription)
            known = socket.subscriptions.get(started.log)
            subscription = known or await _watch(socket, started.log, view)
        if known is None:
            await _keep(socket, subscription, started.log)
    except BaseException:
        if known is not None:
            the_hub().release(known)
        elif subscription is not None:
            the_hub().unsubscribe(subscription)
        raise
    socket.started.add(str(started.stream))
    position = {"epoch": None, "seq": None} if known else {"epoch": subscription.epoch, "seq": subscription.have}
    socket.reply({"type": "ok", "id": command.id, **_started(started), "log": started.log, **position})
    the_hub().release(subscription)
    if known is None:
        attendance.enter(socket, subscription)


async def message_send(socket: LiveConsumer, command: MessageSend) -> None:
    _require_write(socket)
    await _check_streams(socket)
    user = _user(socket)
    log = await in_db(access.require_log, user, f"session:{command.session}")

    def send() -> dict[str, Any]:
        if command.reply:
            started = services.start_stream(
                user, command, session_ref=command.session, content=command.content, key=command.key
            )
            return _started(started)
        session, _ = access.find_session(user, command.session, Action.PROMPT)
        assert user is not None  # find_session refuses None
        posted = sessions.post_message(session.pk, user, command.content, key=command.key)
        return {"message": str(posted.message.pk), "stream": None}

    subscription = socket.subscriptions.get(log)
    if subscription is not None:
        the_hub().hold(subscription)
    try:
        sent = await in_db(send)
        if sent["stream"] is not None:
            socket.started.add(sent["stream"])
        socket.reply({"type": "ok", "id": command.id, **sent})
    finally:
        if subscription is not None:
            the_hub().release(subscription)


async def message_read(socket: LiveConsumer, command: MessageRead) -> None:
    _require_write(socket)

    def read() -> None:
        session, _ = access.find_session(_user(socket), command.session, Action.READ)
        reading.mark_read(session, _user(socket), command.n)

    await in_db(read)
    socket.reply({"type": "ok", "id": command.id})


async def session_invite(socket: LiveConsumer, command: SessionInvite) -> None:
    _require_write(socket)
    origin = origin_of(socket.scope)

    def address(token: str) -> str:
        return origin + page_path(token)

    def invite() -> tuple[str, str]:
        session, _ = access.find_session(_user(socket), command.session, Action.INVITE)
        invitation, token = invitations.invite(
            session,
            _user(socket),
            address=address,
            email=command.email,
            role=command.role,
            expires_in=command.expires_in,
            max_uses=command.max_uses,
        )
        return str(invitation.pk), address(token)

    invitation, url = await in_db(invite)
    socket.reply({"type": "ok", "id": command.id, "invitation": invitation, "url": url})


async def stream_stop(socket: LiveConsumer, command: StreamStop) -> None:
    _require_write(socket)
    id = _stream_id(command.stream)
    await in_db(services.stop_stream, _user(socket), id)
    socket.reply({"type": "ok", "id": command.id, "stream": str(id)})


async def presence_set(socket: LiveConsumer, command: PresenceSet) -> None:
    log = f"session:{command.session}"
    if log not in socket.subscriptions:
        log = await in_db(access.require_log, _user(socket), log)
    if not attendance.set_presence(socket, log, command):
        raise LiveError(
            ErrorCode.BAD_REQUEST, f"Subscribe to `{log}` on this socket first: who watches is there.", field="session"
        )
    socket.reply({"type": "ok", "id": command.id})


async def tool_approve(socket: LiveConsumer, command: ToolApprove) -> None:
    _require_write(socket)
    id = _stream_id(command.stream)
    await in_db(waiting.approve, _user(socket), id, command.call, command.approved, command.reason)
    socket.reply({"type": "ok", "id": command.id})


async def tool_result(socket: LiveConsumer, command: ToolResult) -> None:
    _require_write(socket)
    id = _stream_id(command.stream)
    await in_db(waiting.answer, _user(socket), id, command.call, command.output, command.error)
    socket.reply({"type": "ok", "id": command.id})


HANDLERS: dict[str, Callable[[LiveConsumer, Any], Coroutine[Any, Any, None]]] = {
    "subscribe": subscribe,
    "unsubscribe": unsubscribe,
    "stream.start": stream_start,
    "message.send": message_send,
    "message.read": message_read,
    "session.invite": session_invite,
    "presence.set": presence_set,
    "stream.stop": stream_stop,
    "tool.approve": tool_approve,
    "tool.result": tool_result,
    "draft.sync": drafts.draft_sync,
    "draft.update": drafts.draft_update,
    "draft.send": drafts.draft_send,
}


def _user(socket: LiveConsumer) -> Any:
    return socket.identity.user if socket.identity is not None else None


def _stream_id(text: str) -> UUID:
    """Raises LiveError `not_found` for what can be no stream's id."""
    id = access.id_of(text)
    if id is None:
        raise access.stream_not_found()
    return id


def _started(started: Started) -> dict[str, Any]:
    return {"stream": str(started.stream), "message": str(started.message) if started.message else None}


def _require_write(socket: LiveConsumer) -> None:
    if socket.identity is not None and not socket.identity.can_write:
        raise LiveError(ErrorCode.FORBIDDEN, "This API token may only read. Make one that may write.")


def _readable_log(user: Any, log: str) -> str:
    """The canonical name of a log that the user may watch. Raises LiveError."""
    kind, _, ref = log.partition(":")
    if kind == "session":
        return access.require_log(user, log)
    id = access.id_of(ref)
    if id is None:
        raise access.stream_not_found()
    stream = services.read_stream(user, id)
    if stream.session_id is not None:
        raise LiveError(
            ErrorCode.BAD_REQUEST, f"This stream is part of a session: subscribe to `{stream.log}`.", field="log"
        )
    return f"stream:{id}"


async def _watch_and_start(
    socket: LiveConsumer, log: str, view: View, start: Callable[[], Started]
) -> tuple[Subscription, Started]:
    """Join the log of a new stream while its row is written: read from its beginning, it does not matter who is first."""
    watching = asyncio.ensure_future(_watch(socket, log, view, start="beginning"))
    try:
        started = await in_db(start)
    except BaseException:
        watching.add_done_callback(_let_go)
        watching.cancel()
        raise
    try:
        return await watching, started
    except LiveError:
        # The caller is told that it did not begin: then it must not go on unseen.
        if not started.existing:
            await in_db(services.stop_stream, _user(socket), started.stream)
        raise


def _let_go(watching: asyncio.Future[Subscription]) -> None:
    if not watching.cancelled() and watching.exception() is None:
        the_hub().unsubscribe(watching.result())


async def _watch(
    socket: LiveConsumer, log: str, view: View, *, start: Literal["head", "beginning"] | None = None
) -> Subscription:
    """A held subscription, not yet kept."""
    _make_room(socket)
    subscription, _ = await the_hub().subscribe(socket, log, view, tail=DEFAULT_TAIL, start=start)
    return subscription


async def _keep(socket: LiveConsumer, subscription: Subscription, log: str) -> None:
    """Keep the subscription, unless the right to it ended while it was made: it would have missed the removal."""
    try:
        await in_db(_readable_log, _user(socket), log)
    except BaseException:
        the_hub().unsubscribe(subscription)
        raise
    other = socket.subscriptions.pop(log, None)
    if other is not None and other is not subscription:
        the_hub().unsubscribe(other)
    if socket.writer.closed:
        the_hub().unsubscribe(subscription)
        return
    socket.subscriptions[log] = subscription


def _make_room(socket: LiveConsumer) -> None:
    """Raises LiveError above the limit. Logs of streams that have ended are let go first: nothing more comes there."""
    if len(socket.subscriptions) < settings.MAX_SUBSCRIPTIONS:
        return
    for log, subscription in list(socket.subscriptions.items()):
        if subscription.log.is_over and (subscription.quiet or subscription.have_all):
            the_hub().unsubscribe(subscription)
            del socket.subscriptions[log]
    if len(socket.subscriptions) >= settings.MAX_SUBSCRIPTIONS:
        raise LiveError(
            ErrorCode.RATE_LIMITED,
            f"One socket may watch {settings.MAX_SUBSCRIPTIONS} logs. Unsubscribe from some first.",
            field="log",
        )


async def _check_streams(socket: LiveConsumer) -> None:
    """Raises LiveError where this socket has too many streams running."""
    if len(socket.started) < settings.MAX_STREAMS_PER_SOCKET:
        return
    socket.started = await in_db(_still_open, socket.started)
    if len(socket.started) >= settings.MAX_STREAMS_PER_SOCKET:
        raise LiveError(
            ErrorCode.BUSY,
            f"One socket may have {settings.MAX_STREAMS_PER_SOCKET} streams running. Wait until one ends.",
            retry_after=2,
        )


def _still_open(streams: set[str]) -> set[str]:
    ids = [UUID(stream) for stream in streams]
    return {str(pk) for pk in Stream.objects.filter(pk__in=ids, status__in=OPEN).values_list("pk", flat=True)}
