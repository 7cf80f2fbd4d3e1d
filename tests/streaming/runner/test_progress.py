"""How far a stream is: in the contract's shape, counted, and expected only on a ground."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hanzo_live.protocol.events import ProgressEvent
from streaming.log.script import Entry
from streaming.runner.answer import Answer
from streaming.runner.lengths import Length
from streaming.runner.progress import GROUND, MAX_TELLING, Progress
from streaming.tools.specs import Told

ALIKE = [Length(100)] * GROUND


def event_of(body: dict[str, Any]) -> ProgressEvent:
    return ProgressEvent.model_validate({"type": "progress", "log": "stream:s", **body})


def told(answer: Answer, first_at: float | None, progress: Progress | None = None, now: float = 12.0) -> ProgressEvent:
    return event_of((progress or Progress("s", 100)).body(answer, now, first_at))


def written(tokens: int) -> Answer:
    answer = Answer("s")
    answer.apply(Entry("token", "s", "so", tokens))
    return answer


def expecting(lengths: list[Length], limit: int | None = None) -> Progress:
    progress = Progress("s", limit)
    progress.expect(lengths)
    return progress


def test_it_says_that_the_node_is_waited_for() -> None:
    event = told(Answer("s"), None)
    assert (event.tokens, event.phase, event.tokens_per_second, event.percent) == (0, "waiting", None, None)


def test_it_says_what_the_model_does_and_how_fast() -> None:
    answer = Answer("s")
    answer.apply(Entry("thought", "s", "hm", 11))
    assert told(answer, 10.0).phase == "thinking"
    answer.apply(Entry("token", "s", "so", 10))
    event = told(answer, 10.0)
    assert (event.phase, event.tokens, event.tokens_per_second, event.total) == ("answering", 21, 10.0, 100)


def test_it_tells_the_speed_of_the_last_seconds() -> None:
    progress, answer = expecting([]), Answer("s")
    for second in range(1, 9):
        answer.apply(Entry("token", "s", "so", 100 if second < 3 else 10))
        speed = told(answer, 0.0, progress, float(second)).tokens_per_second
        assert speed is not None
    for half in range(18, 30):
        answer.apply(Entry("token", "s", "so", 5))
        speed = told(answer, 0.0, progress, half / 2).tokens_per_second
    assert speed == 10.0


def test_a_limit_alone_is_no_ground_for_a_percentage() -> None:
    event = told(written(50), 10.0, expecting([], limit=100))
    assert (event.total, event.percent, event.eta_s) == (100, None, None)


def test_nor_are_few_answers_or_answers_of_any_length() -> None:
    for lengths in (ALIKE[1:], [Length(n) for n in (60, 61, 62, 63, 64, 1_000, 2_000)]):
        event = told(written(50), 10.0, expecting(lengths))
        assert (event.total, event.percent, event.eta_s) == (None, None, None)


def test_it_expects_what_such_answers_had() -> None:
    event = told(written(21), 10.0, expecting(ALIKE))
    assert (event.total, event.percent, event.eta_s, event.tokens_per_second) == (100, 21.0, 7.9, 10.0)


def test_it_compares_with_those_that_were_as_long_as_this_one_is_by_now() -> None:
    progress = expecting([*ALIKE, *[Length(400)] * GROUND])
    assert told(written(100), 10.0, progress).total == 400
    assert told(written(101), 10.0, progress).total == 400


def test_the_limit_ends_what_would_be_longer() -> None:
    event = told(written(25), 10.0, expecting(ALIKE, limit=50))
    assert (event.total, event.percent) == (50, 50.0)


def test_answers_that_a_limit_cut_tell_where_the_same_limit_will_cut() -> None:
    cut = [Length(50, cut=True)] * GROUND
    assert told(written(25), 10.0, expecting(cut, limit=50)).percent == 50.0
    assert told(written(25), 10.0, expecting(cut, limit=80)).percent is None
    assert told(written(25), 10.0, expecting(cut)).percent is None


def test_what_is_longer_than_all_before_it_keeps_its_percentage_and_has_no_end_in_sight() -> None:
    progress = expecting(ALIKE)
    assert told(written(90), 10.0, progress).percent == 90.0
    event = told(written(150), 10.0, progress)
    assert (event.percent, event.eta_s, event.total) == (90.0, None, None)


def test_what_running_tools_tell_is_told_with_it() -> None:
    tools = {"call_1": Told(1.0, 3.0, "Layer 1 of 3"), "call_2": Told(7.0)}
    body = expecting(ALIKE).body(written(5), 10.0, 0.0, tools)
    event = event_of(body)
    assert event.phase == "tool"
    assert [tool.model_dump() for tool in event.tools or []] == [
        {"call": "call_1", "progress": 1.0, "total": 3.0, "message": "Layer 1 of 3"},
        {"call": "call_2", "progress": 7.0, "total": None, "message": None},
    ]
    assert "tools" not in expecting(ALIKE).body(written(5), 10.0, 0.0)
    many = {f"call_{n}": Told(0.0) for n in range(MAX_TELLING + 1)}
    assert len(expecting(ALIKE).body(written(5), 10.0, 0.0, many)["tools"]) == MAX_TELLING


lengths_ = st.lists(st.builds(Length, st.integers(1, 500), st.booleans()), max_size=40)
step = st.tuples(st.integers(0, 60), st.sampled_from(["token", "thought", "reset"]))


@given(lengths=lengths_, limit=st.none() | st.integers(1, 500), steps=st.lists(step, max_size=30))
def test_a_percentage_needs_a_ground_never_goes_back_and_is_never_the_whole(
    lengths: list[Length], limit: int | None, steps: list[tuple[int, str]]
) -> None:
    progress, answer = expecting(lengths, limit), Answer("s")
    before: float | None = None
    for number, (tokens, kind) in enumerate(steps, 1):
        answer.apply(
            Entry(kind, "s", "x", 0 if kind == "reset" else tokens, body={"reason": "r"} if kind == "reset" else None)
        )
        event = told(answer, 0.0, progress, number / 2)
        if kind == "reset":
            before = None
        if before is not None:
            assert event.percent is not None
            assert event.percent >= before
        if event.percent is not None:
            assert event.percent < 100
            assert len(lengths) >= GROUND
        if event.total is not None and event.eta_s is not None:
            assert event.total > event.tokens
        before = event.percent
