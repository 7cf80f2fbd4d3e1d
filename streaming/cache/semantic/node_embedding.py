"""Embeddings of prompts by one of the operator's nodes: its `/v1/embeddings`. For code in threads.

Only by a local node, so that no prompt leaves their machines. A model is a fallback for a cache: what does not come soon, or is
no embedding, is none, and a node that failed is left alone for a while.
"""

from __future__ import annotations

import math
import ssl
import time
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

import httpcore
import orjson

from sessions.public import UntilBackend
from streaming.cache.semantic.embedding import ENDINGS, EmbeddingUnavailable
from streaming.node.configured import ConfiguredNode
from streaming.node.http import base_url

if TYPE_CHECKING:
    from streaming.cache.semantic.embedding import Vector

TIMEOUT_S = 1.0
# After a failure the node is not asked for so long: not every question is to wait for it.
LEFT_ALONE_S = 10.0
# Of an embedding: how many numbers, and bytes of the answer that holds them.
SMALLEST, LARGEST = 8, 4_096
MAX_BYTES = 256 * 1024


class NodeEmbedder:
    """One model on one node. May be used by several threads at once."""

    def __init__(self, node: ConfiguredNode, model: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = f"{model} of {node.name}"
        self._model = model
        self._url = f"{base_url(node.url)}/v1/embeddings"
        key = node.key.get_secret_value()
        self._headers: dict[bytes | str, bytes | str] = {
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
            "Connection": "close",
        }
        if key:
            self._headers["Authorization"] = f"Bearer {key}"
        self._clock = clock
        self._left_alone_until = -math.inf

    def embed(self, text: str) -> Vector:
        """A vector of length 1. Raises EmbeddingUnavailable, also at once while the node is left alone."""
        if self._clock() < self._left_alone_until:
            raise EmbeddingUnavailable("The node failed to make one just now.")
        try:
            return vector_of(self._answer(text.rstrip(ENDINGS) or text))
        except EmbeddingUnavailable:
            self._left_alone_until = self._clock() + LEFT_ALONE_S
            raise

    def _answer(self, text: str) -> bytes:
        content = orjson.dumps({"model": self._model, "input": text})
        backend = UntilBackend(httpcore.SyncBackend(), TIMEOUT_S)
        secure = _tls() if self._url.startswith("https:") else None
        try:
            with (
                httpcore.ConnectionPool(ssl_context=secure, network_backend=backend) as pool,
                pool.stream("POST", self._url, headers=self._headers, content=content) as answer,
            ):
                if answer.status != 200:
                    raise EmbeddingUnavailable(f"The node answered with {answer.status}.")
                body = b""
                for part in answer.iter_stream():
                    body += part
                    if len(body) > MAX_BYTES:
                        raise EmbeddingUnavailable("The node's answer is larger than any embedding.")
                return body
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
            raise EmbeddingUnavailable(f"The node did not answer: {str(error) or type(error).__name__}") from error


def vector_of(answer: bytes) -> Vector:
    """The embedding in a node's answer, brought to length 1. Raises EmbeddingUnavailable where there is none to be used."""
    import numpy as np

    numbers = _numbers(answer)
    if not SMALLEST <= len(numbers) <= LARGEST or not all(type(number) in (int, float) for number in numbers):
        raise EmbeddingUnavailable("The node's embedding is no list of numbers, or has too few or too many.")
    vector = np.array(numbers, dtype=np.float64)
    with np.errstate(over="ignore"):
        length = float(np.linalg.norm(vector))
    if not 1e-9 < length < math.inf:
        raise EmbeddingUnavailable("The node's embedding has no direction.")
    found: Vector = (vector / length).astype(np.float32)
    return found


def _numbers(answer: bytes) -> list[Any]:
    try:
        numbers = orjson.loads(answer)["data"][0]["embedding"]
    except (orjson.JSONDecodeError, KeyError, IndexError, TypeError):
        numbers = None
    if not isinstance(numbers, list):
        raise EmbeddingUnavailable("The node's answer holds no embedding.")
    return numbers


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
