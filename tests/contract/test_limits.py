"""Flush intervals fall into few classes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanzo_live.protocol import FLUSH_CLASSES_MS, flush_class
from tests.contract.logs import UNHURRIED


@pytest.mark.parametrize(
    ("asked", "used"),
    [(None, 0), (0, 0), (1, 16), (16, 16), (17, 33), (50, 50), (51, 100), (999, 1000), (1000, 1000), (60_000, 1000)],
)
def test_an_interval_rounds_up_to_a_class(asked: int | None, used: int) -> None:
    assert flush_class(asked) == used


@UNHURRIED
@given(st.integers(0, 1000))
def test_no_interval_is_shorter_than_asked_nor_longer_than_needed(asked: int) -> None:
    assert flush_class(asked) == min(each for each in FLUSH_CLASSES_MS if each >= asked)
