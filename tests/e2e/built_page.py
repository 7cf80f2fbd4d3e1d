"""A page of the JavaScript packages that no server of ours has: built by Vite, and given out from a folder."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

LIVE_UI = Path(__file__).parents[2] / "clients" / "js" / "live-ui"


class Files(SimpleHTTPRequestHandler):
    """A folder over HTTP, without a word about each request."""

    def log_message(self, format: str, *args: object) -> None: ...


@contextmanager
def built(page: str, place: Path, **environment: str) -> Iterator[str]:
    """The address of the page in the folder `page` of the components' package, built into `place`."""
    command = ["npx", "vite", "build", "--config", f"{page}/vite.config.ts", "--outDir", str(place), "--emptyOutDir"]
    subprocess.run(command, cwd=LIVE_UI, env={**os.environ, **environment}, check=True, capture_output=True)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=str(place))) as files:
        Thread(target=files.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{files.server_port}"
        finally:
            files.shutdown()
