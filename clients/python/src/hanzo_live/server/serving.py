"""The server as a user's program starts it: the handler's node in this process, and `hanzo-live serve` beside it.

The answers take the usual way: the same log, hub, resume and pages. Only who writes them is another.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any, TypeVar

from hanzo_live.errors import HanzoLiveError
from hanzo_live.server.handlers import Handler, handler_of
from hanzo_live.server.node import DEFAULT_MODEL, HandlerNode

HandlerT = TypeVar("HandlerT", bound=Handler)

MISSING = "The server is not installed. Install it with `pip install 'hanzo-live[server]'`."


class HanzoLiveServer:
    """A server at `host` and `port` whose answers come from `@server.on_stream`, or else from `hanzo_client`.

    `hanzo_client`: anything with `chat.completions.create(…, stream=True)`. `max_concurrent_streams`: handlers that run
    at once, each in a thread of its own. `multiplexing=False` lets each socket have one stream. `models` are the names
    that people may ask for; without them a handler is asked for any, and for `default` where none is named.
    `environment` are options of the server (docs/configuration.md).
    """

    def __init__(
        self,
        hanzo_client: Any = None,
        *,
        host: str = "127.0.0.1",
        port: int = 3001,
        multiplexing: bool = True,
        max_concurrent_streams: int = 100,
        models: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        if max_concurrent_streams < 1:
            raise ValueError("A server needs at least one place for a stream.")
        self._handler: Handler | None = None if hanzo_client is None else handler_of(hanzo_client)
        self._host = host
        self._port = port
        self._most = max_concurrent_streams
        self._models = tuple(models)
        self._environment = {
            "NODE_KIND": "openai",
            "NODE_MODEL": models[0] if models else DEFAULT_MODEL,
            **({} if multiplexing else {"MAX_STREAMS_PER_SOCKET": "1"}),
            **(environment or {}),
        }

    def on_stream(self, handler: HandlerT) -> HandlerT:
        """Let `handler(messages, model, **options)` write the answers: an async generator, or a plain one. It yields
        text, or `{"type": "token" | "thought" | "tool_call" | "complete" | "error", …}`.
        """
        self._handler = handler
        return handler

    async def serve(self) -> None:
        """Serve until the process is told to end or this is cancelled. Raises HanzoLiveError where it cannot."""
        if self._handler is None:
            words = "Nobody writes the answers: give a handler with `@server.on_stream`, or a `hanzo_client`."
            raise HanzoLiveError("BAD_REQUEST", words)
        try:
            tethered = import_module("hanzolive.cli.child").tethered
            uvicorn = import_module("uvicorn")
        except ImportError as error:
            raise HanzoLiveError("BAD_REQUEST", MISSING) from error
        key = secrets.token_urlsafe(32)
        node = HandlerNode(self._handler, key=key, models=self._models, most=self._most)
        with _listening(uvicorn, node) as url:
            command = [sys.executable, "-m", "hanzo_live.cli", "serve", "--host", self._host, "--port", str(self._port)]
            # The node's own address and key go by the environment: the command line is everybody's to read.
            environment = {**os.environ, **self._environment, "NODE_URL": url, "NODE_API_KEY": key}
            environment.pop("NODES", None)
            process = await asyncio.create_subprocess_exec(*tethered(command, signal.SIGTERM), env=environment)
            try:
                code = await process.wait()
            finally:
                if process.returncode is None:
                    process.send_signal(signal.SIGTERM)
                    await process.wait()
        if code:
            raise HanzoLiveError("INTERNAL", "The server ended by itself. What it printed says why.")


@contextmanager
def _listening(uvicorn: Any, node: HandlerNode) -> Iterator[str]:
    """The node's address, on a free port of loopback, while it runs in a thread."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    options = {"lifespan": "off", "ws": "none", "access_log": False, "log_config": None}
    server = uvicorn.Server(uvicorn.Config(node, timeout_graceful_shutdown=1, **options))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="hanzo-live-node", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
