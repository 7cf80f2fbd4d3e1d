"""Which of several nodes is asked: the rules by themselves, and the breaker."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from streaming.node.configured import Where
from streaming.runner.breaker import FAILURES, FIRST_S, LONGEST_S, Breaker
from streaming.runner.choosing import Wish, best


@dataclass
class Seen:
    name: str
    where: Where = "local"
    weight: float = 1.0
    running: int = 0
    does_well: bool = True
    chosen_at: int = 0


def test_the_least_busy_by_weight_is_asked() -> None:
    small, large = Seen("small", weight=1, running=2), Seen("large", weight=4, running=6)
    assert best([small, large], Wish()) is large
    large.running = 12
    assert best([small, large], Wish()) is small


def test_equals_take_turns() -> None:
    nodes, order = [Seen("a"), Seen("b"), Seen("c")], count(1)
    asked: Counter[str] = Counter()
    for _ in range(9):
        node = best(nodes, Wish())
        node.chosen_at = next(order)
        asked[node.name] += 1
    assert asked == {"a": 3, "b": 3, "c": 3}


@given(st.lists(st.sampled_from([0.5, 1.0, 2.0, 4.0]), min_size=1, max_size=5), st.integers(0, 200))
def test_streams_are_shared_by_weight(weights: list[float], streams: int) -> None:
    nodes = [Seen(str(number), weight=weight) for number, weight in enumerate(weights)]
    for _ in range(streams):
        best(nodes, Wish()).running += 1
    for node in nodes:
        share = streams * node.weight / sum(weights)
        assert abs(node.running - share) <= len(nodes)


def test_one_that_does_badly_comes_last_and_is_asked_where_there_is_no_other() -> None:
    bad, busy = Seen("bad", does_well=False), Seen("busy", running=100)
    assert best([bad, busy], Wish()) is busy
    assert best([bad], Wish(avoid=("bad",))) is bad


def test_local_first_means_that_the_cloud_is_asked_when_nothing_local_does_well() -> None:
    local, cloud = Seen("local", running=50), Seen("cloud", where="cloud")
    assert best([local, cloud], Wish()) is cloud
    assert best([local, cloud], Wish(local_first=True)) is local
    assert best([local, cloud], Wish(local_first=True, avoid=("local",))) is cloud
    local.does_well = False
    assert best([local, cloud], Wish(local_first=True)) is cloud


def test_a_text_is_gone_on_with_where_it_began_unless_that_node_failed() -> None:
    first, second = Seen("first", running=5), Seen("second")
    assert best([first, second], Wish(began_on="first")) is first
    assert best([first, second], Wish(began_on="first", avoid=("first",))) is second


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_breaker_opens_after_failures_in_a_row_and_tries_with_one() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    for _ in range(FAILURES - 1):
        breaker.failed()
    breaker.succeeded()
    for _ in range(FAILURES):
        assert breaker.allows
        breaker.failed()
    assert not breaker.allows
    clock.now += FIRST_S
    assert breaker.allows
    breaker.begin()
    assert not breaker.allows  # while one tries
    breaker.failed()
    clock.now += FIRST_S
    assert not breaker.allows  # longer than the first time
    clock.now += LONGEST_S
    breaker.begin()
    breaker.succeeded()
    assert breaker.allows


def test_a_trial_that_tells_nothing_makes_room_for_another() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    for _ in range(FAILURES):
        breaker.failed()
    clock.now += FIRST_S
    breaker.begin()
    breaker.abandoned()
    assert breaker.allows


def test_a_node_that_says_how_long_is_left_alone_for_that_long() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    breaker.refused(10)
    assert not breaker.allows
    clock.now += 10
    assert breaker.allows
    breaker.refused(1e9)
    clock.now += LONGEST_S
    assert breaker.allows
