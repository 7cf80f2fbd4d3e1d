"""What a fast stream costs its neighbour on the same socket: `python -m benchmarks.micro.neighbours`.

One socket of a whole server watches a slow stream, 20 tokens a second: alone, beside one of 20,000 tokens a second, and
beside one as fast as the node can. How late each token of the slow one is, against the node's own schedule as its earliest
tokens show it; the target is that the neighbour adds no more than 50 ms. Which of the tokens is the latest tells whether
that is the fast one's beginning, its end, or all the way. Not a test: nothing here passes or fails.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from statistics import median
from typing import Any, Final, get_args

from websockets.asyncio.client import ClientConnection, connect

from benchmarks.process import workshop
from benchmarks.targets import hanzo, scripted_node

RATE: Final = 20
TOKENS: Final = 200
SLOW: Final = f"script-slow@rate={RATE},tokens={TOKENS}"
# They outlast the slow one, and are stopped after it.
FAST: Final = {
    "beside 20,000 a second": "script-10k@rate=20000,tokens=600000",
    "beside one at full speed": "script-10k@tokens=5000000",
}
# The first answers of a fresh server pay for what it loads.
WARM_UP: Final = "script-slow@rate=200,tokens=100"


@dataclass(frozen=True)
class Seen:
    """How late each token of the slow stream was, in ms, and how many tokens a second others wrote meanwhile."""

    late: list[float]
    beside: float


def main() -> None:
    """Measure and print the table."""
    for server in get_args(hanzo.Server):
        with workshop() as shop:
            _, node = scripted_node.start(shop)
            rows = asyncio.run(_measure(hanzo.serve(shop, server, node)))
            print(f"{server}: lateness of a token at {RATE} tokens/s, in ms")
            print(f"{'the slow stream':<26}{'p50':>8}{'p99':>8}{'most':>8}{'of token':>10}{'beside it, tokens/s':>22}")
            for name, seen in rows.items():
                most = max(seen.late)
                figures = f"{median(seen.late):>8.1f}{_p99(seen.late):>8.1f}{most:>8.1f}{seen.late.index(most):>10}"
                print(f"{name:<26}{figures}{seen.beside:>22,.0f}")


async def _measure(served: hanzo.Served) -> dict[str, Seen]:
    url = f"ws://127.0.0.1:{served.port}/v1/live"
    async with connect(url, additional_headers=served.headers, max_size=None, proxy=None, compression=None) as socket:
        await _slow(socket, WARM_UP)
        seen = {"alone": await _slow(socket, SLOW)}
        for name, model in FAST.items():
            fast = await _started(socket, model)
            seen[name] = await _slow(socket, SLOW)
            await _stopped(socket, fast)
        return seen


async def _started(socket: ClientConnection, model: str) -> str:
    """The id of a stream that has begun to write: what the node does before its first word delays no token."""
    await socket.send(json.dumps({"id": 2, "type": "stream.start", "content": "run", "model": model}))
    stream = ""
    async for raw in socket:
        frame: dict[str, Any] = json.loads(raw)
        if frame.get("id") == 2:
            stream = str(frame["stream"])
        elif frame["type"] == "token" and frame["stream"] == stream:
            break
    return stream


async def _stopped(socket: ClientConnection, stream: str) -> None:
    await socket.send(json.dumps({"id": 3, "type": "stream.stop", "stream": stream}))
    async for raw in socket:
        frame: dict[str, Any] = json.loads(raw)
        if frame["type"] in ("complete", "error") and frame.get("stream") == stream:
            break


async def _slow(socket: ClientConnection, model: str) -> Seen:
    await socket.send(json.dumps({"id": 1, "type": "stream.start", "content": "walk", "model": model}))
    stream, count, other = "", 0, 0
    arrivals: list[tuple[int, float]] = []
    began = time.perf_counter()
    async for raw in socket:
        now = time.perf_counter()
        frame: dict[str, Any] = json.loads(raw)
        if frame.get("id") == 1:
            if frame["type"] == "error":
                raise RuntimeError(frame["message"])
            stream = frame["stream"]
        elif frame["type"] == "token" and frame["stream"] == stream:
            # Each token that came is as late as the frame that it came in.
            arrivals += [(count + number, now) for number in range(frame["n"])]
            count += frame["n"]
        elif frame["type"] == "token":
            other += frame["n"]
        elif frame["type"] in ("complete", "error") and frame["stream"] == stream:
            break
    rate = float(model.partition("rate=")[2].partition(",")[0])
    offsets = [at - number / rate for number, at in arrivals]
    return Seen([(offset - min(offsets)) * 1000 for offset in offsets], other / (time.perf_counter() - began))


def _p99(values: list[float]) -> float:
    return sorted(values)[min(len(values) - 1, len(values) * 99 // 100)]


if __name__ == "__main__":
    main()
