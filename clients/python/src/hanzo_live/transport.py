"""Drives a link over `websockets`, in the running event loop: the only place where the client opens sockets."""

from __future__ import annotations

import asyncio
import inspect
import logging
import random
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from hanzo_live import __version__
from hanzo_live.addresses import is_loopback, socket_url
from hanzo_live.core.actions import Connect, Send
from hanzo_live.core.link import Link, LinkWatcher
from hanzo_live.errors import HanzoLiveError, disconnected
from hanzo_live.options import Settings

logger = logging.getLogger("hanzo_live")

OPEN_TIMEOUT_S = 10.0
CLOSE_TIMEOUT_S = 1.0


class Transport:
    """One link and its socket. Whoever changes the link does so within `turn`."""

    def __init__(self, url: str, settings: Settings, watcher: LinkWatcher) -> None:
        self._url = socket_url(url)
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._socket: asyncio.Task[None] | None = None
        self._outgoing: asyncio.Queue[str] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._link = Link(
            watcher,
            client=f"hanzo-live-python/{__version__}",
            clock=self._loop.time,
            random=random.random,
            reconnect=settings.reconnect,
            fresh_tokens=settings.get_token is not None,
        )

    @contextmanager
    def turn(self) -> Iterator[Link]:
        """The link; afterwards, what it asks for is done."""
        try:
            yield self._link
        finally:
            self._work()

    @property
    def link(self) -> Link:
        """To look at; not to change."""
        return self._link

    async def close(self, error: HanzoLiveError) -> None:
        """Close the socket for good; whoever still reads hears why."""
        with self.turn() as link:
            link.close(error)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _work(self) -> None:
        for action in self._link.connection.take_actions():
            if isinstance(action, Connect):
                self._outgoing = asyncio.Queue()
                self._socket = self._loop.create_task(self._run_socket(self._outgoing))
                self._tasks.add(self._socket)
                self._socket.add_done_callback(self._tasks.discard)
            elif isinstance(action, Send):
                self._outgoing.put_nowait(action.text)
            elif self._socket is not None:
                self._socket.cancel()
                self._socket = None
        self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        at = self._link.connection.timers.next
        self._timer = None if at is None else self._loop.call_at(at, self._run_timers)

    def _run_timers(self) -> None:
        with self.turn() as link:
            link.connection.timers.run()

    async def _run_socket(self, outgoing: asyncio.Queue[str]) -> None:
        """The life of one socket, from its opening to its loss."""
        me = asyncio.current_task()
        try:
            code = await self._converse(outgoing)
        except Exception as error:
            # Whatever it is, the connection tries again or says so: nothing else may end it.
            if me is self._socket:
                with self.turn() as link:
                    link.connection.lost(*_failure(error, self._url))
            return
        if me is self._socket:
            with self.turn() as link:
                link.connection.closed(code)

    async def _converse(self, outgoing: asyncio.Queue[str]) -> int | None:
        """The code with which the socket was closed."""
        token = await self._token()
        # No proxy leads to this machine. Frames are small and many: compressing each costs more than it saves.
        proxy: Any = None if is_loopback(self._url) else True
        options: dict[str, Any] = {"max_size": None, "compression": None, "ping_interval": None, "proxy": proxy}
        async with connect(self._url, open_timeout=OPEN_TIMEOUT_S, close_timeout=CLOSE_TIMEOUT_S, **options) as socket:
            with self.turn() as link:
                link.connection.opened(token)
            writing = self._loop.create_task(_write(socket, outgoing))
            try:
                async for frame in socket:
                    with self.turn() as link:
                        link.connection.receive(frame)
            except ConnectionClosed:
                pass
            finally:
                writing.cancel()
            return socket.close_code

    async def _token(self) -> str | None:
        if self._settings.get_token is None:
            return self._settings.token
        token = self._settings.get_token()
        return await token if inspect.isawaitable(token) else token


async def _write(socket: ClientConnection, outgoing: asyncio.Queue[str]) -> None:
    # A socket that closes is told by whoever reads it.
    with suppress(ConnectionClosed):
        while True:
            await socket.send(await outgoing.get())


def _failure(error: Exception, url: str) -> tuple[HanzoLiveError, bool]:
    """What it says that a socket could not be had, and whether to try again."""
    if isinstance(error, HanzoLiveError):
        return error, error.retryable
    if isinstance(error, InvalidStatus):
        status = error.response.status_code
        if status in {401, 403}:
            code = "UNAUTHENTICATED" if status == 401 else "FORBIDDEN"
            return HanzoLiveError(code, "The server refused this client. Check its token and address."), False
        return disconnected(f"There is no Hanzo Live at {url}: it answers {status}."), True
    if isinstance(error, TimeoutError | asyncio.TimeoutError):
        return disconnected(f"{url} does not answer. Check the address and the network."), True
    if isinstance(error, OSError | EOFError | InvalidHandshake):
        return disconnected(f"{url} cannot be reached. Start the server, or check the address and the network."), True
    logger.error("Opening a socket to %s failed unexpectedly.", url, exc_info=error)
    return disconnected(f"The socket to {url} failed: {error}"), True
