"""What a fast stream costs its neighbour on the same socket: `python -m benchmarks.micro.neighbours`.

One socket of a whole server watches a slow stream, 20 tokens a second, first alone, then while a second stream of the same
socket writes as fast as the node can. How late each token of the slow one is, against the node's own schedule as its
earliest tokens show it; the target is that the neighbour adds no more than 50 ms. Not a test: nothing here passes or fails.
"""

from __future__ import annotations

import asyncio
import json
import time
from statistics import median
from typing import Any, Final, get_args

from websockets.asyncio.client import ClientConnection, connect

from benchmarks.process import workshop
from benchmarks.targets import hanzo, scripted_node

RATE: Final = 20
TOKENS: Final = 200
SLOW: Final = f"script-slow@rate={RATE},tokens={TOKENS}"
FAST: Final = "script-10k@tokens=200000"
# The first answers of a fresh server pay for what it loads.
WARM_UP: Final = "script-slow@rate=200,tokens=100"


def main() -> None:
    """Measure both and print the table."""
    for server in get_args(hanzo.Server):
        with workshop() as shop:
            _, node = scripted_node.start(shop)
            rows = asyncio.run(_measure(hanzo.serve(shop, server, node)))
            print(f"{server}: lateness of a token at {RATE} tokens/s, in ms")
            print(f"{'the slow stream':<24}{'p50':>8}{'p99':>8}{'most':>8}{'beside it, tokens/s':>24}")
            for name, (late, beside) in rows.items():
                print(f"{name:<24}{median(late):>8.1f}{_p99(late):>8.1f}{max(late):>8.1f}{beside:>24,.0f}")


async def _measure(served: hanzo.Served) -> dict[str, tuple[list[float], float]]:
    url = f"ws://127.0.0.1:{served.port}/v1/live"
    async with connect(url, additional_headers=served.headers, max_size=None, proxy=None, compression=None) as socket:
        await _slow(socket, WARM_UP)
        alone = await _slow(socket, SLOW)
        await socket.send(json.dumps({"id": 2, "type": "stream.start", "content": "run", "model": FAST}))
        beside = await _slow(socket, SLOW)
        return {"alone": alone, "beside a fast one": beside}


async def _slow(socket: ClientConnection, model: str) -> tuple[list[float], float]:
    """How late its tokens were, in ms, and how many tokens a second of other streams came meanwhile."""
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
    return [(offset - min(offsets)) * 1000 for offset in offsets], other / (time.perf_counter() - began)


def _p99(values: list[float]) -> float:
    return sorted(values)[min(len(values) - 1, len(values) * 99 // 100)]


if __name__ == "__main__":
    main()
