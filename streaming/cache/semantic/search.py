"""Finding an answer by what its question means. Each process keeps the vectors that Redis has, and reads what is new.

Only where the extra `semantic` is installed; numpy and the model are loaded when somebody first wants them.
"""

from __future__ import annotations

import hashlib
import logging
import struct
import threading
from functools import cache
from typing import TYPE_CHECKING, Any

from django.conf import settings

from streaming.cache.answer import CachedAnswer, Found
from streaming.cache.question import Question
from streaming.cache.semantic.embedders import Embedder, the_embedder
from streaming.cache.semantic.embedding import EmbeddingUnavailable
from streaming.cache.semantic.guard import MAX_CHARS, asks_the_same
from streaming.cache.store import AnswerStore

if TYPE_CHECKING:
    from streaming.cache.semantic.index import Index, Near

logger = logging.getLogger(__name__)

# A kind (a digest), how many numbers, these as float16, then the prompt.
HEADER = struct.Struct("<32sH")
# Of similar questions so many are looked at.
CANDIDATES = 20
# Steps of reading new vectors that one question pays for; the next one reads on.
PAGES = 4


def find(store: AnswerStore, question: Question, threshold: float) -> Found | None:
    """The answer to the most similar question that asks the same.

    Raises CacheUnavailable, EmbeddingUnavailable, Unreadable.
    """
    prompt = _prompt(question)
    embedder = the_embedder() if prompt is not None else None
    if prompt is None or embedder is None:
        return None
    vectors = the_vectors()
    vectors.read(store)
    for near in vectors.near(_kind(question, embedder), embedder.embed(prompt), threshold):
        if asks_the_same(prompt, near.prompt):
            raw = store.get(near.key)
            if raw is not None:
                return Found(CachedAnswer.from_bytes(raw), "semantic", round(near.similarity, 4))
            vectors.lost(near.key)
    return None


def packed(question: Question) -> bytes:
    """What an entry is found by; empty where it is not to be, or there is no embedding of it."""
    prompt = _prompt(question)
    embedder = the_embedder() if prompt is not None else None
    if prompt is None or embedder is None:
        return b""
    try:
        vector = embedder.embed(prompt)
    except EmbeddingUnavailable as error:
        logger.warning("An answer is kept for the same question only: %s", error)
        return b""
    numbers = struct.pack(f"<{len(vector)}e", *vector.tolist())
    return HEADER.pack(_kind(question, embedder), len(vector)) + numbers + prompt.encode("utf-8", "replace")


class Vectors:
    """What this process knows of the vectors. For any thread."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._epoch, self._position = b"", 0
        self._index: Index | None = None

    def read(self, store: AnswerStore) -> None:
        """Take in what is new. Raises CacheUnavailable."""
        with self._lock:
            for _ in range(PAGES):
                told = store.vectors(self._epoch, self._position)
                if told.epoch != self._epoch or self._index is None:
                    self._index = _new_index(self._most)
                    self._epoch = told.epoch
                self._position = told.position
                for key, raw in told.new:
                    self._add(self._index, key, raw)
                if not told.new:
                    return

    def near(self, kind: bytes, vector: Any, threshold: float) -> list[Near]:
        with self._lock:
            return self._index.search(kind, vector, threshold, CANDIDATES) if self._index is not None else []

    def lost(self, key: str) -> None:
        with self._lock:
            if self._index is not None:
                self._index.discard(key)

    def _add(self, index: Index, key: str, raw: bytes) -> None:
        import numpy as np

        kind, size = HEADER.unpack_from(raw)
        end = HEADER.size + 2 * size
        vector = np.frombuffer(raw[HEADER.size : end], "<f2").astype(np.float32)
        index.add(kind, key, raw[end:].decode("utf-8", "replace"), vector)


def _new_index(most: int) -> Index:
    from streaming.cache.semantic.index import Index

    return Index(most)


def _prompt(question: Question) -> str | None:
    """The prompt, where its meaning can be compared."""
    prompt = question.alone
    return prompt if prompt is not None and len(prompt) <= MAX_CHARS and prompt.strip() else None


def _kind(question: Question, embedder: Embedder) -> bytes:
    """Which may answer one another: asked in the same surroundings, and embedded by the same model."""
    return hashlib.sha256(f"{question.surroundings} {embedder.name}".encode()).digest()


@cache
def the_vectors() -> Vectors:
    """This process's."""
    return Vectors(settings.CACHE_MAX_ENTRIES * 2)
