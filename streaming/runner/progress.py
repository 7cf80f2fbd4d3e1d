"""How far a stream is, for whoever watches: counted, and expected only on a ground.

A percentage is told once enough answers to such prompts were alike in length. It never goes back but for a `reset`, and
never says 100: that an answer is whole, only its `complete` tells.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from statistics import median_high
from typing import Any

from streaming.log import LogWriter
from streaming.node import ChatRequest
from streaming.node.decoder import prompt_bytes
from streaming.runner.answer import Answer
from streaming.runner.lengths import Kind, Length, lengths_of, note_length
from streaming.tools.specs import Told

# So many answers that were at least as long as this one is by now are a ground …
GROUND = 5
# … where nine in ten of them ended within so many times their middle.
SPREAD = 2.0
MOST_PERCENT = 99.0
# Reports over which the speed is taken: five seconds.
SPEED_OVER = 10
# How an answer ends that says how long such answers are.
WHOLE = ("stop", "length", "tool_calls")
# Running tools of which is told what they tell.
MAX_TELLING = 32
NOTHING_TOLD: Mapping[str, Told] = {}


class Progress:
    """The `progress` events of one stream. `limit` is the most tokens that it may write, where that was asked for."""

    INTERVAL_S = 0.5

    def __init__(self, stream: str, limit: int | None) -> None:
        self._stream = stream
        self._limit = limit
        self._kind: Kind | None = None
        self._lengths: list[int] = []
        self._percent: float | None = None
        self._tokens = 0
        self._marks: deque[tuple[float, int]] = deque(maxlen=SPEED_OVER)

    def asked(self, request: ChatRequest) -> None:
        """What the node is asked, the first time: it decides which answers are alike."""
        if self._kind is None:
            self._kind = Kind.of(request.model, prompt_bytes(request.messages))

    async def learn(self, log: LogWriter) -> None:
        """Look up how long such answers were."""
        if self._kind is not None:
            self.expect(await lengths_of(log, self._kind))

    def expect(self, lengths: Sequence[Length]) -> None:
        limit = self._limit
        self._lengths = sorted(
            each.tokens if limit is None else min(each.tokens, limit)
            for each in lengths
            # Of one that was cut below this limit nobody knows where it would have ended.
            if not each.cut or (limit is not None and each.tokens >= limit)
        )

    async def keep(self, log: LogWriter, answer: Answer, finish_reason: str) -> None:
        """Remember how long this one became, if it came to an end of its own."""
        if self._kind is not None and finish_reason in WHOLE and answer.tokens:
            await note_length(log, self._kind, Length(answer.tokens, cut=finish_reason == "length"))

    def body(
        self, answer: Answer, now: float, first_at: float | None, told: Mapping[str, Told] = NOTHING_TOLD
    ) -> dict[str, Any]:
        """The fields of the event, as of `now`.

        `first_at` is when the first token came; None while the node is waited for. `told` is what running tools tell.
        """
        if answer.tokens < self._tokens:  # a reset: what was told of it is void as well
            self._percent = None
            self._marks.clear()
        self._tokens = answer.tokens
        speed = self._speed(now, first_at)
        expected = self._expected()
        if expected is not None and answer.tokens:
            percent = round(min(MOST_PERCENT, 100 * answer.tokens / expected), 1)
            self._percent = percent if self._percent is None else max(self._percent, percent)
        left = expected - answer.tokens if expected is not None else 0
        body = {
            "stream": self._stream,
            "tokens": answer.tokens,
            "total": self._limit if expected is None else expected,
            "percent": self._percent,
            "eta_s": round(left / speed, 1) if speed and left > 0 and self._percent is not None else None,
            "tokens_per_second": speed,
            "phase": "tool" if told else "waiting" if first_at is None else answer.phase,
            "queue_position": None,
        }
        if told:
            shown = islice(told.items(), MAX_TELLING)
            body["tools"] = [{"call": call, **asdict(each)} for call, each in shown]
        return body

    def _expected(self) -> int | None:
        """Tokens that this answer will have, by those that were at least as long; None without a ground."""
        longer = [length for length in self._lengths if length >= max(1, self._tokens)]
        if len(longer) < GROUND:
            return None
        middle = median_high(longer)
        return middle if longer[len(longer) * 9 // 10] <= SPREAD * middle else None

    def _speed(self, now: float, first_at: float | None) -> float | None:
        """Tokens a second lately; None while it cannot be told."""
        if first_at is None or not self._tokens:
            return None
        if not self._marks:
            # The first token came without a wait that counts.
            self._marks.append((first_at, 1))
        since, before = self._marks[0]
        self._marks.append((now, self._tokens))
        written, seconds = self._tokens - before, now - since
        return round(written / seconds, 1) if written > 0 and seconds > 0 else None
