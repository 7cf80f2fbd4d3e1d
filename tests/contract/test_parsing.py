"""Frames from clients: each is a command or the documented refusal, and nothing else ever comes out."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanzo_live.protocol import (
    COMMANDS,
    CommandRefused,
    ErrorCode,
    LiveError,
    MalformedFrame,
    StreamOptions,
    StreamStart,
    parse_command,
    validate_event,
    validate_reply,
)
from tests.contract.logs import UNHURRIED

START = {"id": 7, "type": "stream.start", "content": "Hello"}


def refused(frame: Any) -> CommandRefused:
    with pytest.raises(CommandRefused) as caught:
        parse_command(frame)
    validate_reply(caught.value.wire(), exact=True)
    return caught.value


@pytest.mark.parametrize(
    "raw",
    [
        "",
        " ",
        "nonsense",
        "{",
        '{"type":"ping"',
        "[]",
        '[{"type":"ping"}]',
        "null",
        "7",
        '"ping"',
        "{}",
        '{"type":null}',
        '{"type":7}',
        '{"type":["ping"]}',
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"type":"ping","id":' + "9" * 10_000 + "}",
        '{"type":"ping","x":NaN}',
        '{"type":"ping","x":Infinity}',
        '{"type":"\\ud800"}',
        '{"type":"ping","x":"\ud800"}',
        b"\xff\xfe",
        b"\x00",
        b'{"type":"ping"}\x00',
        "\ufeff{}",
    ],
    ids=lambda raw: repr(raw[:24]),
)
def test_a_frame_that_is_no_object_with_a_type_is_malformed(raw: str | bytes) -> None:
    error = refused(raw)
    assert isinstance(error, MalformedFrame)
    assert error.code is ErrorCode.BAD_REQUEST


@pytest.mark.parametrize("kind", ["", "Ping", "no.such", "stream_start", "x" * 100_000, "a\nb", "\u202e"])
def test_an_unknown_command_is_named_as_such_and_keeps_its_id(kind: str) -> None:
    error = refused({"id": "q-1", "type": kind})
    assert error.code is ErrorCode.UNKNOWN_COMMAND
    assert not isinstance(error, MalformedFrame)
    assert error.wire()["id"] == "q-1"
    assert len(error.message) < 500
    assert "\n" not in error.message


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"content": 5}, "content"),
        ({"content": ""}, "content"),
        ({"content": "x" * 200_001}, "content"),
        ({"content": "a\0b"}, "content"),
        ({"content": "\ud800"}, "content"),
        ({"temperature": "5"}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"temperature": math.nan}, "temperature"),
        ({"temperature": math.inf}, "temperature"),
        ({"temperature": 2.1}, "temperature"),
        ({"max_tokens": 1.0}, "max_tokens"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 10**400}, "max_tokens"),
        ({"seed": 2**53}, "seed"),
        ({"show_thoughts": 1}, "show_thoughts"),
        ({"show_thoughts": "true"}, "show_thoughts"),
        ({"flush_ms": -1}, "flush_ms"),
        ({"stop": ["a"] * 17}, "stop"),
        ({"stop": [5]}, "stop.0"),
        ({"tools": "all"}, "tools"),
        ({"tools": [{"name": 5}]}, "tools.0.name"),
        ({"tools": [{"type": "function", "function": {}}]}, "tools.0.function.name"),
        ({"tools": [{"name": "t", "parameters": {"x": "y" * 70_000}}]}, "tools.0.parameters"),
        ({"tool_choice": "maybe"}, "tool_choice"),
        ({"route": []}, "route"),
        ({"route": {"force_local": "yes"}}, "route.force_local"),
        ({"route": {"local_node_url": "file:///etc/passwd"}}, "route.local_node_url"),
        ({"cache": {"backend": "memory"}}, "cache.backend"),
        ({"cache": {"ttl": 0}}, "cache.ttl"),
        ({"mcp": {"servers": ["ftp://x"]}}, "mcp.servers.0"),
        ({"overlap": "merge"}, "overlap"),
        ({"session": ""}, "session"),
        ({"key": "k" * 201}, "key"),
        ({"id": 1.5}, "id"),
        ({"id": True}, "id"),
        ({"id": [1]}, "id"),
        ({"id": "i" * 201}, "id"),
        ({"id": 2**53}, "id"),
        ({"content": None, "messages": []}, "messages"),
        ({"content": None, "messages": [{"role": "user", "content": "a"}] * 501}, "messages"),
        ({"content": None, "messages": ["a"]}, "messages.0"),
        ({"content": None, "messages": [{"role": "king", "content": "a"}]}, "messages.0.role"),
        ({"content": None, "messages": [{"content": "a"}]}, "messages.0.role"),
        ({"messages": [{"role": "user", "content": "a"}]}, None),
        ({"content": None}, None),
    ],
    ids=str,
)
def test_a_wrong_field_is_refused_by_its_name(change: dict[str, Any], field: str | None) -> None:
    error = refused({**START, **change})
    assert error.code is ErrorCode.BAD_REQUEST
    assert error.field == field
    assert error.message.endswith(".")
    assert len(error.message) < 300


@pytest.mark.parametrize(
    "cursor",
    [
        [[[[[]]]]],
        "x" * 2_000,
        {"a": math.nan},
        {"a": 2**70},
        {"a": "\0"},
        {"\ud800": 1},
        {"a": {1, 2}},
        {5: 1},
        list(range(1_000)),
    ],
    ids=lambda cursor: repr(cursor)[:24],
)
def test_a_cursor_is_small_and_storable(cursor: Any) -> None:
    assert refused({"type": "presence.set", "session": "s", "cursor": cursor}).field == "cursor"


def test_what_presence_leaves_out_is_told_from_what_it_clears() -> None:
    left_out = parse_command({"type": "presence.set", "session": "s", "typing": True})
    cleared = parse_command({"type": "presence.set", "session": "s", "cursor": None})
    assert "cursor" not in left_out.model_fields_set
    assert "cursor" in cleared.model_fields_set


@pytest.mark.parametrize(
    ("outcome", "good"),
    [
        ({"output": 5}, True),
        ({"output": None}, True),
        ({"error": "no"}, True),
        ({"output": None, "error": "no"}, True),
        ({}, False),
        ({"output": 5, "error": "no"}, False),
        ({"error": ""}, False),
    ],
    ids=str,
)
def test_a_tool_gives_an_output_or_an_error(outcome: dict[str, Any], good: bool) -> None:
    frame = {"type": "tool.result", "stream": "s", "call": "c", **outcome}
    if good:
        assert parse_command(frame).type == "tool.result"
    else:
        refused(frame)


def test_unknown_fields_and_nulls_are_nothing() -> None:
    plain = parse_command(START)
    assert parse_command({**START, "colour": "red", "model": None, "route": None}) == plain
    assert isinstance(plain, StreamStart)
    assert plain.id == 7


def test_raw_text_raw_bytes_and_objects_are_the_same_command() -> None:
    raw = json.dumps(START)
    assert parse_command(raw) == parse_command(raw.encode()) == parse_command(START)


def test_a_refusal_carries_the_id_of_its_command() -> None:
    assert refused('{"id":"a","type":"subscribe"}').wire()["id"] == "a"
    assert refused('{"id":5,"type":"subscribe"}').wire()["id"] == 5
    assert refused('{"type":"subscribe"}').wire()["id"] is None
    assert refused('{"id":5,"type":8}').wire()["id"] == 5


def test_the_stream_options_are_the_same_everywhere() -> None:
    for name in ("stream.start", "message.send", "draft.send"):
        assert set(StreamOptions.model_fields) <= set(COMMANDS[name].model_fields)


def test_exact_validation_finds_fields_that_nobody_knows() -> None:
    event = {"type": "token", "log": "stream:s", "seq": 1, "ts": 0, "stream": "s", "data": "a", "n": 1, "extra": 1}
    validate_event(event)
    with pytest.raises(ValueError, match="extra"):
        validate_event(event, exact=True)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@UNHURRIED
@given(st.text(st.characters(), max_size=200) | st.binary(max_size=200))
def test_whatever_is_sent_nothing_but_a_live_error_comes_out(raw: str | bytes) -> None:
    with pytest.raises(LiveError):
        parse_command(raw)


@UNHURRIED
@given(st.sampled_from(sorted(COMMANDS)), st.data())
def test_whatever_a_field_holds_nothing_but_a_live_error_comes_out(name: str, data: st.DataObject) -> None:
    model = COMMANDS[name]
    fields = st.sampled_from(sorted(model.model_fields))
    frame = {**model.example, **data.draw(st.dictionaries(fields, JSON, max_size=4)), "type": name}
    try:
        command = parse_command(frame)
    except CommandRefused as error:
        validate_reply(error.wire(), exact=True)
        json.dumps(error.wire(), allow_nan=False).encode()
    else:
        command.model_dump_json().encode()
