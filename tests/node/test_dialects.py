"""Every engine's answers, recorded or written from its source, become the same normal events however they are cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .normal import DIALECTS, Dialect, decode, normal

STREAMED = [d for d in DIALECTS if d.content_type == "text/event-stream"]

names = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda d: d.name)
streamed = pytest.mark.parametrize("dialect", STREAMED, ids=lambda d: d.name)


@names
def test_it_becomes_the_normal_form(dialect: Dialect) -> None:
    events, failure = decode(dialect, [dialect.body])
    assert normal(events) == dialect.events
    if dialect.error is None:
        assert failure is None
    else:
        assert failure is not None
        assert failure.code == dialect.error["code"]
        assert dialect.error["contains"] in failure.message
        assert failure.retryable is dialect.error["retryable"]
        if "retry_after" in dialect.error:
            assert failure.retry_after == dialect.error["retry_after"]


@streamed
def test_one_cut_anywhere_changes_nothing(dialect: Dialect) -> None:
    for at in range(len(dialect.body) + 1):
        events, failure = decode(dialect, [dialect.body[:at], dialect.body[at:]])
        assert normal(events) == dialect.events, at
        assert (failure is None) == (dialect.error is None), at


@streamed
def test_byte_by_byte_changes_nothing(dialect: Dialect) -> None:
    events, failure = decode(dialect, [bytes([byte]) for byte in dialect.body])
    assert normal(events) == dialect.events
    assert (failure and failure.code) == (dialect.error and dialect.error["code"])


@given(data=st.data())
def test_any_cuts_change_nothing(data: st.DataObject) -> None:
    dialect = data.draw(st.sampled_from(STREAMED))
    size = len(dialect.body)
    cuts = sorted(data.draw(st.lists(st.integers(0, size), max_size=40)))
    pieces = [dialect.body[a:b] for a, b in zip([0, *cuts], [*cuts, size], strict=True)]
    events, _ = decode(dialect, pieces)
    assert normal(events) == dialect.events


@given(data=st.data())
def test_an_answer_that_stops_anywhere_is_never_taken_for_a_whole_one(data: st.DataObject) -> None:
    dialect = data.draw(st.sampled_from([d for d in STREAMED if d.error is None]))
    cut = data.draw(st.integers(0, len(dialect.body)))
    events, failure = decode(dialect, [dialect.body[:cut]])
    whole = any(kind[0] == "finish" for kind in normal(events))
    assert whole != (failure is not None)
    if failure is not None:
        assert failure.code == "stream_interrupted"
    else:
        said = [event for event in normal(events) if event[0] in ("text", "thought", "tool_call")]
        assert said == [event for event in dialect.events if event[0] in ("text", "thought", "tool_call")]


@given(st.binary(max_size=2000))
def test_it_survives_any_bytes(noise: bytes) -> None:
    dialect = STREAMED[0]
    events, failure = decode(dialect, [noise, b'\n\ndata: {"choices":[{"delta":{"content":"x"}}]}', noise])
    "".join(str(event) for event in events).encode()
    assert failure is None or failure.message.isprintable()


def test_there_is_a_fixture_for_every_engine() -> None:
    assert {d.dialect for d in DIALECTS} >= {
        "openai", "vllm", "llamacpp", "ollama", "lmstudio", "sglang", "litellm",
        "hanzo-engine", "hanzo-node", "hanzo-cloud", "scripted",
    }  # fmt: skip
    assert {d.origin for d in DIALECTS} == {"recorded", "written from source"}
    assert {d.dialect for d in DIALECTS if d.origin == "recorded"} == {"llamacpp", "scripted"}
