"""One fixture per type, right by the models and by the JSON Schema; everything generated is up to date."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from hanzo_live.protocol import (
    CLOSE_KINDS,
    COMMANDS,
    ERROR_KINDS,
    EVENTS,
    OKS,
    REPLIES,
    CloseCode,
    ErrorCode,
    parse_command,
    validate_event,
    validate_reply,
)
from hanzo_live.protocol.generate import asyncapi
from hanzo_live.protocol.generate.__main__ import FIXTURES, differing, main, outputs, write
from hanzo_live.protocol.generate.fixtures import fixtures
from hanzo_live.protocol.generate.markdown import page

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "docs/protocol/schema.json").read_text(encoding="utf-8"))
FILES = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in (ROOT / FIXTURES).glob("*.json")}


def schema_of(definition: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/$defs/{definition}", "$defs": SCHEMA["$defs"]})


def test_there_is_a_fixture_for_every_type_and_a_type_for_every_fixture() -> None:
    types = {
        *(f"command.{name}" for name in COMMANDS),
        *(f"reply.ok.{name}" for name in OKS),
        *(f"reply.{name}" for name in REPLIES),
        *(f"event.{name}" for name in EVENTS),
    }
    assert {Path(name).stem for name in FILES} == types


def test_every_command_has_one_reply() -> None:
    for name, model in COMMANDS.items():
        assert (name in OKS) != (model.answer in REPLIES)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_command_fixture_is_right(name: str) -> None:
    frame = FILES[f"command.{name}.json"]
    command = parse_command(json.dumps(frame))
    assert command.type == name
    assert json.loads(command.model_dump_json(exclude_unset=True)) == frame
    schema_of("Command").validate(frame)
    schema_of(COMMANDS[name].__name__).validate(frame)


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_an_event_fixture_is_right(name: str) -> None:
    frame = FILES[f"event.{name}.json"]
    assert validate_event(frame, exact=True).type == name
    assert ("seq" in frame) == (EVENTS[name].durable or name == "snapshot")
    assert ("log" in frame) == (name != "goaway")
    schema_of("LiveEvent").validate(frame)
    schema_of(EVENTS[name].__name__).validate(frame)


@pytest.mark.parametrize("name", sorted(OKS))
def test_an_ok_fixture_is_right(name: str) -> None:
    frame = FILES[f"reply.ok.{name}.json"]
    validate_reply(frame, command=name, exact=True)
    assert frame["id"] == FILES[f"command.{name}.json"]["id"]
    schema_of(OKS[name].__name__).validate(frame)


@pytest.mark.parametrize("name", sorted(REPLIES))
def test_any_other_reply_fixture_is_right(name: str) -> None:
    frame = FILES[f"reply.{name}.json"]
    validate_reply(frame, exact=True)
    schema_of(REPLIES[name].__name__).validate(frame)


def test_the_schema_is_one_and_has_no_loose_ends() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    pointed = {ref.removeprefix("#/$defs/") for ref in _refs(SCHEMA)}
    assert pointed <= set(SCHEMA["$defs"])


@pytest.mark.parametrize(
    ("definition", "frame"),
    [
        ("TokenEvent", {**EVENTS["token"].example, "n": "7"}),
        ("TokenEvent", {key: value for key, value in EVENTS["token"].example.items() if key != "seq"}),
        ("StreamStart", {"type": "stream.start"}),
        ("StreamStart", {"type": "stream.start", "content": "a", "messages": [{"role": "user"}]}),
        ("Subscribe", {"type": "subscribe", "log": "nonsense"}),
        ("ErrorReply", {**REPLIES["error"].example, "code": "no_such_code"}),
        ("PresenceEvent", {"type": "presence", "log": "session:s"}),
    ],
)
def test_the_schema_refuses_what_the_models_refuse(definition: str, frame: dict[str, Any]) -> None:
    assert not schema_of(definition).is_valid(frame)


def test_the_asyncapi_document_points_at_what_it_has() -> None:
    document = asyncapi.document()
    for ref in _refs(document):
        node: Any = document
        for step in ref.removeprefix("#/").split("/"):
            node = node[step]
    assert set(document["operations"]) == {*COMMANDS, "events"}


def test_the_page_names_every_type_and_code() -> None:
    text = page()
    for name in [*COMMANDS, *EVENTS, *ErrorCode]:
        assert f"`{name}`" in text
    for code in CloseCode:
        assert f"| {int(code)} |" in text
    assert "{{" not in text


def test_every_code_has_its_kind() -> None:
    assert set(ERROR_KINDS) == set(ErrorCode)
    assert set(CLOSE_KINDS) == set(CloseCode)


def test_everything_generated_is_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check", "--root", str(ROOT)]) == 0, capsys.readouterr().err


def test_check_names_what_is_changed_missing_or_left_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert set(write(tmp_path)) == set(outputs())
    assert main(["--check", "--root", str(tmp_path)]) == 0
    (tmp_path / "docs/protocol.md").write_text("other")
    (tmp_path / FIXTURES / "command.ping.json").unlink()
    (tmp_path / FIXTURES / "event.gone.json").write_text("{}")
    assert main(["--check", "--root", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    for name in ("docs/protocol.md", "command.ping.json", "event.gone.json"):
        assert name in said
    write(tmp_path)
    assert differing(tmp_path) == []


def test_generating_twice_gives_the_same() -> None:
    assert outputs() == outputs()
    assert set(fixtures()) == set(FILES)


def _refs(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [ref for value in node.values() for ref in _refs(value)]
    if isinstance(node, list):
        return [ref for value in node for ref in _refs(value)]
    return []
