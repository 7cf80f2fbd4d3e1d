"""P10: 50 people who move their cursors 30 times a second in one session, on one web process, and all see all of it."""

from __future__ import annotations

import dataclasses
import json
import time
from dataclasses import dataclass
from typing import Any

from benchmarks import measure
from benchmarks.cursors import lags_within
from benchmarks.fanout import GENERATOR_LIMIT
from benchmarks.lines import Helper
from benchmarks.process import Workshop, workshop
from benchmarks.run import Plan, Result
from benchmarks.targets import CURSORS
from benchmarks.targets.base import CursorsRunning, CursorTarget
from benchmarks.task import CrowdTask


@dataclass(frozen=True, slots=True)
class Movement:
    """What is done at a target."""

    people: int = 50
    rate: float = 30.0  # moves a second of each
    warm: float = 2.0  # seconds before the window
    window: float = 15.0  # seconds measured
    drain: float = 5.0  # seconds given for the last positions to arrive
    sample: int = 10  # people whose view of the others is timed


@dataclass(frozen=True, slots=True)
class CursorRow:
    """What came of it. Times in ms; shares of a core."""

    target: str
    title: str
    version: str
    people: int
    rate: float
    seconds: float
    moves_per_second: float  # made, all people together
    frames_per_second: float  # that tell of people, received by each
    frames_most: float  # the same, by whoever received most
    others_per_second: float  # every other frame received by each: replies to their moves, heartbeats
    changes_per_frame: float
    bytes_per_second: float  # received by each
    p50: float
    p99: float
    missing: int  # timed moves that never came, nor a later one; with any, p50 and p99 are lower bounds
    right: int  # (viewer, other person) whose last known position is the last one sent
    pairs: int
    server_share: float
    broker_share: float
    generator_share: float
    server_rss: int
    late: float  # the generator behind its schedule, at most
    invalid: str

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def measure_target(target: CursorTarget, movement: Movement) -> CursorRow:
    """Starts `target` in a scratch folder, measures it, ends it."""
    with workshop() as shop:
        return _measure(target, target.start(shop, movement.people), movement, shop)


def _measure(target: CursorTarget, running: CursorsRunning, movement: Movement, shop: Workshop) -> CursorRow:
    lags_file = shop.folder / "lags.json"
    task = CrowdTask(
        viewer=running.viewer,
        people=running.people,
        session=running.session,
        dialect=running.dialect,
        rate=movement.rate,
        sample=movement.sample,
        lags_file=str(lags_file),
        server_pids=running.server_pids,
        broker_pids=running.broker_pids,
    )
    crowd = Helper.start(shop, "crowd", "crowd", task.to_json(), {})
    crowd.hear("connected", 60)
    crowd.tell("go")
    time.sleep(movement.warm)
    crowd.tell("mark")
    before = crowd.hear("mark", 30)
    time.sleep(movement.window)
    crowd.tell("mark")
    after = crowd.hear("mark", 30)
    crowd.tell({"stop": movement.drain})
    result = crowd.hear("result", movement.drain + 30)
    found = json.loads(lags_file.read_text())
    lags = lags_within(found["told"], found["untold"], before["time"], after["time"], result["ended"])
    return row(target, running.version, movement, before, after, result, *lags)


def row(
    target: CursorTarget,
    version: str,
    movement: Movement,
    before: dict[str, Any],
    after: dict[str, Any],
    result: dict[str, Any],
    lags: list[float],
    missing: int,
) -> CursorRow:
    """The figures, from the generator's two marks and its result."""
    seconds = after["time"] - before["time"]
    each = movement.people * seconds
    frames = [then - now for then, now in zip(after["frames"], before["frames"], strict=True)]

    def gained(name: str) -> float:
        return float(after[name] - before[name])

    generator_share = gained("own_cpu") / seconds
    return CursorRow(
        target=target.name,
        title=target.title,
        version=version,
        people=movement.people,
        rate=movement.rate,
        seconds=seconds,
        moves_per_second=gained("made") / seconds,
        frames_per_second=sum(frames) / each,
        frames_most=max(frames) / seconds,
        others_per_second=gained("others") / each,
        changes_per_frame=gained("changes") / max(1, sum(frames)),
        bytes_per_second=gained("bytes") / each,
        p50=measure.percentile(lags, 0.5),
        p99=measure.percentile(lags, 0.99),
        missing=missing,
        right=result["right"],
        pairs=result["pairs"],
        server_share=gained("server_cpu") / seconds,
        broker_share=gained("broker_cpu") / seconds,
        generator_share=generator_share,
        server_rss=after["server_rss"],
        late=result["late"] * 1000,
        invalid=_why_invalid(generator_share, gained("made") / seconds, result, movement),
    )


def _why_invalid(generator_share: float, moves: float, result: dict[str, Any], movement: Movement) -> str:
    wanted = movement.people * movement.rate
    reasons = []
    if generator_share > GENERATOR_LIMIT:
        reasons.append(f"generator-bound ({generator_share:.0%} of a core)")
    if moves < 0.95 * wanted:
        reasons.append(f"moves slower than asked ({moves:.0f} of {wanted:.0f}/s)")
    if result["lost"]:
        reasons.append(f"{result['lost']} sockets closed by the server")
    if result["refused"]:
        reasons.append(f"{result['refused']} moves refused")
    return "; ".join(reasons)


def run(plan: Plan) -> Result:
    """Every target of P10 that runs here."""
    movement = Movement(window=5) if plan.quick else Movement()
    cost = movement.warm + movement.window + movement.drain + 12
    rows, left_out = plan.each(CURSORS, cost, lambda target: measure_target(target, movement))
    return Result(
        part="P10",
        title="Cursors: everybody sees where everybody is",
        setting=f"{movement.people} people in one session on one web process, each moving {movement.rate:.0f} times a "
        f"second and watching all others; {movement.window:.0f} s measured after {movement.warm:.0f} s of warming up",
        rows=[each.to_json() for each in rows],
        left_out=left_out,
    )
