"""Where things lie in the data folder, for the settings and the command alike. Computes paths; makes nothing."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from urllib.parse import quote

# The kernel takes 107 bytes for a Unix socket's path; Redis appends a little to it while it binds.
LONGEST_SOCKET_PATH = 100


def data_folder(given: str) -> Path:
    """The data folder as an absolute path: `given`, or the one in the home folder."""
    return Path(given or Path.home() / ".local/share/hanzo-live").expanduser().resolve()


def redis_socket(folder: Path) -> Path:
    """The private Redis's socket: in the data folder, or in a short folder of its own where that path is too long."""
    path = folder / "redis.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        return path
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"hanzo-live-{os.getuid()}-{digest}" / "redis.sock"


def redis_url(folder: Path) -> str:
    return f"unix://{quote(str(redis_socket(folder)))}?db=0"
