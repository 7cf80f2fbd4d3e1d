"""What a stream has written so far, folded from the very entries that are on the log.

By the protocol's own fold, so that what the database gets is what every client shows. `fold(log) == database` hangs here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from hanzo_live.protocol import State, check_json, reply_parts
from hanzo_live.protocol.fold import StreamState
from streaming.log.script import Entry, LogEvent
from streaming.runner.rounds import Rounds
from streaming.runner.thinking import ThinkingClock

# The types of a stream's entries that a worker numbers; the others come through the outbox.
NUMBERED = frozenset({"token", "thought", "tool_call", "tool_result", "reset"})
MAX_ARGUMENTS = 200_000


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in an answer: how much of each kind there was."""

    text: int = 0
    tokens: int = 0
    steps: int = 0
    calls: frozenset[str] = frozenset()


class Answer:
    """The text, thoughts and tool calls of one stream. `tokens` counts what was written since the last reset."""

    def __init__(self, stream: str) -> None:
        self._id = stream
        self._state = State()
        self._state.streams[stream] = StreamState(stream)
        self._latest = ""
        self.tokens = 0
        self.thinking = ThinkingClock()
        self.rounds = Rounds()
        self.start = Mark()
        """Where the part begins that is being asked for: behind the tools that gave their results."""

    def apply(self, entry: Entry | LogEvent, at: float = 0.0) -> None:
        """Take one more entry; `at` is when it was written, in seconds of whatever clock."""
        event: dict[str, Any] = {"type": entry.type, "stream": self._id, **(entry.body or {})}
        if entry.type == "token" or entry.type == "thought":
            event["data"], event["step"] = entry.data, entry.step
        self._state.apply(event)
        self.thinking.see(entry.type, entry.step, at)
        self._latest = entry.type
        if isinstance(entry, LogEvent):
            entry = Entry(entry.type, self._id, entry.data, entry.n, entry.step, entry.body or None)
        self.rounds.apply(entry)
        self.tokens = 0 if entry.type == "reset" else self.tokens + entry.n
        if self.rounds.is_between:
            stream = self._stream
            calls = frozenset(stream.tool_calls)
            self.start = Mark(len(stream.content), self.tokens, len(stream.steps), calls)

    @property
    def _stream(self) -> StreamState:
        return self._state.streams[self._id]

    @property
    def content(self) -> str:
        return self._stream.content

    @property
    def parts(self) -> list[dict[str, Any]]:
        return reply_parts(self._stream.thoughts, self._stream.tool_calls.values(), thoughts_ms=self.thinking.ms)

    @property
    def written(self) -> int:
        """Tokens since `start`."""
        return self.tokens - self.start.tokens

    @property
    def text(self) -> str:
        """What was said since `start`."""
        return self._stream.content[self.start.text :]

    def call(self, id: str) -> Mapping[str, Any]:
        """One tool call as far as it has come, as a ToolCallState."""
        return self._stream.tool_calls[id]

    def round_messages(self, *, with_thoughts: bool) -> list[dict[str, Any]]:
        """What the model said, called and got so far, for asking it again; `with_thoughts` as `Rounds.messages` has it."""
        return self.rounds.messages(self._stream.tool_calls, with_thoughts=with_thoughts)

    def begin_again(self, reason: str) -> list[Entry]:
        """What voids everything that the model has said since its last tools gave their results, and says those again.

        No tool runs twice because of it.
        """
        kept = self.rounds.entries[: self.rounds.kept]
        return [Entry("reset", self._id, body={"reason": reason}), *kept]

    @property
    def phase(self) -> str:
        """What the model was last seen doing, as `progress` says it."""
        return {"thought": "thinking", "tool_call": "tool"}.get(self._latest, "answering")

    @property
    def is_plain_text(self) -> bool:
        """Whether there is only text since `start`: what an engine can be asked to continue."""
        stream = self._stream
        return (
            bool(self.text)
            and len(stream.steps) == self.start.steps
            and len(stream.tool_calls) == len(self.start.calls)
        )

    def closing_entries(self) -> Iterable[Entry]:
        """What ends the tool calls of a whole answer: their arguments, and that it is the client's turn to run them.

        Arguments that are no JSON object cannot be run by anyone; that call fails here.
        """
        for call in self._stream.tool_calls.values():
            if call["status"] != "streaming":
                continue
            args = arguments_of(call["args_text"])
            if args is None:
                result = {"call": call["call"], "error": "The model wrote arguments that are no JSON object."}
                yield Entry("tool_result", self._id, body=result)
            else:
                status = {"call": call["call"], "tool": call["tool"], "args": args, "status": "awaiting_client"}
                yield Entry("tool_call", self._id, body=status)


def arguments_of(text: str) -> dict[str, Any] | None:
    """What a model wrote as arguments; None where that is no JSON object that can be stored."""
    try:
        value = orjson.loads(text or "{}")
        check_json(value, max_bytes=MAX_ARGUMENTS)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
