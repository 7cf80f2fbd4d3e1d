"""P4: the first token. Client's command → its first token, less the node's own: idle, and while 100 other streams run."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from benchmarks import measure
from benchmarks.lines import Helper
from benchmarks.process import TargetUnavailable, Workshop, workshop
from benchmarks.run import Plan, Result
from benchmarks.targets import ASK
from benchmarks.targets.base import AskRunning, AskTarget
from benchmarks.targets.scripted_node import start as start_node

PROBE, RUNNING = "bench-probe", "bench-running"
PROBE_SCRIPT = "script-fast@tokens=4,rate=200"
RUNNING_RATE = 20
QUICK = frozenset({"node", "hanzo", "litellm"})
PATIENCE = 10.0  # seconds; a start whose answer is not there by then counts as this long


@dataclass(frozen=True, slots=True)
class Asks:
    """How much is asked."""

    idle: int  # starts, one after the other
    loaded: int  # starts while the others run
    others: int = 100  # streams that run meanwhile
    interval: float = 0.1  # seconds from start to start while they run
    ramp: float = 5.0  # seconds over which the others start

    @property
    def running_script(self) -> str:
        """An answer long enough to outlast the measurement."""
        seconds = self.ramp * 2 + self.loaded * self.interval + 60
        return f"script-slow@rate={RUNNING_RATE},tokens={round(seconds * RUNNING_RATE)}"


@dataclass(frozen=True, slots=True)
class Firsts:
    """Percentiles of the first token in ms, and of what is added to the node's own."""

    count: int
    late: int  # starts that count as PATIENCE, for their answers took longer
    p50: float
    p99: float
    added_p50: float | None = None
    added_p99: float | None = None


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was seen while the other streams ran."""

    firsts: list[float | None]
    begun: int  # other streams that had a token when the starts began
    tokens: float  # a second, the others together
    cpu: float  # share of a core, the target's processes together


@dataclass(frozen=True, slots=True)
class AskRow:
    """What came of one target."""

    target: str
    title: str
    version: str
    idle: Firsts
    loaded: Firsts | None
    others: int
    others_tokens: float  # tokens a second that the other streams received together, while starts arrived
    cpu_share: float  # of a core, the target's processes together, meanwhile
    invalid: str
    note: str
    samples: dict[str, list[float | None]] = dataclasses.field(default_factory=dict)  # first tokens in ms, in order

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def measure_target(target: AskTarget, asks: Asks) -> AskRow:
    """Starts a node and the target before it, asks, ends both."""
    with workshop() as shop:
        _, node_port = start_node(shop)
        running = target.start(shop, node_port, {PROBE: PROBE_SCRIPT, RUNNING: asks.running_script})
        _probe(shop, running, "warm", 8, 0)
        idle = _probe(shop, running, "idle", asks.idle, 0)
        try:
            loaded = _loaded(shop, running, asks)
        except TargetUnavailable as error:
            row = _row(target, running, asks, idle, None)
            return dataclasses.replace(row, note=f"under load it gave no figures: {str(error).splitlines()[0]}")
        return _row(target, running, asks, idle, loaded)


def _probe(shop: Workshop, running: AskRunning, name: str, count: int, interval: float) -> list[float | None]:
    task = {
        "role": "probe",
        "name": name,
        "place": dataclasses.asdict(running.place),
        "model": running.models[PROBE],
        "count": count,
        "interval": interval,
        "patience": PATIENCE,
    }
    prober = Helper.start(shop, "asker", f"probe-{name}", task, {})
    first: list[float | None] = prober.hear("probed", 2 * PATIENCE + count * max(interval, 0.3))["first"]
    return first


def _loaded(shop: Workshop, running: AskRunning, asks: Asks) -> Loaded:
    task = {
        "role": "load",
        "place": dataclasses.asdict(running.place),
        "model": running.models[RUNNING],
        "streams": asks.others,
        "ramp": asks.ramp,
        "patience": PATIENCE,
    }
    others = Helper.start(shop, "asker", "load", task, {})
    begun = int(others.hear("loaded", asks.ramp + 2 * PATIENCE)["begun"])
    before = measure.cpu_seconds(running.pids)
    firsts = _probe(shop, running, "loaded", asks.loaded, asks.interval)
    cpu = measure.cpu_seconds(running.pids) - before
    others.tell("end")
    tokens = float(others.hear("received", 10)["tokens_per_second"])
    return Loaded(firsts, begun, tokens, cpu / (asks.loaded * asks.interval))


def _row(target: AskTarget, running: AskRunning, asks: Asks, idle: list[float | None], loaded: Loaded | None) -> AskRow:
    return AskRow(
        target=target.name,
        title=target.title,
        version=running.version,
        idle=_firsts(idle),
        loaded=_firsts(loaded.firsts) if loaded else None,
        others=asks.others,
        others_tokens=loaded.tokens if loaded else 0.0,
        cpu_share=loaded.cpu if loaded else 0.0,
        invalid="",
        note=_note(loaded, asks) if loaded else "",
        samples={"idle": idle, "loaded": loaded.firsts if loaded else []},
    )


def _note(loaded: Loaded, asks: Asks) -> str:
    """What a reader must know who compares the row with others."""
    wanted, notes = asks.others * RUNNING_RATE, []
    if loaded.begun < asks.others:
        notes.append(
            f"only {loaded.begun} of {asks.others} other streams had a token {PATIENCE:.0f} s after the last start"
        )
    if loaded.tokens < 0.9 * wanted:
        notes.append(f"the other streams got {loaded.tokens:.0f} of their {wanted} tokens/s")
    if late := loaded.firsts.count(None):
        notes.append(
            f"{late} of {len(loaded.firsts)} starts were not answered within {PATIENCE:.0f} s and count as that"
        )
    return "; ".join(notes)


def _firsts(answers: list[float | None]) -> Firsts:
    values = [PATIENCE * 1000 if first is None else first for first in answers]
    return Firsts(len(values), answers.count(None), measure.percentile(values, 0.5), measure.percentile(values, 0.99))


def less_the_node(rows: list[AskRow]) -> list[AskRow]:
    """The rows with what each adds: less the *median* of the node asked directly under the same load.

    The median also for the p99: taking the node's own p99 away would let a slow moment of the node pay for one of ours.
    """
    node = next((row for row in rows if row.target == "node"), None)
    if node is None:
        return rows

    def added(firsts: Firsts | None, base: Firsts | None) -> Firsts | None:
        if firsts is None or base is None:
            return firsts
        return dataclasses.replace(firsts, added_p50=firsts.p50 - base.p50, added_p99=firsts.p99 - base.p50)

    return [
        row
        if row is node
        else dataclasses.replace(
            row, idle=added(row.idle, node.idle) or row.idle, loaded=added(row.loaded, node.loaded)
        )
        for row in rows
    ]


def run(plan: Plan) -> Result:
    """Every target of P4 that runs here."""
    asks = Asks(idle=30, loaded=40, ramp=3) if plan.quick else Asks(idle=200, loaded=200)
    cost = 20 + asks.idle * 0.06 + asks.ramp + asks.loaded * asks.interval
    rows, left_out = plan.each(ASK, cost, lambda target: measure_target(target, asks), QUICK)
    return Result(
        part="P4",
        title="First token: the client's command to its first token, less the node's own",
        setting=f"{asks.idle} starts one after the other; then {asks.loaded} starts, one every "
        f"{asks.interval * 1000:.0f} ms, while {asks.others} streams run at {RUNNING_RATE} tokens/s",
        rows=[row.to_json() for row in less_the_node(rows)],
        left_out=left_out,
    )
