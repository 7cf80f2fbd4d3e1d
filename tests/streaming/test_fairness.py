"""Whose turn it is: for all who come and all times at which there is room."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from streaming.fairness import Owner, Waiting, in_turn

START = datetime(2026, 1, 1, tzinfo=UTC)
ANN, BOB, CYD = (UUID(int=number) for number in (1, 2, 3))
ROOM, HALL = UUID(int=10), UUID(int=11)


def at(second: int) -> datetime:
    return START + timedelta(seconds=second)


def stream(number: int, owner: Owner, session: UUID | None = None, since: int | None = None) -> Waiting:
    return Waiting(UUID(int=1000 + number), owner, session, at(number if since is None else since))


def numbers(order: list[Waiting]) -> list[int]:
    return [each.stream.int - 1000 for each in order]


def test_people_take_turns_however_many_prompts_one_has() -> None:
    flood = [stream(number, ANN) for number in range(5)]
    assert numbers(in_turn([*flood, stream(10, BOB), stream(11, BOB)], {})) == [0, 10, 1, 11, 2, 3, 4]


def test_a_persons_sessions_take_turns() -> None:
    alone = [stream(number, ANN) for number in range(3)]
    assert numbers(in_turn([*alone, stream(5, ANN, ROOM), stream(6, ANN, HALL)], {})) == [0, 5, 6, 1, 2]


def test_who_was_served_stands_behind_who_waits() -> None:
    waiting = [stream(0, ANN), stream(1, BOB)]
    assert numbers(in_turn(waiting, {(ANN, None): at(2)})) == [1, 0]
    # What was long before they began to wait counts no more.
    assert numbers(in_turn([stream(5, ANN), stream(6, BOB)], {(ANN, None): at(2)})) == [5, 6]


def test_those_without_an_account_are_one_person() -> None:
    nameless = [stream(number, None) for number in range(3)]
    assert numbers(in_turn([*nameless, stream(7, CYD)], {})) == [0, 7, 1, 2]


OWNERS = st.sampled_from([None, ANN, BOB, CYD])
SESSIONS = st.sampled_from([None, ROOM, HALL])
STEPS = st.lists(st.one_of(st.tuples(OWNERS, SESSIONS), st.just("serve")), max_size=60)


@given(STEPS)
def test_the_order_is_one_of_all_who_wait_and_each_line_keeps_its_own(steps: list[object]) -> None:
    waiting = [stream(number, *step) for number, step in enumerate(steps) if isinstance(step, tuple)]
    order = in_turn(reversed(waiting), {})
    assert sorted(numbers(order)) == sorted(numbers(waiting))
    for line in {(each.owner, each.session) for each in waiting}:
        mine = [each.since for each in order if (each.owner, each.session) == line]
        assert mine == sorted(mine)


@given(STEPS)
def test_nobody_is_passed_twice_by_the_same_person_nor_by_the_same_session_of_their_own(steps: list[object]) -> None:
    """Whatever comes while they wait. So nobody starves: the wait is bounded by how many people there are."""
    waiting: list[Waiting] = []
    served: dict[tuple[Owner, UUID | None], datetime] = {}
    passed_by: dict[Owner, Counter[Owner]] = {}
    passed_in: dict[tuple[Owner, UUID | None], Counter[UUID | None]] = {}
    for now, step in enumerate([*steps, *["serve"] * len(steps)]):
        if isinstance(step, tuple):
            owner, session = step
            waiting.append(stream(now, owner, session))
            passed_by.setdefault(owner, Counter())
            passed_in.setdefault((owner, session), Counter())
        elif waiting:
            order = in_turn(waiting, served)
            first = order[0]
            waiting.remove(first)
            served[first.owner, first.session] = at(now)
            passed_by.pop(first.owner, None)
            passed_in.pop((first.owner, first.session), None)
            for person, by in passed_by.items():
                by[first.owner] += 1
                assert by[first.owner] == 1, f"{person} was passed twice by {first.owner}"
            for (person, session), within in passed_in.items():
                if person == first.owner:
                    within[first.session] += 1
                    assert within[first.session] == 1, f"{session} was passed twice by {first.session}"
            if any(each.owner == first.owner for each in waiting):
                passed_by[first.owner] = Counter()
            if any((each.owner, each.session) == (first.owner, first.session) for each in waiting):
                passed_in[first.owner, first.session] = Counter()
    assert waiting == []


@given(STEPS, st.integers(1, 5))
def test_giving_one_by_one_is_giving_several_at_once(steps: list[object], several: int) -> None:
    """What is told as positions is what happens, as long as nobody else comes."""
    waiting = [stream(number, *step) for number, step in enumerate(steps) if isinstance(step, tuple)]
    foretold = in_turn(waiting, {})
    served: dict[tuple[Owner, UUID | None], datetime] = {}
    happened: list[Waiting] = []
    now = 1000
    while waiting:
        for each in in_turn(waiting, served)[:1]:
            waiting.remove(each)
            served[each.owner, each.session] = at(now)
            happened.append(each)
            now += 1
    assert numbers(happened[:several]) == numbers(foretold[:several])
    assert numbers(happened) == numbers(foretold)
