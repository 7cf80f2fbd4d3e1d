"""`POST /v1/embeddings` of the scripted node: real embeddings, by the small model that the extra `semantic` brings along."""

from __future__ import annotations

import asyncio
from typing import Any

from .answer import Refused

MODEL = "all-minilm-l6-v2"
MAX_INPUTS, MAX_CHARS = 32, 8_000


async def embeddings(body: dict[str, Any]) -> dict[str, Any]:
    """OpenAI's answer. Raises Refused."""
    from streaming.cache.semantic.embedding import is_installed

    if body.get("model") != MODEL:
        raise Refused(404, f"The only model for embeddings here is {MODEL}.", code="model_not_found")
    if not is_installed():
        raise Refused(501, "This node makes embeddings only where the extra `semantic` is installed.", "server_error")
    given = body.get("input")
    texts: list[Any] = given if isinstance(given, list) else [given]
    if not 1 <= len(texts) <= MAX_INPUTS or not all(isinstance(t, str) and 1 <= len(t) <= MAX_CHARS for t in texts):
        raise Refused(400, f"'input' must be a text, or up to {MAX_INPUTS} texts, of up to {MAX_CHARS} characters.")
    vectors = await asyncio.to_thread(_embedded, texts)
    tokens = sum(len(text) // 4 + 1 for text in texts)
    return {
        "object": "list",
        "model": MODEL,
        "data": [{"object": "embedding", "index": at, "embedding": vector} for at, vector in enumerate(vectors)],
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def _embedded(texts: list[str]) -> list[list[float]]:
    from streaming.cache.semantic.embedding import the_model

    return [the_model().embed(text).tolist() for text in texts]
