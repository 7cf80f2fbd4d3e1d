"""Which model makes the embeddings: the small one that comes along, or one of the operator's nodes (CACHE_EMBEDDINGS_MODEL)."""

from __future__ import annotations

import logging
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Protocol

from django.conf import settings

from streaming.cache.semantic.embedding import is_installed, the_model
from streaming.cache.semantic.node_embedding import NodeEmbedder
from streaming.configured import configured_nodes
from streaming.node.configured import NodesError, embeddings_node

if TYPE_CHECKING:
    from streaming.cache.semantic.embedding import Vector

logger = logging.getLogger(__name__)


class Embedder(Protocol):
    """`name` tells it from every other: vectors of two are never compared."""

    @property
    def name(self) -> str: ...

    def embed(self, text: str) -> Vector:
        """A vector of length 1. Raises EmbeddingUnavailable."""


@cache
def the_embedder() -> Embedder | None:
    """This process's; None, which is said once in the log, where there is none."""
    model: str = settings.CACHE_EMBEDDINGS_MODEL
    if not (is_installed() if not model else find_spec("numpy") is not None):
        logger.warning(
            "Somebody wants answers to similar questions; for that install the extra: pip install 'hanzo-live-server[semantic]'."
        )
        return None
    if not model:
        return the_model()
    try:
        return NodeEmbedder(embeddings_node(configured_nodes(), settings.CACHE_EMBEDDINGS_NODE), model)
    except NodesError as error:
        logger.warning("Answers to similar questions are not looked for: CACHE_EMBEDDINGS_NODE %s", error)
        return None
