"""In which order those who wait get their turn: people in turn, each person's sessions in turn, in each the oldest first.

Pure. Whoever was served, and whoever comes, stands behind all who wait already, so that each is passed by every other
once at most: a thousand prompts of one person keep nobody else waiting for more than one of them.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from heapq import heapify, heappop, heapreplace
from uuid import UUID

Owner = UUID | None
"""A person; None stands for all who are not signed in."""

Served = Mapping[tuple[Owner, UUID | None], datetime]
"""When a person last got a turn in a session (None: outside of one); what is not in it was too long ago to matter."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One stream that waits, since `since`."""

    stream: UUID
    owner: Owner
    session: UUID | None
    since: datetime


# A place in the queue: a moment, or after all moments a turn of this very calculation. The third part is for equals.
Place = tuple[bool, datetime | int, str]


class _Line:
    """Those of one person in one session, the oldest first."""

    def __init__(self, streams: Iterable[Waiting], served: datetime | None, name: str) -> None:
        self.streams = deque(sorted(streams, key=lambda each: (each.since, each.stream)))
        since = self.streams[0].since
        self.place: Place = (False, max(since, served) if served else since, name)
        self.name = name


class _Person:
    """All lines of one person; the one whose turn it is at the front of a heap."""

    def __init__(self, lines: list[_Line], served: datetime | None, name: str) -> None:
        self.lines = [(line.place, number, line) for number, line in enumerate(lines)]
        heapify(self.lines)
        since = min(line.streams[0].since for line in lines)
        self.place: Place = (False, max(since, served) if served else since, name)
        self.name = name

    def serve(self, turn: int) -> Waiting:
        _, number, line = self.lines[0]
        stream = line.streams.popleft()
        if line.streams:
            heapreplace(self.lines, ((True, turn, line.name), number, line))
        else:
            heappop(self.lines)
        return stream


def in_turn(waiting: Iterable[Waiting], served: Served) -> list[Waiting]:
    """Everybody who waits, whose turn is first at the front."""
    grouped: dict[Owner, dict[UUID | None, list[Waiting]]] = defaultdict(lambda: defaultdict(list))
    for each in waiting:
        grouped[each.owner][each.session].append(each)
    last: dict[Owner, datetime] = {}
    for (owner, _), moment in served.items():
        last[owner] = max(moment, last.get(owner, moment))
    people = []
    for number, (owner, sessions) in enumerate(grouped.items()):
        lines = [
            _Line(streams, served.get((owner, session)), str(session or "")) for session, streams in sessions.items()
        ]
        person = _Person(lines, last.get(owner), str(owner or ""))
        people.append((person.place, number, person))
    heapify(people)
    order: list[Waiting] = []
    while people:
        _, number, person = people[0]
        order.append(person.serve(len(order)))
        if person.lines:
            heapreplace(people, ((True, len(order), person.name), number, person))
        else:
            heappop(people)
    return order
