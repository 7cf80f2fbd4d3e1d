"""Whether what a client had at the end is what its scenario asks for. One judge for all clients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from typing import Any

from tests.contract.conformance.scenario import Ask, Scenario
from tests.contract.conformance.wire import Wire

TERMINAL = ("complete", "error")

Outcome = dict[str, Any]


def faults(
    scenario: Scenario, outcomes: Sequence[Outcome], said: Sequence[str], asked: Sequence[int], wire: Wire
) -> list[str]:
    """What is wrong, in words; nothing where all is as it should be. `said` is what the node says to each ask, `asked`
    how often it was asked.
    """
    if broken := next((each["broken"] for each in outcomes if "broken" in each), None):
        return [f"the client broke: {broken}"]
    found = [f"the wire never came to {each}" for each in wire.idle]
    for ask, outcome, whole, times in zip(scenario.asks, outcomes, said, asked, strict=True):
        found += _text(ask, outcome, whole)
        found += _ending(ask, outcome)
        if times != ask.asked:
            found.append(f"the node was asked {times} times")
        if outcome["events"] is not None:
            found += _order(ask, outcome["events"], one_epoch="forget" not in {rule.do for rule in scenario.wire})
    if wire.sent:
        found += [f"it sent no {each}" for each in scenario.sent if each not in wire.sent]
        found += _modes(scenario, wire)
    return found


def came_about(scenario: Scenario, wire: Wire) -> bool:
    """Whether all happened that the scenario is about. Where not, nothing is shown of the client, for good or for bad."""
    return not (wire.idle or (wire.sent and _modes(scenario, wire)))


def _modes(scenario: Scenario, wire: Wire) -> list[str]:
    return [
        f"no subscribe was answered with {each}" for each in scenario.modes if wire.modes.isdisjoint(each.split(" or "))
    ]


def _text(ask: Ask, outcome: Outcome, whole: str) -> Iterator[str]:
    texts = {"text": outcome["text"]}
    if outcome["events"] is not None:
        texts["text of the events"] = _text_of(outcome["events"])
    if outcome["pieces"] is not None:
        texts["text of the pieces"] = "".join(outcome["pieces"])
    for name, text in texts.items():
        if text is None:
            continue
        fits = {"whole": text == whole, "beginning": text != "" and whole.startswith(text), "none": text == ""}
        if not fits[ask.text]:
            alike = next(
                (n for n, pair in enumerate(zip(text, whole, strict=False)) if pair[0] != pair[1]),
                min(len(text), len(whole)),
            )
            yield f"the {name} ({len(text)}) is not {ask.text} ({len(whole)}): from {alike} on it is {text[alike:][:50]!r}"


def _text_of(events: Sequence[dict[str, Any]]) -> str:
    text = ""
    for event in events:
        if event["type"] == "reset" or (event["type"] == "error" and not event["partial"]):
            text = ""
        elif event["type"] == "token":
            text += event["data"]
    return text


def _ending(ask: Ask, outcome: Outcome) -> Iterator[str]:
    ended = outcome["error"] or outcome.get("ends")
    failed = ask.ends.isupper()
    if outcome["events"] is not None:
        terminal = [event for event in outcome["events"] if event["type"] in TERMINAL]
        if len(terminal) > 1 or (terminal and outcome["events"][-1] is not terminal[0]):
            yield f"{len(terminal)} terminal events, or something after one"
        if terminal:
            ended = terminal[0].get("finish_reason") or str(terminal[0]["code"]).upper()
    if ended != ask.ends:
        yield f"it ended in {ended}"
    if outcome["pieces"] is not None and outcome["pieces_error"] != (ask.ends if failed else None):
        yield f"who reads text was told {outcome['pieces_error']}"


def _order(ask: Ask, events: Sequence[dict[str, Any]], *, one_epoch: bool) -> Iterator[str]:
    durable = [event for event in events if event["type"] != "progress"]
    # What a snapshot has more than the client is told as events of one seq.
    if one_epoch and any(after["seq"] < before["seq"] for before, after in pairwise(durable)):
        yield "events out of order"
    kinds = tuple(kind for kind, _ in groupby(event["type"] for event in durable))
    if ask.kinds and kinds != ask.kinds:
        yield f"its events are {', '.join(kinds)}"
    tokens = [event for event in durable if event["type"] == "token"]
    if ask.merged and all(event["n"] <= 1 for event in tokens):
        yield "no event holds several tokens"
    if (
        durable
        and durable[-1]["type"] == "complete"
        and ask.text == "whole"
        and "reset" not in kinds
        and all(each["n"] for each in tokens)
    ):
        had, generated = sum(event["n"] for event in tokens), durable[-1]["usage"]["completion_tokens"]
        thoughts = sum(event["n"] for event in durable if event["type"] == "thought")
        if not ask.show_thoughts and "thought" in kinds:
            yield "thoughts that nobody asked for"
        # The thoughts that one is not shown are generated all the same.
        if had + thoughts != generated and (ask.show_thoughts or "thoughts" not in ask.model):
            yield f"{had} tokens and {thoughts} thoughts of {generated}"
