"""Logs as a session may write them, and the frames that a server may make of them. For property tests.

The server is free where the contract leaves it free: which neighbours it merges, and where it cuts.
"""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from hanzo_live.protocol import validate_event

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""These tests say nothing about time, and the machine may be busy."""

LOG = "session:s"
EPOCH = "e1"
Frame = dict[str, Any]

USER = {"id": "u1", "name": "Ada", "avatar": None}
USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3, "estimated": False}
TEXT = st.text(st.sampled_from("ab é\n"), min_size=1, max_size=4)


def message(n: int, *, stream: str | None) -> Frame:
    """A person's message, or the empty one of a reply."""
    return {
        "id": f"m{n}",
        "n": n,
        "role": "assistant" if stream else "user",
        "content": "" if stream else f"question {n}",
        "parts": [],
        "user": USER,
        "stream": stream,
        "status": "queued" if stream else "complete",
        "finish_reason": None,
        "key": None,
        "created_at": "2026-11-23T15:04:05Z",
    }


@st.composite
def _answer(draw: st.DrawFn, number: int) -> list[Frame]:
    """The events of one stream: announced, begun, written (and perhaps begun again), ended (or not yet)."""
    stream, reply = f"r{number}", f"m{2 * number + 2}"
    events: list[Frame] = [
        {"type": "message", "message": message(2 * number + 1, stream=None)},
        {"type": "message", "message": message(2 * number + 2, stream=stream)},
    ]
    start = {"message": reply, "model": "m", "requested_model": None, "user": USER, "node": "local", "cached": None}
    events.append({"type": "stream_start", "stream": stream, **start})
    for kind in draw(st.lists(st.sampled_from(["token"] * 5 + ["thought"] * 3 + ["tool", "reset"]), max_size=14)):
        if kind == "token":
            events.append({"type": "token", "stream": stream, "data": draw(TEXT), "n": 1})
        elif kind == "thought":
            step = draw(st.integers(0, 2))
            events.append({"type": "thought", "stream": stream, "step": step, "data": draw(TEXT), "n": 1})
        elif kind == "reset":
            events.append({"type": "reset", "stream": stream, "reason": "lost"})
        else:
            events.extend(draw(_tool_call(stream, f"c{len(events)}")))
    events.extend(draw(st.sampled_from(_endings(stream, reply))))
    return events


@st.composite
def _tool_call(draw: st.DrawFn, stream: str, id: str) -> list[Frame]:
    call = {"type": "tool_call", "stream": stream, "call": id, "tool": "t"}
    deltas = [{**call, "args_delta": part, "status": "streaming"} for part in ('{"q"', ": 1}")]
    asked = {**call, "args": {"q": 1}, "status": draw(st.sampled_from(["awaiting_approval", "running", "denied"]))}
    outcome = draw(st.sampled_from([{"result": {"x": 1}}, {"error": "no"}]))
    done = {"type": "tool_result", "stream": stream, "call": call["call"], **outcome}
    return [*deltas, asked, done][: draw(st.integers(1, 4))]


def _endings(stream: str, reply: str) -> list[list[Frame]]:
    complete = {
        "type": "complete",
        "stream": stream,
        "stopped_by": None,
        "usage": USAGE,
        "duration_ms": 5,
        "first_token_ms": 1,
        "tokens_per_second": None,
        "cached": None,
        "similarity": None,
        "message": reply,
        "thoughts_ms": [3.5, 0.0],
    }
    error = {"type": "error", "stream": stream, "code": "node_error", "message": "Failed.", "retryable": True}
    late = {"type": "token", "stream": stream, "data": "late", "n": 1}
    return [
        [],
        [{**complete, "finish_reason": "stop"}],
        [{**complete, "finish_reason": "stopped", "stopped_by": USER}],
        [{**error, "partial": True, "usage": USAGE}],
        [{**error, "partial": False, "usage": None}],
        [{**complete, "finish_reason": "stop"}, late],
    ]


@st.composite
def logs(draw: st.DrawFn) -> list[Frame]:
    """A whole log, numbered from 1: up to three streams one after another or mingled, and people coming and going."""
    answers = [draw(_answer(number)) for number in range(draw(st.integers(1, 3)))]
    people: list[Frame] = [
        {"type": "member", "action": "joined", "user": {**USER, "id": f"u{each}"}, "role": "editor"}
        for each in range(draw(st.integers(0, 2)))
    ]
    others = [
        *people,
        *[{"type": "member", "action": "removed", "user": person["user"], "role": None} for person in people[:1]],
        {"type": "session", "session": {"title": draw(TEXT)}},
    ]
    queues = [queue for queue in [*answers, others] if queue]
    if not draw(st.booleans()):
        queues = [[event for queue in queues for event in queue]]
    log: list[Frame] = []
    while queues:
        queue = queues[draw(st.integers(0, len(queues) - 1))]
        log.append({**queue.pop(0), "log": LOG, "seq": len(log) + 1, "ts": 1000 + len(log)})
        queues = [queue for queue in queues if queue]
    for event in log:
        validate_event(event, exact=True)
    return log


@st.composite
def frames(draw: st.DrawFn, log: list[Frame], *, after: int = 0, thoughts: bool = True) -> list[Frame]:
    """What a server may send of `log` after `after`: neighbours merged or not, thoughts left out or not."""
    made: list[Frame] = []
    have = after
    for event in log[after:]:
        if event["type"] == "thought" and not thoughts:
            continue
        last = made[-1] if made else None
        if last and last["seq"] == have and _mergeable(last, event) and draw(st.booleans()):
            prev = last.get("prev", last["seq"] - 1)
            merged = {"data": last["data"] + event["data"], "n": last["n"] + event["n"]}
            made[-1] = {**event, **merged, "prev": prev}
        elif have == event["seq"] - 1:
            made.append(event)
        else:
            made.append({**event, "prev": have})
        have = event["seq"]
    for frame in made:
        validate_event(frame, exact=True)
    return made


def _mergeable(one: Frame, other: Frame) -> bool:
    same = all(one.get(name) == other.get(name) for name in ("type", "stream", "step"))
    return same and one["type"] in {"token", "thought"}


def seen(log: list[Frame], *, thoughts: bool) -> list[Frame]:
    """The part of `log` that is for a subscriber."""
    return [event for event in log if thoughts or event["type"] != "thought"]
