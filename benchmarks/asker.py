"""The client of P4: asks for answers and notes when the first token came. A process of its own, so its load is not ours.

`python -m benchmarks.asker`, JSON lines on both pipes. A *probe* asks at a given interval (0: the next one after the
one before has ended) and says "probed", with null for an answer that took longer than its patience; a *load* keeps so many answers running and says "loaded" once they do
(or once it is clear that they will not); any
line makes it tell what it received, "received", and end.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

import orjson
import uvloop

from benchmarks.frames import CLOSE, PING, PONG, Frame, FrameReader, check_answer, handshake, masked
from benchmarks.lines import read_task, say, stdin_speaks

OnTokens = Callable[[int], None]  # called with how many tokens a frame carried


@dataclass(frozen=True, slots=True)
class Place:
    """Where to ask, and in which way."""

    kind: str  # "live": our WebSocket; "sse": OpenAI chat completions
    port: int
    path: str
    headers: dict[str, str]


class Line(Protocol):
    """One kept connection; one answer on it at a time."""

    async def open(self) -> None: ...

    async def ask(self, model: str, prompt: str, on_tokens: OnTokens) -> None:
        """Asks and reads the answer to its end. Raises ValueError with the server's words when it is refused."""

    def close(self) -> None: ...


class LiveLine:
    """`stream.start` on `/v1/live`."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._frames = FrameReader()
        self._waiting: deque[Frame] = deque()
        self._number = 0

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._place.port)
        hello = handshake(f"127.0.0.1:{self._place.port}", self._place.path, self._place.headers)
        self._writer.write(hello.request)
        check_answer(await self._reader.readuntil(b"\r\n\r\n"), hello.accept)

    async def ask(self, model: str, prompt: str, on_tokens: OnTokens) -> None:
        log = ""
        asked = self._send(type="stream.start", model=model, messages=[{"role": "user", "content": prompt}])
        while True:
            match message := await self._next():
                case {"type": "token"}:
                    on_tokens(int(message.get("n", 1)))
                case {"type": "ok", "id": number} if number == asked:
                    log = message["log"]
                case {"type": "complete"}:
                    break
                case {"type": "error"}:
                    raise ValueError(f"{message.get('code')}: {message.get('message')}")
        left = self._send(type="unsubscribe", log=log)
        while (await self._next()).get("id") != left:
            pass

    def _send(self, **command: Any) -> int:
        self._number += 1
        self._writer.write(masked(orjson.dumps({"id": self._number, **command})))
        return self._number

    async def _next(self) -> dict[str, Any]:
        while True:
            while self._waiting:
                frame = self._waiting.popleft()
                if frame.opcode == PING:
                    self._writer.write(masked(frame.payload, PONG))
                elif frame.opcode == CLOSE:
                    raise ValueError(f"the server closed the socket: {frame.payload!r}")
                else:
                    message: dict[str, Any] = orjson.loads(frame.payload)
                    return message
            chunk = await self._reader.read(65536)
            if not chunk:
                raise ValueError("the server closed the socket in the middle of an answer")
            self._waiting += self._frames.feed(chunk)

    def close(self) -> None:
        self._writer.close()


class SseLine:
    """`POST …/chat/completions` with `stream`, over one kept connection."""

    def __init__(self, place: Place) -> None:
        self._place = place

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._place.port)

    async def ask(self, model: str, prompt: str, on_tokens: OnTokens) -> None:
        body = orjson.dumps({"model": model, "messages": [{"role": "user", "content": prompt}], "stream": True})
        head = "".join(f"{name}: {value}\r\n" for name, value in self._place.headers.items())
        self._writer.write(
            f"POST {self._place.path} HTTP/1.1\r\nHost: 127.0.0.1:{self._place.port}\r\n{head}"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        answer = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        if b" 200" not in answer.partition(b"\r\n")[0] or b"transfer-encoding: chunked" not in answer:
            raise ValueError(f"{answer.decode()}{(await self._reader.read(2000)).decode(errors='replace')}")
        pending = b""
        async for piece in self._pieces():
            *events, pending = (pending + piece).split(b"\n\n")
            for event in events:
                if tokens := tokens_of(event):
                    on_tokens(tokens)

    async def _pieces(self) -> AsyncIterator[bytes]:
        """The body's chunks."""
        while size := int(await self._reader.readline(), 16):
            yield (await self._reader.readexactly(size + 2))[:-2].replace(b"\r", b"")
        await self._reader.readline()

    def close(self) -> None:
        self._writer.close()


def tokens_of(event: bytes) -> int:
    """How many tokens of text an SSE event of chat completions carries: 1, or 0 for roles, usage, comments, the end."""
    for line in event.split(b"\n"):
        if line.startswith(b"data:") and line[5:].strip() != b"[DONE]":
            data = orjson.loads(line[5:])
            if "error" in data:
                raise ValueError(f"an error inside the stream: {data['error']}")
            choices = data.get("choices") or [{}]
            return 1 if (choices[0].get("delta") or {}).get("content") else 0
    return 0


LINES: dict[str, Callable[[Place], Line]] = {"live": LiveLine, "sse": SseLine}


class Lines:
    """Kept connections, opened when all others are busy."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._idle: list[Line] = []

    async def take(self) -> Line:
        if self._idle:
            return self._idle.pop()
        line = LINES[self._place.kind](self._place)
        await line.open()
        return line

    def give_back(self, line: Line) -> None:
        self._idle.append(line)


async def first_token(line: Line, model: str, prompt: str) -> float:
    """Asks, reads the answer to its end, and returns when its first token came, in ms."""
    first = 0.0
    started = time.perf_counter()

    def on_tokens(count: int) -> None:
        nonlocal first
        first = first or (time.perf_counter() - started) * 1000

    await line.ask(model, prompt, on_tokens)
    if not first:
        raise ValueError("an answer without a single token")
    return first


async def probe(task: dict[str, Any], place: Place) -> None:
    """`count` answers, `interval` seconds from start to start (0: each after the one before)."""
    lines = Lines(place)
    ready = [await lines.take() for _ in range(4)]  # no probe pays for a handshake
    for line in ready:
        lines.give_back(line)

    async def one(number: int) -> float | None:
        line = await lines.take()
        try:
            async with asyncio.timeout(task["patience"]):
                first = await first_token(line, task["model"], f"{task['name']}: question {number}")
        except TimeoutError:
            line.close()
            return None
        lines.give_back(line)
        return first

    asked: list[float | None] = []
    if task["interval"]:
        running: list[asyncio.Task[float | None]] = []
        started = time.monotonic()
        for number in range(task["count"]):
            await asyncio.sleep(started + number * task["interval"] - time.monotonic())
            running.append(asyncio.create_task(one(number)))
        asked = list(await asyncio.gather(*running))
    else:
        asked = [await one(number) for number in range(task["count"])]
    say("probed", first=asked)


async def load(task: dict[str, Any], place: Place) -> None:
    """Keeps `streams` answers running, started over `ramp` seconds, until a line comes."""
    received = 0
    begun: set[int] = set()
    all_begun = asyncio.Event()

    async def keep(number: int) -> None:
        line = LINES[place.kind](place)
        await asyncio.sleep(number * task["ramp"] / task["streams"])
        await line.open()

        def on_tokens(count: int) -> None:
            nonlocal received
            received += count
            if number not in begun:
                begun.add(number)
                if len(begun) == task["streams"]:
                    all_begun.set()

        await line.ask(task["model"], f"load {number}", on_tokens)
        raise ValueError("an answer meant to outlast the measurement has ended: another model ran than was asked for")

    keepers = asyncio.gather(*(keep(number) for number in range(task["streams"])))
    await _first_of(keepers, all_begun.wait(), task["ramp"] + task["patience"])
    say("loaded", begun=len(begun))
    before, since = received, time.monotonic()
    await _first_of(keepers, stdin_speaks())
    say("received", tokens_per_second=(received - before) / (time.monotonic() - since))
    keepers.cancel()


async def _first_of(keepers: asyncio.Future[Any], other: Awaitable[Any], seconds: float | None = None) -> None:
    """Waits for `other`, or for so many seconds; an error of a keeper comes out here."""
    tasks = {keepers, asyncio.ensure_future(other)}
    await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    if keepers.done():
        keepers.result()


def main() -> None:
    task = read_task()
    place = Place(**task["place"])
    try:
        uvloop.run({"probe": probe, "load": load}[task["role"]](task, place))
    except (OSError, ValueError, KeyError, asyncio.IncompleteReadError) as error:
        say("failed", why=f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
