"""No question gets another one's answer: the labelled set, and rules that it stands for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanzo_live.protocol.options import CacheOptions
from streaming.cache.semantic.embedding import the_model
from streaming.cache.semantic.guard import asks_the_same
from streaming.cache.semantic.pairs import labelled, measure

DEFAULT = CacheOptions().similarity_threshold


def test_the_set_is_large_and_in_balance() -> None:
    pairs = labelled()
    assert len(pairs) >= 200
    assert len({(pair.one, pair.other) for pair in pairs}) == len(pairs)
    assert 0.4 <= sum(pair.same for pair in pairs) / len(pairs) <= 0.6


def test_there_is_no_false_hit_at_the_default_threshold(capsys: pytest.CaptureFixture[str]) -> None:
    figures = measure(the_model(), DEFAULT)
    print(f"true hits: {figures.hit_share:.0%}")  # noqa: T201
    assert figures.false_hits == ()
    assert figures.hits > 0
    assert figures.alike > 0, "pairs that the embedding alone tells apart prove nothing of the guard"


@pytest.mark.parametrize(
    "pair", [pair for pair in labelled() if not pair.same], ids=lambda pair: f"{pair.one}|{pair.other}"
)
def test_the_guard_alone_tells_them_apart_both_ways(pair: object) -> None:
    one, other = pair.one, pair.other  # type: ignore[attr-defined]
    assert not asks_the_same(one, other)
    assert not asks_the_same(other, one)


@given(st.text(max_size=80), st.text(max_size=80))
def test_it_takes_any_text_and_does_not_care_for_the_order(one: str, other: str) -> None:
    assert asks_the_same(one, other) == asks_the_same(other, one)


@given(
    st.lists(
        st.sampled_from(["not", "Paris", "Rome", "2", "3", "from", "to", "is", "old", "+", "never"]),
        min_size=2,
        max_size=8,
    )
)
def test_words_that_change_places_change_the_question(words: list[str]) -> None:
    turned = words[::-1]
    if [word.casefold() for word in words] != [word.casefold() for word in turned]:
        assert not asks_the_same(" ".join(["Why", *words]), " ".join(["Why", *turned]))


def test_long_prompts_are_not_compared() -> None:
    assert not asks_the_same("why " * 100, "why " * 100)
