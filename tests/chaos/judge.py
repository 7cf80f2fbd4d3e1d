"""Whether all that people saw is what the database has, and that what the node said. One judge for every round."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hanzolive.nodes.scripted import expected_text
from tests.chaos.plan import Ask
from tests.chaos.viewers import Viewer
from tests.integration.client import Watched
from tests.integration.conftest import Room

TERMINAL = ("complete", "error")


@dataclass
class Asked:
    """A prompt, and the stream that answers it. `trespasses` are the codes that those got who may not stop it."""

    prompt: str
    ask: Ask
    stream: str
    trespasses: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Evidence:
    """What there is to judge of one session."""

    room: Room
    asked: list[Asked]
    viewers: list[Viewer]
    removed: list[Viewer]
    drafts: list[str]
    typed: list[Counter[str]]


async def faults_of(evidence: Evidence) -> list[str]:
    """What is wrong, in words; nothing where all is as it must be."""
    log = await evidence.room.stack.log(evidence.room.log)
    found = [*_database(evidence), *_log(evidence, log)]
    transcript = evidence.room.messages()
    for viewer in evidence.viewers:
        found += (f"{viewer}: {fault}" for fault in _viewer(evidence, viewer, transcript))
    for viewer in evidence.removed:
        found += (
            f"{viewer}, who was removed: {fault}"
            for fault in _removed(viewer, log, evidence.viewers[0].watched.position.epoch)
        )
    found += _draft(evidence)
    return found


def _database(evidence: Evidence) -> Iterator[str]:
    """The transcript against the node's own record."""
    transcript = evidence.room.messages()
    said = Counter(message["content"] for message in transcript if message["role"] == "user")
    for asked in evidence.asked:
        if said[asked.prompt] != 1:
            yield f"{asked.prompt!r} was said {said[asked.prompt]} times"
        if set(asked.trespasses) - {"forbidden"}:
            yield f"a viewer's stop was answered with {asked.trespasses}"
        replies = [message for message in transcript if message["stream"] == asked.stream]
        if len(replies) != 1:
            yield f"the transcript has {len(replies)} answers to {asked.prompt!r}"
            continue
        (reply,) = replies
        whole = _expected(evidence.room, asked)
        if reply["status"] == "complete":
            if reply["content"] != whole:
                yield f"the answer to {asked.prompt!r} is not what the node said: {_first_difference(reply['content'], whole)}"
        elif not whole.startswith(reply["content"]):
            yield f"the answer to {asked.prompt!r} does not begin as the node's: {_first_difference(reply['content'], whole)}"
        if asked.ask.stopped_at is None and reply["status"] == "stopped":
            yield f"the answer to {asked.prompt!r} was stopped by nobody"


def _expected(room: Room, asked: Asked) -> str:
    """By the node's record of what it was asked; the last time where tools have answered by then."""
    requests = room.stack.node.requests(asked.prompt)
    if not requests:
        return ""
    request = requests[-1 if asked.ask.approved is not None else 0]
    return expected_text(request["requested_model"], request["messages"])


def _log(evidence: Evidence, log: list[dict[str, Any]]) -> Iterator[str]:
    before = 0
    for event in log:
        if event.get("seq") is None:
            continue
        if event["seq"] <= before:
            yield f"the log's seq {event['seq']} comes after {before}"
        before = event["seq"]
    for asked in evidence.asked:
        ends = [event for event in log if event["type"] in TERMINAL and event.get("stream") == asked.stream]
        # A new epoch begins with a snapshot, in which older ends are.
        if len(ends) > 1 or (not ends and log and log[0].get("seq") == 1):
            yield f"the log has {len(ends)} ends of the answer to {asked.prompt!r}"


def _viewer(evidence: Evidence, viewer: Viewer, transcript: list[dict[str, Any]]) -> Iterator[str]:
    watched = viewer.watched
    if viewer.broken is not None:
        yield f"broke: {viewer.broken!r}"
    if viewer.lost is not None:
        yield f"was put out with {viewer.lost}"
    if watched.gaps:
        yield f"had {watched.gaps} gaps"
    # Thoughts and tools of an answer that is watched are in its stream; the message has them once it is asked for.
    mine, theirs = (
        [{**message, "parts": []} for message in messages] for messages in (watched.state.transcript, transcript)
    )
    if mine != theirs:
        yield f"has another transcript than the database: {_other_message(mine, theirs)}"
    for asked in evidence.asked:
        parts = [part for message in transcript if message["stream"] == asked.stream for part in message["parts"]]
        yield from _stream(watched, asked, [part["text"] for part in parts if part["type"] == "thought"])


def _stream(watched: Watched, asked: Asked, thoughts: list[str]) -> Iterator[str]:
    kinds = [event["type"] for event in watched.applied if event.get("stream") == asked.stream]
    ends = [n for n, kind in enumerate(kinds) if kind in TERMINAL]
    if len(ends) > 1:
        yield f"had {len(ends)} ends of the answer to {asked.prompt!r}"
    if ends and set(kinds[ends[0] + 1 :]) & {"token", "thought", "tool_call", "tool_result", "reset", "stream_start"}:
        yield f"had {kinds[ends[0] + 1 :]} after the end of the answer to {asked.prompt!r}"
    shown = watched.state.streams.get(asked.stream)
    if shown is None:
        return
    if shown.content != (content := watched.reply(asked.stream)["content"]):
        yield f"shows another text than the message: {_first_difference(shown.content, content)}"
    if shown.thoughts and shown.thoughts != thoughts:
        yield f"shows other thoughts than the message: {_first_difference(*map(str, (shown.thoughts, thoughts)))}"


def _removed(viewer: Viewer, log: list[dict[str, Any]], epoch: str | None) -> Iterator[str]:
    if viewer.broken is not None:
        yield f"broke: {viewer.broken!r}"
    if viewer.lost is None:
        yield "was not put out"
    last = next(
        (
            e["seq"]
            for e in log
            if e["type"] == "member" and e["action"] == "removed" and e["user"]["id"] == viewer.person.id
        ),
        None,
    )
    seen = max((frame["seq"] for frame in viewer.watched.applied if frame.get("seq") is not None), default=0)
    # Of a Redis that forgot, the log begins again: seqs of another epoch say nothing.
    if last is not None and viewer.watched.position.epoch == epoch and seen > last:
        yield f"saw seq {seen}, after the removal at {last}"


def _draft(evidence: Evidence) -> Iterator[str]:
    if len(set(evidence.drafts)) > 1:
        yield f"the editors have different drafts: {evidence.drafts}"
    for draft in evidence.drafts[:1]:
        typed = sum(evidence.typed, Counter[str]())
        if Counter(draft) != typed:
            yield f"the draft {draft!r} lacks {dict(typed - Counter(draft))} and has {dict(Counter(draft) - typed)} too much"


def _first_difference(text: str, whole: str) -> str:
    alike = next((n for n, (a, b) in enumerate(zip(text, whole, strict=False)) if a != b), min(len(text), len(whole)))
    return f"{len(text)} and {len(whole)} letters; from {alike} on {text[alike:][:40]!r}, not {whole[alike:][:40]!r}"


def _other_message(mine: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> str:
    if len(mine) != len(theirs):
        return f"{len(mine)} messages, not {len(theirs)}"
    for one, other in zip(mine, theirs, strict=True):
        if differing := [key for key in other if one.get(key) != other[key]]:
            key = differing[0]
            return f"{key} of message {other['n']}: {str(one.get(key))[:200]!r}, not {str(other[key])[:200]!r}"
    return "the order"
