"""The ASGI application under test: sockets do what the client's JSON says, over the writer; HTTP shows what they saw."""

import asyncio
import hashlib
import json
import select
from collections import defaultdict
from typing import Any

from streaming.servers import EXTENSION, Frame, Limits, SocketWriter, writer_for
from tests.servers.frames import payloads


class App:
    """One server's application. `plain` hides the server's writer, as a server that is not ours would have none."""

    def __init__(self, *, plain: bool) -> None:
        self.plain = plain
        self.writers: set[SocketWriter] = set()
        self.left: defaultdict[str, asyncio.Queue[dict[str, Any]]] = defaultdict(asyncio.Queue)
        """What was seen when a peer had left, by the path it had asked for."""
        self.tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await (self.socket if scope["type"] == "websocket" else self.http)(scope, receive, send)

    async def drain(self) -> None:
        """Stopping: say so to every socket, as the hub does."""
        for writer in self.writers:
            writer.write(Frame(b'{"type":"goaway"}'), force=True)
            await writer.flush()

    async def socket(self, scope: Any, receive: Any, send: Any) -> None:
        assert (await receive())["type"] == "websocket.connect"
        if scope["path"] == "/refused":
            await send({"type": "websocket.close", "code": 4403})
            return
        await send({"type": "websocket.accept"})
        if self.plain:
            scope = {**scope, "extensions": {}}
        else:
            assert EXTENSION in scope["extensions"]
        writer = writer_for(scope, send, Limits())
        self.writers.add(writer)
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                break
            if message.get("bytes") is not None:
                tell(writer, bytes=len(message["bytes"]), sha=hashlib.sha256(message["bytes"]).hexdigest())
                continue
            asked = json.loads(message["text"])
            task = asyncio.get_running_loop().create_task(getattr(self, asked.pop("do"))(writer, send, **asked))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        self.writers.discard(writer)
        if self.plain:
            writer.finish()  # Plain ASGI has no other way to know.
        await asyncio.wait_for(writer.drained(), 5)
        wrote = [writer.write(Frame(b"late")), writer.write(Frame(b"later"), force=True)]
        self.left[scope["path"]].put_nowait(
            {"code": message["code"], "closed": writer.closed, "wrote": wrote, "left": writer.buffered}
        )

    # What a socket may ask for.

    async def echo(self, writer: SocketWriter, send: Any, text: str) -> None:
        writer.write(Frame(text.encode()))

    async def burst(self, writer: SocketWriter, send: Any) -> None:
        """Every frame of the order test, each as soon as it is taken; then how often that had to wait."""
        waited = 0
        for payload in payloads():
            frame = Frame(payload)
            while not writer.write(frame):
                if writer.closed:
                    return
                waited += 1
                await writer.drained()
        tell(writer, waited=waited)

    async def fill(self, writer: SocketWriter, send: Any) -> None:
        """Write until refused, which is told by force; and again once drained."""
        frame, taken = Frame(b"x" * 8192), 0
        while writer.write(frame):
            taken += 1
            if taken % 16 == 0:
                await asyncio.sleep(0)
        tell(writer, refused_at=writer.buffered, taken=taken)
        await writer.drained()
        tell(writer, drained_at=writer.buffered)

    async def close(self, writer: SocketWriter, send: Any, code: int, reason: str) -> None:
        """Frames, the error by force, and the close: nothing between them waits for anything."""
        for number in range(20):
            writer.write(Frame(str(number).encode() * 1000))
        tell(writer, type="error")
        await writer.flush()
        await send({"type": "websocket.close", "code": code, "reason": reason})
        assert not self.plain or not writer.closed
        writer.finish()

    async def turns(self, writer: SocketWriter, send: Any, count: int, size: int) -> None:
        """Frames of ours and plain sends by turns, more than the socket takes at once."""
        for number in range(count):
            writer.write(Frame(f"w{number}".ljust(size).encode()), force=True)
            await writer.flush()
            await send({"type": "websocket.send", "text": f"s{number}".ljust(size)})

    async def squeeze(self, writer: Any, send: Any) -> None:
        """Write at the one moment when the socket has room again and the server does not know it yet."""
        writer.write(Frame(b"first"))
        sending = asyncio.get_running_loop().create_task(send({"type": "websocket.send", "text": "s" * 2_000_000}))
        await asyncio.sleep(0)
        assert writer.buffered, "all of it went to the socket: make it longer"
        descriptor = writer._transport.get_extra_info("socket") if hasattr(writer, "direct") else writer._transport
        assert select.select([], [descriptor.fileno()], [], 20)[1], "the client does not read"
        writer.write(Frame(b"w"), force=True)
        await sending

    # HTTP.

    async def http(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message["body"]
            if not message["more_body"]:
                break
        match scope["path"]:
            case "/sse" | "/flood":
                await self.stream(scope["path"], receive, send)
            case "/left":
                await answer(send, json.dumps(await self.left[scope["query_string"].decode()].get()))
            case "/scope":
                await answer(send, json.dumps([scope["client"][0], scope["scheme"], len(body)]))
            case "/broken":
                raise RuntimeError("on purpose")
            case _:
                await answer(send, "not here", 404)

    async def stream(self, path: str, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        chunk = b"data: hello\n\n" if path == "/sse" else b":" * 65_536
        sent, stalled = 0, False
        try:
            for _ in range(1 if path == "/sse" else 1000):
                async with asyncio.timeout(1):
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                sent += len(chunk)
        except TimeoutError:
            stalled = True
        if path == "/flood":
            self.left[path].put_nowait({"sent": sent, "stalled": stalled})
        while (await receive())["type"] != "http.disconnect":
            pass
        self.left[path].put_nowait({"disconnected": path})


def tell(writer: SocketWriter, **fields: Any) -> None:
    """A JSON frame that is taken whatever waits."""
    writer.write(Frame(json.dumps(fields).encode()), force=True)


async def answer(send: Any, text: str, status: int = 200) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": text.encode()})
