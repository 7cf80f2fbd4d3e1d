"""From events of the log to frames of the wire: which are merged, which a subscriber does not see. Pure.

Only neighbours merge, and a frame's (prev, seq] holds nothing that it does not carry, except what is not for this
subscriber (PROTOCOL, "Order, gaps, merging").
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson

from streaming.log.script import LogEvent
from streaming.servers import Frame

# A frame that merges more text than this is split, so that no client must take one of any size.
MAX_MERGED_CHARS = 200_000
MERGED = ("token", "thought")


@dataclass(frozen=True, slots=True)
class View:
    """What a subscriber asked for. Sockets with equal views of a log get the same bytes."""

    flush_ms: int = 0
    buffer_size: int = 0
    show_thoughts: bool = False

    def sees(self, event: LogEvent) -> bool:
        return self.show_thoughts or event.type != "thought"


@dataclass(frozen=True, slots=True)
class Sent:
    """A frame, and the `seq` that a client has once it got it."""

    frame: Frame
    seq: int


def frame_of(event: dict[str, Any]) -> Frame:
    return Frame(orjson.dumps(event))


def wire_of(log: str, event: LogEvent) -> dict[str, Any]:
    """One event by itself, as the wire has it."""
    return _wire(log, event.seq - 1, [event])


def frames_of(log: str, told: int, events: Iterable[LogEvent], view: View) -> list[Sent]:
    """The frames that bring a client from `told` past `events`; none where it sees none of them."""
    frames: list[Sent] = []
    run: list[LogEvent] = []
    chars = 0

    def end_run() -> None:
        nonlocal told, chars
        if run:
            frames.append(Sent(frame_of(_wire(log, told, run)), run[-1].seq))
            told = run[-1].seq
            run.clear()
            chars = 0

    for event in events:
        if not view.sees(event):
            continue
        if run and not (_merges(run[-1], event) and chars < MAX_MERGED_CHARS):
            end_run()
        run.append(event)
        chars += len(event.data)
    end_run()
    return frames


def _merges(before: LogEvent, event: LogEvent) -> bool:
    return (
        event.type in MERGED
        and event.type == before.type
        and event.stream == before.stream
        and event.step == before.step
    )


def _wire(log: str, told: int, run: list[LogEvent]) -> dict[str, Any]:
    last = run[-1]
    wire: dict[str, Any] = {"type": last.type, "log": log, "seq": last.seq, "ts": last.ts}
    if told != last.seq - 1:
        wire["prev"] = told
    if last.stream:
        wire["stream"] = last.stream
    if last.type in MERGED:
        wire["data"] = last.data if len(run) == 1 else "".join([event.data for event in run])
        wire["n"] = last.n if len(run) == 1 else sum([event.n for event in run])
        if last.type == "thought":
            wire["step"] = last.step
    wire.update(last.body)
    return wire
