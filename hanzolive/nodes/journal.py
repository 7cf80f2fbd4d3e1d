"""What the scripted node was asked and how each answer ended, for tests to read: `GET /script/log`."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from .script import prompt_of

State = Literal["running", "complete", "cancelled", "cut", "error"]

KEPT = 2000
# A test may check which headers came; a credential's value is nobody's business.
SECRET_HEADERS = frozenset({"authorization", "x-api-key", "x-hanzo-key", "ocp-apim-subscription-key", "cookie"})


@dataclass(slots=True)
class Entry:
    """One chat request. `cancelled`: the client closed its connection before the end. Times are seconds since 1970."""

    id: str
    model: str
    requested_model: str
    messages: list[Any]
    stream: bool
    options: dict[str, Any]
    headers: dict[str, str]
    started_at: float
    state: State = "running"
    tokens: int = 0
    closed_at: float | None = None


@dataclass(slots=True)
class Journal:
    """The newest requests, oldest first."""

    clock: Callable[[], float]
    entries: deque[Entry] = field(default_factory=lambda: deque(maxlen=KEPT))
    embedded: deque[Any] = field(default_factory=lambda: deque(maxlen=KEPT))
    """What embeddings were asked of, for tests in this process."""
    running: int = 0
    _count: int = 0
    _idle: asyncio.Event = field(default_factory=asyncio.Event)

    def begin(self, body: Mapping[str, Any], model: str, headers: Mapping[str, str]) -> Entry:
        self._count += 1
        self.running += 1
        self._idle.clear()
        messages = body.get("messages")
        entry = Entry(
            id=f"chatcmpl-script-{self._count}",
            model=model,
            requested_model=str(body.get("model") or ""),
            messages=list(messages) if isinstance(messages, list) else [],
            stream=bool(body.get("stream")),
            options={k: v for k, v in body.items() if k not in ("messages", "model", "stream")},
            headers={k: "…" if k in SECRET_HEADERS else v for k, v in headers.items()},
            started_at=self.clock(),
        )
        self.entries.append(entry)
        return entry

    def asked_alike(self, entry: Entry) -> int:
        """How often this model was asked this by a user, `entry` included."""
        prompt = prompt_of(entry.messages)
        return sum(
            each.requested_model == entry.requested_model and prompt_of(each.messages) == prompt
            for each in self.entries
        )

    def end(self, entry: Entry, state: State) -> None:
        entry.state = state
        entry.closed_at = self.clock()
        self.running -= 1
        if not self.running:
            self._idle.set()

    async def settled(self, wait: float) -> bool:
        """True as soon as no answer is being written, False after `wait` seconds."""
        if not self.running:
            return True
        try:
            async with asyncio.timeout(wait):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True

    def dump(self, limit: int = KEPT) -> dict[str, Any]:
        entries = list(self.entries)[-limit:]
        return {"running": self.running, "count": self._count, "requests": [asdict(entry) for entry in entries]}
