"""What a caller may say, typed, and the wire's fields for it. The names are the wire's."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from pydantic import ValidationError
from typing_extensions import TypedDict

from hanzo_live.core.backoff import Reconnect
from hanzo_live.core.subscription import WatchOptions
from hanzo_live.errors import HanzoLiveError
from hanzo_live.protocol.base import JsonObject
from hanzo_live.protocol.commands import MessageSend, StreamStart
from hanzo_live.protocol.parsing import refusal

TokenSource: TypeAlias = Callable[[], "str | Awaitable[str | None] | None"]


class StreamDefaults(TypedDict, total=False):
    """Options that a client sets for all its streams, and a call may override."""

    model: str | None
    prefer_local: bool | None
    fallback_to_cloud: bool | None
    local_node_url: str | None
    """Must be a node that the operator configured."""
    cache: Mapping[str, Any] | None
    """`enabled`, `backend` ("redis"), `ttl` (seconds), `semantic`, `similarity_threshold`."""
    mcp: Mapping[str, Any] | None
    """`enabled`, `servers` (their addresses)."""
    tools: Literal["auto"] | list[dict[str, Any]] | None
    buffer_size: int | None
    """Tokens after which a frame comes earlier than `flush_ms`."""
    flush_ms: int | None
    """Least time between frames."""
    show_thoughts: bool | None


class ClientOptions(StreamDefaults, total=False):
    """What a client is made with, beside its address."""

    token: str | None
    """An API token or a ticket."""
    get_token: TokenSource | None
    """Asked before each connection, for tokens that expire; may be async."""
    reconnect: Reconnect | Mapping[str, Any] | None
    """`enabled`, `max_attempts`, `delay_ms`, `exponential_backoff`."""
    resume_on_reconnect: bool
    """Reading goes on through cuts of the connection (default true)."""
    multiplexing: bool
    """All streams over one socket (default true); false opens one for each."""


class AnswerOptions(StreamDefaults, total=False):
    """Settings of one answer."""

    key: str | None
    """Idempotency: the same key starts once. Made up where absent."""
    max_tokens: int | None
    temperature: float | None
    top_p: float | None
    stop: str | list[str] | None
    seed: int | None
    tool_choice: str | dict[str, Any] | None
    stream_tool_calls: bool | None
    force_local: bool | None
    """Refused with `LOCAL_ONLY` rather than sent to a cloud node."""
    overlap: Literal["queue", "reject", "interrupt"] | None


class StreamRequest(AnswerOptions, total=False):
    """What to ask: `messages` in OpenAI's shape, or `content`, the prompt alone."""

    messages: Iterable[Mapping[str, Any]] | None
    content: str | None
    session: str | None
    """Id or slug of the session to answer in."""


_DEFAULTS = frozenset(StreamDefaults.__annotations__)
_ANSWER = _DEFAULTS | frozenset(AnswerOptions.__annotations__)
_REQUEST = _ANSWER | frozenset(StreamRequest.__annotations__)
_CLIENT = _DEFAULTS | frozenset(ClientOptions.__annotations__)
_ROUTE = ("prefer_local", "force_local", "fallback_to_cloud", "local_node_url")


@dataclass(frozen=True, slots=True)
class Settings:
    """A client's options, checked."""

    defaults: JsonObject
    token: str | None
    get_token: TokenSource | None
    reconnect: Reconnect
    resume_on_reconnect: bool
    multiplexing: bool

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Settings:
        """Raises TypeError for options that there are not."""
        _check_names(options, _CLIENT)
        reconnect = options.get("reconnect")
        return cls(
            defaults={name: options[name] for name in _DEFAULTS if options.get(name) is not None},
            token=options.get("token"),
            get_token=options.get("get_token"),
            reconnect=reconnect if isinstance(reconnect, Reconnect) else Reconnect(**(reconnect or {})),
            resume_on_reconnect=options.get("resume_on_reconnect", True),
            multiplexing=options.get("multiplexing", True),
        )

    def watch_options(self, options: Mapping[str, Any]) -> WatchOptions:
        """How the log of an answer is watched."""
        given = _given(self.defaults, options)
        names = ("flush_ms", "buffer_size")
        return WatchOptions(bool(given.get("show_thoughts")), *(given.get(name) for name in names))

    def start_frame(self, request: Mapping[str, Any]) -> JsonObject:
        """`stream.start`. Raises TypeError for options that there are not, HanzoLiveError for what is wrong in them."""
        _check_names(request, _REQUEST)
        fields = _fields(_given(self.defaults, request))
        if "messages" in fields:
            fields["messages"] = [dict(message) for message in fields["messages"]]
        return _checked(StreamStart, {"type": "stream.start", **fields})

    def send_frame(self, session: str, content: str, reply: bool, options: Mapping[str, Any]) -> JsonObject:
        """`message.send`. Raises as `start_frame`."""
        _check_names(options, _ANSWER)
        fields = _fields(_given(self.defaults, options))
        frame = {"type": "message.send", "session": session, "content": content, "reply": reply, **fields}
        return _checked(MessageSend, frame)


def _check_names(options: Mapping[str, Any], known: frozenset[str]) -> None:
    if unknown := sorted(set(options) - known):
        raise TypeError(f"There is no option {unknown[0]!r}. There are: {', '.join(sorted(known))}.")


def _given(defaults: Mapping[str, Any], options: Mapping[str, Any]) -> JsonObject:
    """The client's defaults under what the call says; None in a call does not hide a default."""
    return {**defaults, **{name: value for name, value in options.items() if value is not None}}


def _fields(given: JsonObject) -> JsonObject:
    """As the wire has them: where to run in `route`, and a key, so that sending it again starts nothing twice."""
    fields = {name: value for name, value in given.items() if name not in _ROUTE}
    route = {name: given[name] for name in _ROUTE if name in given}
    return {**fields, **({"route": route} if route else {}), "key": given.get("key") or secrets.token_urlsafe(16)}


def _checked(model: type[StreamStart] | type[MessageSend], frame: JsonObject) -> JsonObject:
    try:
        model.model_validate(frame)
    except ValidationError as error:
        raise HanzoLiveError.from_wire(refusal(error, frame).wire()) from error
    return frame
