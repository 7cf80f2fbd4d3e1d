"""A network cable between a browser and its server, that can be pulled out, go dead, and be put in again.

Chromium's own "offline" leaves open sockets open, and keeps new ones from servers on the same machine.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit


class Cable:
    """Passes bytes on between its own `url` and the server's."""

    def __init__(self, server: str) -> None:
        parts = urlsplit(server)
        self._server = ("127.0.0.1", parts.port or 0)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._is_in = True
        self._carries = threading.Event()
        self._carries.set()
        self._lock = threading.Lock()
        self.url = f"{parts.scheme}://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def pull(self) -> None:
        """What is open breaks; what comes is refused."""
        self._carries.set()
        with self._lock:
            self._is_in = False
            for end in self._open:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def go_dead(self) -> None:
        """Nothing passes any more, and neither end is told."""
        self._carries.clear()

    def put_in(self) -> None:
        self._is_in = True
        self._carries.set()

    def close(self) -> None:
        self.pull()
        # Wakes the thread that accepts; closing alone does not.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                browser, _ = self._listener.accept()
                if not self._is_in:
                    browser.close()
                    continue
                server = socket.create_connection(self._server)
                with self._lock:
                    self._open |= {browser, server}
                for source, target in ((browser, server), (server, browser)):
                    threading.Thread(target=self._pass_on, args=(source, target), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                self._carries.wait()
                target.sendall(data)
        with self._lock:
            self._open -= {source, target}
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@contextmanager
def cable_to(server: str) -> Iterator[Cable]:
    cable = Cable(server)
    try:
        yield cable
    finally:
        cable.close()
