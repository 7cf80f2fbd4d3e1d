"""Answering from the cache what waited in a session until others were answered. For workers' threads.

What the model would be told is known only when its turn comes, so that it cannot be looked up when it is asked.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from sessions.queries import Said
from streaming.cache import giving, looking
from streaming.models import Stream


def answer(stream: Stream, system: str, said: Sequence[Said]) -> bool:
    """Whether there was an answer for `stream`, whose turn it is: then it is over."""
    began = time.monotonic()
    messages = looking.conversation_of(stream, system, said)
    found = looking.find(stream, messages) if messages is not None else None
    return found is not None and giving.give_queued(stream, found, began)
