"""P8: a hit in the cache. The client's command → the first token, and → the whole answer; beside the same uncached."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import cycle
from typing import Any

from benchmarks import measure
from benchmarks.p7 import Wire
from benchmarks.process import TargetUnavailable, workshop
from benchmarks.run import Plan, Result
from benchmarks.targets.hanzo import Served, serve, versions
from benchmarks.targets.scripted_node import start as start_node

MODEL = "script-fast"
EXACT_MS, SEMANTIC_MS = 5.0, 15.0
# The same in all, so that one answers the other by meaning: what differs is the name, which the guard looks at.
ASKED, SIMILAR = "What is the capital of {}?", "What's the capital of {}?"
# A socket may send 200 commands at once and 100 a second: so many questions, of two commands each, may come at any speed.
QUESTIONS_PER_SOCKET = 80


@dataclass(frozen=True, slots=True)
class HitRow:
    """Milliseconds over `count` starts, one after the other. `limit` is for the p50 of the first token; 0 for none."""

    target: str
    title: str
    version: str
    count: int
    first_p50: float
    first_p99: float
    whole_p50: float
    whole_p99: float
    limit: float
    invalid: str

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


@dataclass(frozen=True, slots=True)
class Times:
    first: float
    whole: float
    cached: str | None


def _ask(wire: Wire, prompt: str, *, semantic: bool = False) -> Times:
    cache = {"enabled": True, "semantic": semantic}
    began = time.perf_counter()
    first, log = 0.0, ""
    wire.send(type="stream.start", model=MODEL, content=prompt, cache=cache)
    while True:
        match wire.next():
            case {"type": "token"}:
                first = first or time.perf_counter() - began
            case {"type": "ok", "log": log}:
                pass
            case {"type": "complete", "cached": cached}:
                whole = time.perf_counter() - began
                break
            case {"type": "error"} as error:
                raise TargetUnavailable(f"{error.get('code')}: {error.get('message')}")
    wire.send(type="unsubscribe", log=log)
    while wire.next()["type"] != "ok":
        pass
    return Times(first * 1000, whole * 1000, cached)


def _names(count: int) -> Iterator[str]:
    """Names that are no words: each is another question."""
    for number in range(count):
        yield "Z" + "".join(
            "bdfgklmnprstvz"[number // 14**place % 14] + "aeiou"[(number + place) % 5] for place in range(3)
        )


def _row(served_version: str, target: str, title: str, times: list[Times], how: str | None, limit: float) -> HitRow:
    wrong = sum(each.cached != how for each in times)
    first, whole = [each.first for each in times], [each.whole for each in times]
    return HitRow(
        target, title, served_version, len(times), measure.percentile(first, 0.5), measure.percentile(first, 0.99),
        measure.percentile(whole, 0.5), measure.percentile(whole, 0.99), limit,
        f"{wrong} of {len(times)} were answered in another way" if wrong else "",
    )  # fmt: skip


def _measured(served: Served, count: int) -> list[HitRow]:
    version = versions("daphne")
    sockets = math.ceil(3 * count / QUESTIONS_PER_SOCKET)
    with ExitStack() as open_ones:
        wires = cycle([open_ones.enter_context(Wire(served)) for _ in range(sockets)])
        for number in range(2 * sockets):  # on each socket, before anything is measured
            for prompt, semantic in ((ASKED, True), (SIMILAR, True), (ASKED, False)):
                _ask(next(wires), prompt.format(("Warmland", "Warmstan")[number % 2]), semantic=semantic)
        names = list(_names(count))
        missed = [_ask(next(wires), ASKED.format(name), semantic=True) for name in names]
        exact = [_ask(next(wires), ASKED.format(name)) for name in names]
        similar = [_ask(next(wires), SIMILAR.format(name), semantic=True) for name in names]
    return [
        _row(version, "hanzo-exact", "the same question", exact, "exact", EXACT_MS),
        _row(version, "hanzo-semantic", "a similar question", similar, "semantic", SEMANTIC_MS),
        _row(version, "hanzo-miss", "not in the cache: asked of the node", missed, None, 0.0),
    ]


def run(plan: Plan) -> Result:
    """All rows come of one server, so there are no targets to choose from."""
    count = 50 if plan.quick else 300
    plan.say(f"  {count} questions, three times …")
    with workshop() as shop:
        _, node_port = start_node(shop)
        rows = _measured(serve(shop, "daphne", node_port), count)
    return Result(
        part="P8",
        title="A hit in the cache: the client's command to the first token, and to the whole answer",
        setting=f"{count} questions, one after the other, over open WebSockets that take turns, on SQLite; answers of 256 tokens, which the scripted "
        "node sends as fast as it can",
        rows=[row.to_json() for row in rows],
    )
