"""P7: bytes. What an answer of 32,000 tokens weighs on the wire, as it is written and said again, and in Redis."""

from __future__ import annotations

import dataclasses
import http.client
import json
import socket
from dataclasses import dataclass
from typing import Any, Self

import orjson
import redis

from benchmarks.frames import CLOSE, PING, PONG, FrameReader, check_answer, handshake, masked
from benchmarks.process import TargetUnavailable, workshop
from benchmarks.run import Plan, Result
from benchmarks.targets.hanzo import Served, serve, versions
from benchmarks.targets.scripted_node import CHAT_PATH
from benchmarks.targets.scripted_node import start as start_node

TOKENS = 32_000
PATIENCE = 120.0


@dataclass(frozen=True, slots=True)
class WeightRow:
    """What one way to have the answer weighs. `pieces` are frames, events or log entries."""

    target: str
    title: str
    version: str
    text_bytes: int
    bytes: int
    pieces: int
    limit: float  # times the text; 0 for none
    invalid: str

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


class Wire:
    """A socket whose bytes are counted, the opening handshake left out."""

    def __init__(self, served: Served) -> None:
        self._socket = socket.create_connection(("127.0.0.1", served.port), PATIENCE)
        hello = handshake(f"127.0.0.1:{served.port}", "/v1/live", served.headers)
        self._socket.sendall(hello.request)
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self._socket.recv(1)
        check_answer(head, hello.accept)
        self._frames = FrameReader()
        self._waiting: list[dict[str, Any]] = []
        self.bytes = 0
        self.frames = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, **command: Any) -> None:
        self._socket.sendall(masked(orjson.dumps({"id": 1, **command})))

    def next(self) -> dict[str, Any]:
        """The next event or reply."""
        while not self._waiting:
            chunk = self._socket.recv(1 << 20)
            if not chunk:
                raise TargetUnavailable("the server closed the socket")
            self.bytes += len(chunk)
            for frame in self._frames.feed(chunk):
                if frame.opcode == PING:
                    self._socket.sendall(masked(frame.payload, PONG))
                elif frame.opcode == CLOSE:
                    raise TargetUnavailable(f"the server closed the socket: {frame.payload!r}")
                else:
                    self.frames += 1
                    self._waiting.append(orjson.loads(frame.payload))
        return self._waiting.pop(0)


def measure_all(tokens: int) -> list[WeightRow]:
    """One answer, weighed in every way."""
    model = f"script-fast@tokens={tokens},rate=0"
    with workshop() as shop:
        _, node_port = start_node(shop)
        served = serve(shop, "daphne", node_port)
        version = versions("daphne")
        with Wire(served) as wire:
            wire.send(type="stream.start", model=model, messages=[{"role": "user", "content": "Weigh"}])
            stream, text = _followed(wire)
            size = len(text.encode())
            rows = [WeightRow("hanzo-live", "as it is written, by a node faster than the flush", version, size,
                              wire.bytes, wire.frames, 2.5, "")]  # fmt: skip
        log = f"stream:{stream}"
        with Wire(served) as wire:
            epoch = _epoch(served, log)
            wire.send(type="subscribe", log=log, epoch=epoch, seq=0)
            if _said_again(wire) != text:
                raise TargetUnavailable("what was said again is not what was said")
            rows.append(WeightRow("hanzo-replay", "said again from the first event on", version, size, wire.bytes,
                                  wire.frames, 2.5, ""))  # fmt: skip
        with Wire(served) as wire:
            wire.send(type="subscribe", log=log)
            if _said_again(wire) != text:
                raise TargetUnavailable("the snapshot's text is not what was said")
            rows.append(WeightRow("hanzo-snapshot", "to somebody who joins late", version, size, wire.bytes,
                                  wire.frames, 2.5, ""))  # fmt: skip
        kept, entries = _kept(served, log)
        rows.append(WeightRow("hanzo-redis", "kept in Redis (the log's keys)", version, size, kept, entries, 3.0, ""))
        sent, events = _from_the_node(node_port, model)
        rows.append(WeightRow("node", "the node's own event stream (OpenAI's chunks)", "", size, sent, events, 0.0, ""))
        return rows


def _followed(wire: Wire) -> tuple[str, str]:
    """The stream's id and its text, read to its end."""
    stream, pieces = "", []
    while True:
        match wire.next():
            case {"type": "ok", "stream": started}:
                stream = str(started)
            case {"type": "token", "data": data}:
                pieces.append(str(data))
            case {"type": "complete"}:
                return stream, "".join(pieces)
            case {"type": "error"} as error:
                raise TargetUnavailable(f"{error.get('code')}: {error.get('message')}")


def _said_again(wire: Wire) -> str:
    """The text of a finished stream: in events up to its last one, or in a snapshot."""
    pieces: list[str] = []
    while True:
        match wire.next():
            case {"type": "token", "data": data}:
                pieces.append(str(data))
            case {"type": "complete"}:
                return "".join(pieces)
            case {"type": "snapshot", "state": state}:
                return str(state["streams"][0]["content"])
            case {"type": "error"} as error:
                raise TargetUnavailable(f"{error.get('code')}: {error.get('message')}")


def _epoch(served: Served, log: str) -> str:
    """Asked on a socket of its own, so that it weighs nothing."""
    with Wire(served) as wire:
        wire.send(type="subscribe", log=log)
        while "epoch" not in (message := wire.next()):
            pass
        return str(message["epoch"])


def _kept(served: Served, log: str) -> tuple[int, int]:
    """Bytes of every key of the log, as Redis counts them, and how many entries they hold."""
    with redis.Redis.from_url(served.redis_url) as client:
        keys = list(client.scan_iter(match=f"*{{{log}}}*", count=1000))
        if not keys:
            raise TargetUnavailable(f"Redis has no key of {log}")
        kept = sum(int(client.memory_usage(key, samples=0) or 0) for key in keys)
        entries = sum(int(client.xlen(key)) for key in keys if client.type(key) == b"stream")
    return kept, entries


def _from_the_node(port: int, model: str) -> tuple[int, int]:
    """Bytes of the node's answer without HTTP's own, and how many events they are."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    body = {"model": model, "messages": [{"role": "user", "content": "Weigh"}], "stream": True}
    connection.request("POST", CHAT_PATH, json.dumps(body), {"Content-Type": "application/json"})
    sent = connection.getresponse().read()
    connection.close()
    return len(sent), sent.count(b"data: ")


def run(plan: Plan) -> Result:
    """All rows come of one answer, so there are no targets to choose from."""
    tokens = TOKENS // 8 if plan.quick else TOKENS
    plan.say(f"  an answer of {tokens:,} tokens …")
    return Result(
        part="P7",
        title="Bytes of a long answer, on the wire and in Redis",
        setting=f"one answer of {tokens:,} tokens, which the scripted node sends as fast as it can; "
        "frames are counted with their headers, the opening handshake is not",
        rows=[row.to_json() for row in measure_all(tokens)],
    )
