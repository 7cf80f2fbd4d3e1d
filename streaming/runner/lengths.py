"""How long answers were, by model and size of the prompt: what `progress` expects of the next one.

The latest few of each kind, in Redis, for all workers together and in the unit in which streams count themselves: what
came in one piece is one. Nothing hangs on it: without Redis nothing is expected.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from streaming.log import LogUnavailable, LogWriter

logger = logging.getLogger(__name__)

PREFIX = "live:lengths"
# Lengths kept of one kind. The older say little: systems and prompts change.
KEPT = 100
KEEP_S = 30 * 86_400
# It is asked beside a stream and noted after it: neither may hold anything up.
TIMEOUT_S = 0.5


@dataclass(frozen=True, slots=True)
class Kind:
    """Which answers are alike. `size` is the prompt's, in powers of four."""

    model: str
    size: int

    @classmethod
    def of(cls, model: str, prompt_bytes: int) -> Kind:
        return cls(model, (max(1, prompt_bytes).bit_length() - 1) // 2)

    @property
    def key(self) -> str:
        return f"{PREFIX}:{self.size}:{self.model}"


@dataclass(frozen=True, slots=True)
class Length:
    """`cut`: its limit ended it, so that it says only how long the answer was at least."""

    tokens: int
    cut: bool = False


async def lengths_of(log: LogWriter, kind: Kind) -> list[Length]:
    """The latest lengths of that kind; none where there are none, or Redis cannot be reached."""
    try:
        async with asyncio.timeout(TIMEOUT_S):
            values: list[bytes] = await log.ask("LRANGE", kind.key, 0, KEPT - 1)
    except (LogUnavailable, TimeoutError) as error:
        logger.info("How long answers were cannot be looked up: %s", error)
        return []
    return [Length(int(value.rstrip(b"+")), value.endswith(b"+")) for value in values]


async def note_length(log: LogWriter, kind: Kind, length: Length) -> None:
    """Remember one more. Where Redis cannot be reached, it is not."""
    value = f"{length.tokens}{'+' if length.cut else ''}"
    try:
        async with asyncio.timeout(TIMEOUT_S):
            await asyncio.gather(
                log.ask("LPUSH", kind.key, value),
                log.ask("LTRIM", kind.key, 0, KEPT - 1),
                log.ask("EXPIRE", kind.key, KEEP_S),
            )
    except (LogUnavailable, TimeoutError) as error:
        logger.info("How long an answer was cannot be noted: %s", error)
