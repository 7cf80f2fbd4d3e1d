"""The verbs of streams for whoever asks: start one, stop one, look at one.

Synchronous code that uses the database and the broker: async callers run it in a thread. What a worker does with a
stream is `lifecycle`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.utils import timezone

from hanzo_live.protocol.errors import ErrorCode, LiveError
from hanzo_live.protocol.options import ChatMessage, StreamOptions, option_fields
from sessions import access, text
from sessions import services as sessions
from sessions.access import Action
from sessions.models import LiveSession, Overlap, User
from streaming import budgets, queueing
from streaming.cache import giving, looking
from streaming.cache.question import is_wanted
from streaming.configured import require_local_node
from streaming.endings import Outcome, end
from streaming.log import LogUnavailable
from streaming.models import Stream, StreamStatus
from streaming.outbox import blocking_log
from streaming.tools.configured import require_mcp_servers

logger = logging.getLogger(__name__)

Messages = Sequence[ChatMessage | Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Started:
    """What was started. `message` is the prompt and `reply` the answer being written, both only in a session.

    `existing`: the caller's key had been used before; this is what it started then.
    """

    stream: UUID
    log: str
    message: UUID | None
    reply: UUID | None
    existing: bool


def start_stream(
    user: User | None,
    options: StreamOptions,
    *,
    session_ref: str | None = None,
    content: str | None = None,
    messages: Messages | None = None,
    key: str | None = None,
    stream_id: UUID | None = None,
    caller_runs_tools: bool = False,
) -> Started:
    """Ask a model: in a session that `session_ref` (id or slug) names, else as a stream of its own.

    `user` is None for an anonymous caller, whose `key` means nothing: it would be everybody's. With
    `caller_runs_tools` the stream ends with the model's tool calls, and the caller asks anew with what they gave.

    Raises LiveError: `unauthenticated`, `forbidden`, `not_found` as `access` decides; `forbidden` for an MCP server or
    node that may not be named; `bad_request`; `conflict` where another answer is being written and `overlap` is
    `reject`; `busy` where too many wait already; `rate_limited` where the day's tokens are used up.
    """
    if key is not None:
        text.clean_text(key, "key", text.MAX_KEY, required=True)
    stream = Stream(
        id=stream_id or uuid4(),
        user=user,
        anonymous=user is None,
        request={"options": options.model_dump(mode="json", exclude_none=True, include=set(option_fields()))},
    )
    if options.mcp is not None and options.mcp.enabled and options.mcp.servers:
        require_mcp_servers(options.mcp.servers)
    if options.route is not None and options.route.local_node_url is not None:
        require_local_node(options.route.local_node_url)
    if caller_runs_tools:
        stream.request["caller_runs_tools"] = True
    if session_ref is not None:
        session, _ = access.find_session(user, session_ref, Action.PROMPT)
        assert user is not None  # find_session refuses None
        return _start_in_session(stream, session, user, _prompt(content, messages), options, key)
    if user is None:
        access.require_anonymous_allowed()
        key = None
    stream.request["messages"] = _conversation(content, messages)
    stream.requested_model = options.model or ""
    stream.key = key
    return _start_alone(stream)


def stop_stream(user: User | None, stream_id: UUID) -> StreamStatus:
    """Stop a stream and say where it stands: a queued one has ended, a running one ends within moments.

    The prompt of one that had not begun is taken back. Stopping again, or what has ended, changes nothing. Raises
    LiveError as `access.require_stream` does.
    """
    visible_stream(user, stream_id, Action.STOP)
    stop(stream_id, user)
    return StreamStatus(Stream.objects.values_list("status", flat=True).get(pk=stream_id))


@transaction.atomic
def stop(stream_id: UUID, user: User | None) -> None:
    """Stop a stream for `user`, who may: that was asked of `access` before. Raises LiveError `not_found`."""
    stream = Stream.objects.filter(pk=stream_id).only("session_id").first()
    if stream is not None and stream.session_id is not None:
        sessions.lock(stream.session_id)  # before the stream's row: the order of everybody
    stream = Stream.objects.select_for_update().filter(pk=stream_id).first()
    if stream is None:
        raise access.stream_not_found()
    if _stop(stream, user) and stream.message is not None:
        sessions.take_back_prompt(stream.message)


@transaction.atomic
def take_back(user: User, session: LiveSession, stream_id: UUID) -> None:
    """Take back a prompt that waits in the session's queue. Whether `user` may stop there was asked before.

    Raises LiveError: `not_found` for a stream of elsewhere, `conflict` for one that has begun or ended.
    """
    sessions.lock(session.pk)
    stream = Stream.objects.select_for_update().filter(pk=stream_id, session=session).first()
    if stream is None:
        raise access.stream_not_found()
    if stream.status != StreamStatus.QUEUED or not _stop(stream, user):
        raise LiveError(ErrorCode.CONFLICT, "That prompt does not wait any more. To end its answer, stop the stream.")
    assert stream.message is not None  # it is a session's
    sessions.take_back_prompt(stream.message)


def read_stream(user: User | None, stream_id: UUID) -> Stream:
    """The row, with its session and user. Raises LiveError as `access.require_stream` does."""
    return visible_stream(user, stream_id, Action.READ)


def _start_in_session(
    stream: Stream, session: LiveSession, user: User, prompt: str, options: StreamOptions, key: str | None
) -> Started:
    began = time.monotonic()
    stream.log, stream.session = session.log, session
    stream.requested_model = options.model or session.model
    found = looking.find_in_session(stream, session, user, prompt)
    with transaction.atomic():
        posted = sessions.post_message(session.pk, user, prompt, key=key, reply_stream=stream.pk)
        if posted.existing:
            if posted.reply is None or posted.reply.stream is None:
                raise LiveError(
                    ErrorCode.CONFLICT, "A message without a reply was posted with this key; use another.", field="key"
                )
            return Started(posted.reply.stream, session.log, posted.message.pk, posted.reply.pk, existing=True)
        assert posted.reply is not None  # a reply was asked for
        waiting = list(queueing.open_streams(session.pk))  # under the session's lock, which post_message took
        _make_room(waiting, options.overlap or session.overlap, user)
        stream.message = posted.reply.pk
        stream.request["before_n"] = posted.reply.n
        # Found before the lock was taken: it answers what was said up to here only if nothing was said since.
        if found is not None and not waiting and posted.message.n == session.last_n + 1:
            giving.give(stream, found, began)
            return Started(stream.pk, session.log, posted.message.pk, posted.reply.pk, existing=False)
        if (waiting or found is not None) and is_wanted(stream):
            stream.request["look_up_in_turn"] = True  # only then it is known what was said before
        stream.save(force_insert=True)
        budgets.require(stream)
        # An interrupted answer that had not begun is over already: then this one may be the next.
        if queueing.is_next(stream):
            transaction.on_commit(partial(queueing.send, stream.pk))
    return Started(stream.pk, session.log, posted.message.pk, posted.reply.pk, existing=False)


def _make_room(waiting: list[Stream], overlap: str, user: User) -> None:
    """Apply the rule for a prompt that comes while others are open. Raises LiveError `conflict` or `busy`."""
    if not waiting:
        return
    if overlap == Overlap.REJECT:
        raise LiveError(
            ErrorCode.CONFLICT, "An answer is being written in this session. Wait for it, or stop it, then send again."
        )
    if len(waiting) > queueing.MAX_QUEUED:
        raise LiveError(
            ErrorCode.BUSY,
            f"{queueing.MAX_QUEUED} prompts wait in this session already. Send again when some are answered.",
        )
    if overlap == Overlap.INTERRUPT:
        _stop(waiting[0], user)


def _start_alone(stream: Stream) -> Started:
    stream.log = f"stream:{stream.pk}"
    began = time.monotonic()
    found = looking.find(stream, stream.request["messages"])
    if found is not None and (earlier := _earlier(stream)):
        return earlier  # else each try would write a log first
    try:
        if found is not None:
            giving.give_alone(stream, found, began)
            return Started(stream.pk, stream.log, None, None, existing=False)
        with transaction.atomic():
            stream.save(force_insert=True)
            budgets.require(stream)
            transaction.on_commit(partial(queueing.send, stream.pk))
    except IntegrityError:
        if earlier := _earlier(stream):
            return earlier
        raise
    return Started(stream.pk, stream.log, None, None, existing=False)


def _earlier(stream: Stream) -> Started | None:
    """What the key of a stream of its own started before."""
    if not stream.key:
        return None
    earlier = Stream.objects.filter(session=None, user=stream.user, key=stream.key).only("log").first()
    return Started(earlier.pk, earlier.log, None, None, existing=True) if earlier else None


def _stop(stream: Stream, user: User | None) -> bool:
    """Whether that ended it before it had begun. Within a transaction that holds the session's lock, if there is one."""
    if stream.is_over or stream.stop_requested_at is not None:
        return False
    Stream.objects.filter(pk=stream.pk).update(stop_requested_at=timezone.now(), stopped_by=user and user.pk)
    if end(stream, Outcome(finish_reason="stopped"), Stream.objects.filter(status=StreamStatus.QUEUED)):
        return True
    queueing.wake(stream.pk)  # one that waits for a person has no worker, and needs one to end it
    transaction.on_commit(partial(_tell_worker, stream.log, stream.pk))
    return False


def _tell_worker(log: str, stream_id: UUID) -> None:
    try:
        blocking_log().flag_stop(log, str(stream_id))
    except LogUnavailable:
        logger.warning("Redis cannot be reached; stream %s stops when its worker next looks at its row.", stream_id)


def visible_stream(user: User | None, stream_id: UUID, action: Action) -> Stream:
    """The row, for whoever may do that to it. Raises LiveError as `access.require_stream` does."""
    stream = Stream.objects.select_related("session", "user").filter(pk=stream_id).first()
    if stream is None:
        raise access.stream_not_found()
    access.require_stream(
        user, session=stream.session, owner_id=stream.user_id, anonymous=stream.anonymous, action=action
    )
    return stream


def _conversation(content: str | None, messages: Messages | None) -> list[dict[str, Any]]:
    """What a stand-alone stream asks, in OpenAI's shape."""
    if (content is None) == (messages is None):
        raise LiveError(ErrorCode.BAD_REQUEST, "Send either `messages` or `content`.", field="messages")
    if messages is None:
        return [{"role": "user", "content": content}]
    if not messages:
        raise LiveError(ErrorCode.BAD_REQUEST, "`messages` is empty; send at least one.", field="messages")
    return [
        message.model_dump(mode="json", exclude_none=True) if isinstance(message, ChatMessage) else dict(message)
        for message in messages
    ]


def _prompt(content: str | None, messages: Messages | None) -> str:
    """What a person says in a session. The session itself remembers what was said before."""
    if messages is None:
        if content is None:
            raise LiveError(ErrorCode.BAD_REQUEST, "Send the prompt as `content`.", field="content")
        return content
    only = _conversation(content, messages)
    said = only[0].get("content")
    if len(only) != 1 or only[0].get("role") != "user" or not isinstance(said, str):
        raise LiveError(
            ErrorCode.BAD_REQUEST,
            "In a session the model reads what was said there: send the new prompt alone, as `content` or as one user message.",
            field="messages",
        )
    return said
