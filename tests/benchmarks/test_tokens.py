"""The streamed text: read back however frames cut it, and what is missing never looks quick."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import asker, fanout, payloads, tokens
from benchmarks.task import LoadTask, Step, ViewerShape

TEXT = "".join(tokens.token(number, number * 20_000_000) for number in range(64))


@given(st.lists(st.integers(0, len(TEXT)), max_size=40))
def test_a_viewer_reads_every_token_once_however_frames_merge_and_cut(places: list[int]) -> None:
    edges = [0, *sorted(places), len(TEXT)]
    reader = tokens.Reader()
    found = [pair for start, end in pairwise(edges) for pair in reader.feed(TEXT[start:end])]
    assert found == [(number, number * 20_000) for number in range(64)]
    assert reader.ordered
    assert reader.is_prefix_of(TEXT)


def test_a_lost_doubled_or_changed_character_is_seen() -> None:
    for received in (TEXT[:200] + TEXT[201:], TEXT[:300] + TEXT[250:], TEXT.replace("☃", "?")):
        reader = tokens.Reader()
        reader.feed(received)
        assert not reader.is_prefix_of(TEXT)


def test_the_mark_is_in_every_token_once() -> None:
    assert all(tokens.token(number, 1).count(tokens.MARK) == 1 for number in range(64))
    assert tokens.sent_times(TEXT) == [number * 20_000 for number in range(64)]


def test_the_text_survives_each_way_of_wrapping() -> None:
    for number in range(16):
        text = tokens.token(number, 1)
        event = payloads.event(number, text, 1)
        assert payloads.unwrap_event(json.dumps(event).encode()) == text
        assert payloads.unwrap_socket_io(b"42" + json.dumps(["token", event]).encode()) == text
        assert json.dumps(event).count(tokens.MARK) == 1
    assert payloads.unwrap_socket_io(b"2") == ""
    assert payloads.unwrap_event(b'{"type":"progress","tokens":3}') == ""


def test_tokens_that_never_came_are_as_late_as_the_run_could_notice() -> None:
    sent = [1_000_000, 2_000_000, 3_000_000, 9_000_000]
    lags = fanout.lags_of([[(1_000_000, 5_000), (2_000_000, 7_000)], []], sent, start=1, end=5, ended=10)
    assert lags.missing == 4
    assert lags.points == [(0, 5), (1, 7), (2, 7000), (0, 9000), (1, 8000), (2, 7000)]


def test_a_task_survives_the_pipe() -> None:
    shape = ViewerShape(port=1, path="/", identities=[{"a": "b"}], steps=[Step("40", "{")])
    task = LoadTask(viewer=shape, viewers=5, sample=1, lags_file="x", server_pids=[1], broker_pids=[])
    assert LoadTask.from_json(json.loads(json.dumps(task.to_json()))) == task


def test_only_text_is_a_first_token() -> None:
    assert asker.tokens_of(b'data: {"choices":[{"delta":{"role":"assistant","content":""}}]}') == 0
    assert asker.tokens_of(b'data: {"choices":[{"delta":{"content":"hi"}}]}') == 1
    assert asker.tokens_of(b'data: {"choices":[],"usage":{}}') == 0
    assert asker.tokens_of(b": ping") == 0
    assert asker.tokens_of(b"data: [DONE]") == 0
    with pytest.raises(ValueError, match="overloaded"):
        asker.tokens_of(b'data: {"error":{"message":"overloaded"}}')
