"""The arithmetic behind every figure."""

from __future__ import annotations

import os
import time

import pytest

from benchmarks import measure


def test_a_percentile_is_a_value_that_was_seen() -> None:
    values = [5.0, 1.0, 4.0, 2.0, 3.0]
    assert measure.percentile(values, 0.5) == 3.0
    assert measure.percentile(values, 0.99) == 5.0
    assert measure.percentile(values, 0) == 1.0
    assert measure.percentile(list(map(float, range(1, 101))), 0.99) == 99.0


def test_a_percentile_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no values"):
        measure.percentile([], 0.5)
    with pytest.raises(ValueError, match="between 0 and 1"):
        measure.percentile([1.0], 99)


def test_a_slope_is_the_change_of_y_per_x() -> None:
    assert measure.slope([(0, 1), (1, 3), (2, 5)]) == pytest.approx(2)
    assert measure.slope([(0, 1), (0, 3)]) == 0
    assert measure.slope([(4, 1)]) == 0


def test_a_lag_that_grows_is_no_flat_trend() -> None:
    steady = [(second / 10, 40.0 + second % 7) for second in range(600)]
    growing = [(second / 10, 40.0 + second) for second in range(600)]
    assert measure.trend(steady, 5).flat
    assert not measure.trend(growing, 5).flat
    assert measure.trend(growing, 5).slope == pytest.approx(10, rel=0.01)


def test_one_hiccup_does_not_make_a_trend() -> None:
    points = [(second / 10, 900.0 if 300 < second < 320 else 40.0) for second in range(600)]
    assert measure.trend(points, 5).flat


def test_columns_start_at_multiples_of_their_width() -> None:
    assert measure.buckets([(0.1, 1), (4.9, 2), (12, 3)], 5) == [(0, [1, 2]), (10, [3])]


def test_ticks_are_read_past_a_name_with_spaces_and_brackets() -> None:
    stat = "42 (a (b) c) S 1 42 42 0 -1 4194304 100 0 0 0 70 30 9 9 20 0 1 0 100 1000 50"
    assert measure.ticks_of_stat(stat) == 100


def test_cpu_seconds_are_those_that_the_process_used() -> None:
    before, mine = measure.cpu_seconds([os.getpid()]), time.process_time()
    while time.process_time() - mine < 0.2:
        sum(range(1000))
    used = measure.cpu_seconds([os.getpid()]) - before
    assert used == pytest.approx(time.process_time() - mine, abs=0.03)


def test_a_process_that_is_gone_used_nothing() -> None:
    assert measure.cpu_seconds([2**22 + 1]) == 0
    assert measure.rss_bytes([2**22 + 1]) == 0
    assert measure.descendants(2**22 + 1) == []
