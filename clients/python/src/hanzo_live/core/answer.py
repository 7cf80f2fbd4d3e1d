"""One answer as it is written: its events from the start, each once, whatever the connection went through."""

from __future__ import annotations

from collections.abc import Iterator

from hanzo_live.core.kept import Kept
from hanzo_live.errors import STREAM_INTERRUPTED, HanzoLiveError
from hanzo_live.protocol.base import JsonObject
from hanzo_live.protocol.fold import State, StreamState
from hanzo_live.protocol.parts import calls_of_parts
from hanzo_live.protocol.shapes import TERMINAL_STATUSES

_LASTING = frozenset({"stream_start", "token", "thought", "tool_call", "tool_result", "reset", "complete", "error"})
_TERMINAL = frozenset({"complete", "error"})


class Answer:
    """What a stream's events amount to. `failure` is why no more of them will come, where that is not the last event."""

    def __init__(self) -> None:
        self.id: str | None = None
        self.kept = Kept()
        self.failure: HanzoLiveError | None = None
        self.model: str | None = None
        self._log = State()

    @property
    def events(self) -> list[JsonObject]:
        """From the start; of a long answer, neighbours that nobody has read yet may be one."""
        return self.kept.events

    @property
    def state(self) -> StreamState:
        """As far as it has come; empty before the server has started it."""
        return self._log.streams.get(self.id or "") or StreamState(self.id or "")

    @property
    def over(self) -> bool:
        return self.failure is not None or self.state.ended

    @property
    def error(self) -> HanzoLiveError | None:
        """Why the answer failed, or why it could not be read to its end."""
        if self.failure is not None:
            return self.failure
        state = self.state
        return HanzoLiveError.from_wire(state.error, stream=self.id, text=state.content) if state.error else None

    def begin(self, id: str) -> None:
        """The server gave it an id."""
        self.id = id
        self._log.streams[id] = StreamState(id)

    def take(self, event: JsonObject) -> bool:
        """An event of its log, in order and once; others' are ignored. True where something changed."""
        if self.id is None or self.over:
            return False
        if event["type"] == "snapshot":
            self._take_snapshot(event)
            return True
        if event.get("stream") != self.id:
            return False
        if event["type"] in _LASTING:
            self._log.apply(event)
            if event["type"] == "stream_start":
                self.model = event.get("model")
        elif event["type"] != "progress":
            return False
        self.kept.push([event])
        return True

    def fail(self, error: HanzoLiveError) -> None:
        """No event will come any more."""
        if self.over:
            return
        self.failure = error
        if self.id is not None:
            self.failure = HanzoLiveError(
                STREAM_INTERRUPTED, error.message, retryable=True, stream=self.id, text=self.state.content
            )
            self.failure.__cause__ = error

    def _take_snapshot(self, event: JsonObject) -> None:
        assert self.id is not None
        streams = event["state"]["streams"]
        found = next((each for each in streams if each["id"] == self.id), None) or self._of_transcript(event)
        # A snapshot takes the place of everything: what is not in it has yet to come again.
        now = StreamState.from_snapshot(found) if found else StreamState(self.id)
        had, self._log.streams[self.id] = self.state, now
        base = {"log": event["log"], "seq": event["seq"], "ts": event.get("ts") or 0, "stream": self.id}
        self.kept.push({**base, **each} for each in _difference(had, now))

    def _of_transcript(self, event: JsonObject) -> JsonObject | None:
        """A session's snapshot has only running streams: one that is not there has ended, and its message has the text."""
        message = next((each for each in event["state"]["messages"] if each["stream"] == self.id), None)
        if message is None or message["status"] not in TERMINAL_STATUSES:
            return None
        return {
            **self.state.snapshot(),
            "message": message["id"],
            "status": message["status"],
            "content": message["content"],
            "tool_calls": list(calls_of_parts(message["parts"], self.state.tool_calls).values()),
            "finish_reason": message["finish_reason"],
            "error": _error_of(message) if message["status"] == "failed" else None,
        }


def _error_of(message: JsonObject) -> JsonObject:
    """Why a reply failed, as its parts say."""
    for part in message["parts"]:
        if part.get("type") == "error":
            return {name: part[name] for name in ("code", "message", "retryable")}
    words = "The answer failed while the connection was away. Ask again."
    return {"code": "stream_interrupted", "message": words, "retryable": True}


def _difference(had: StreamState, now: StreamState) -> Iterator[JsonObject]:
    """The events that lead from one state to the other."""
    thoughts = had.thoughts
    goes_on = all(
        step < len(now.thoughts) and now.thoughts[step].startswith(thought) for step, thought in enumerate(thoughts)
    )
    if not (goes_on and now.content.startswith(had.content) and had.tool_calls.keys() <= now.tool_calls.keys()):
        yield {"type": "reset", "reason": "The answer began again while the connection was away."}
        had, thoughts = StreamState(now.id), []
    for step, thought in enumerate(now.thoughts):
        more = thought[len(thoughts[step]) :] if step < len(thoughts) else thought
        if more:
            yield {"type": "thought", "step": step, "data": more, "n": 0}
    for call in now.tool_calls.values():
        yield from _difference_of_call(had.tool_calls.get(call["call"]), call)
    if more := now.content[len(had.content) :]:
        yield {"type": "token", "data": more, "n": 0}
    yield from _ending(now)


def _difference_of_call(had: JsonObject | None, now: JsonObject) -> Iterator[JsonObject]:
    """A result that was told already is not told again."""
    text = now["args_text"]
    before = had["args_text"] if had else ""
    delta = text[len(before) :] if text.startswith(before) else text
    if delta or had is None or _asked(had) != _asked(now):
        yield {"type": "tool_call", **_asked(now), "args_delta": delta or None}
    if _is_settled(now) and not (had and _is_settled(had) and _outcome(had) == _outcome(now)):
        yield {"type": "tool_result", "call": now["call"], **_outcome(now), "duration_ms": now["duration_ms"]}


def _asked(call: JsonObject) -> JsonObject:
    # How it ended, the result says.
    status = "running" if call["status"] in {"complete", "failed"} else call["status"]
    return {**{name: call[name] for name in ("call", "tool", "args", "user")}, "status": status}


def _outcome(call: JsonObject) -> JsonObject:
    return {name: call[name] for name in ("result", "error")}


def _is_settled(call: JsonObject) -> bool:
    return call["status"] in {"complete", "failed"} or (call["status"] == "denied" and call["error"] is not None)


def _ending(now: StreamState) -> Iterator[JsonObject]:
    if not now.ended:
        return
    if now.error is not None:
        yield {"type": "error", **now.error, "partial": bool(now.text), "usage": now.usage}
        return
    unknown = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0, "estimated": True}
    yield {
        "type": "complete",
        "finish_reason": now.finish_reason or ("stopped" if now.status == "stopped" else "stop"),
        "stopped_by": None,
        "usage": now.usage or unknown,
        "duration_ms": 0,
        "first_token_ms": None,
        "tokens_per_second": None,
        "cached": None,
        "similarity": None,
        "message": now.message,
    }


def is_terminal(event: JsonObject) -> bool:
    return event["type"] in _TERMINAL


class TextReader:
    """The answer's text from its events. After a `reset` the text begins again; as long as it says the same, a reader
    of text need not know.
    """

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._again = ""
        self._at = 0

    def take(self, event: JsonObject) -> str:
        """The text that `event` adds, often none. Raises HanzoLiveError where it takes back what was read."""
        kind = event["type"]
        if kind == "reset":
            # What was read before an earlier reset is there still, though it may not have been written again.
            self._again, self._at = self._read() + self._again[self._at :], 0
            self._pieces = []
        elif kind == "token":
            return self._take_text(event["data"], event)
        elif kind == "complete" and self._at < len(self._again):
            raise self._begun_again(event)
        return ""

    def _take_text(self, data: str, event: JsonObject) -> str:
        known = self._again[self._at : self._at + len(data)]
        if not data.startswith(known):
            raise self._begun_again(event)
        self._at += len(known)
        self._pieces.append(data)
        return data[len(known) :]

    def _read(self) -> str:
        return "".join(self._pieces)

    def _begun_again(self, event: JsonObject) -> HanzoLiveError:
        return HanzoLiveError(
            STREAM_INTERRUPTED,
            "The answer began again with another text. Read its events to follow a `reset`.",
            retryable=True,
            stream=event["stream"],
            text=self._read(),
        )
