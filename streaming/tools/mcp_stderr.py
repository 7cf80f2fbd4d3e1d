"""What an MCP server that is a process of ours writes on its standard error: into our log at debug, line by line.

Never the raw stream, which would mix with our lines, fill disks, and show what our log hides.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import BinaryIO, TextIO

logger = logging.getLogger(__name__)

MAX_LINE = 500
# Of one connection; what comes after is read, so that the server is not held up, and dropped.
MAX_LINES = 1_000
# Shorter ones would black out half of the words.
SHORTEST_SECRET = 6


@contextmanager
def logged(place: str, secrets: Collection[str] = ()) -> Iterator[TextIO]:
    """A file to be a child's standard error. What it says is logged as that of `place`, without the `secrets` it was given.

    Reading goes on after this is left, until the child and its children have closed it.
    """
    read, write = os.pipe()
    hidden = [secret for secret in secrets if len(secret) >= SHORTEST_SECRET]
    reader = threading.Thread(target=_read, args=(os.fdopen(read, "rb"), place, hidden), name="mcp stderr", daemon=True)
    reader.start()
    with os.fdopen(write, "w") as file:
        yield file


def _read(pipe: BinaryIO, place: str, secrets: Collection[str]) -> None:
    lines = 0
    with pipe:
        while raw := pipe.readline(MAX_LINE):
            line = _shown(raw, secrets) if lines <= MAX_LINES else ""
            if not line:
                continue
            lines += 1
            if lines > MAX_LINES:
                logger.debug("What else the MCP server %s says is not logged.", place)
            else:
                logger.debug("The MCP server %s says: %s", place, line)


def _shown(raw: bytes, secrets: Collection[str]) -> str:
    line = raw.decode("utf-8", "replace")
    for secret in secrets:
        line = line.replace(secret, "…")
    return "".join(c if c.isprintable() else " " for c in line).strip()
