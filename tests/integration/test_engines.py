"""What every engine sends, through the whole program: a node that answers as it does, worker, log, hub, and both wires."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from hanzo_live.protocol import State
from tests.integration.client import live
from tests.integration.stack import Stack
from tests.integration.test_sse import EVENT_STREAM, parse
from tests.node.normal import DIALECTS, Dialect

pytestmark = pytest.mark.timeout(150)

SHOW_ALL = {"show_thoughts": True, "stream_tool_calls": True}
ANSWERS = {each.name: each for each in DIALECTS}


class Engine(BaseHTTPRequestHandler):
    """Has a model for every recorded answer, and gives just that answer."""

    def do_GET(self) -> None:
        if self.path != "/v1/models":
            self.send_error(404)
            return
        models = [{"id": name, "object": "model"} for name in ANSWERS]
        self._answer(200, "application/json", json.dumps({"object": "list", "data": models}).encode())

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = ANSWERS[asked["model"]]
        self._answer(answer.status, answer.content_type, answer.body, answer.headers)

    def _answer(self, status: int, kind: str, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: the tests say what was wrong."""


@pytest.fixture(scope="module")
def engine() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Engine)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def served(engine: str, start: Callable[..., Stack]) -> Stack:
    # What is tried again says the same again.
    return start("--node-url", engine, people=("Olga",))


@dataclass(frozen=True)
class Told:
    """What somebody who followed a stream knows of it in the end."""

    text: str
    thoughts: list[str]
    calls: list[tuple[str, Any]]
    usage: tuple[int, int, int] | None
    end: dict[str, Any]

    @classmethod
    def by(cls, state: State, stream: str, end: dict[str, Any]) -> Told:
        seen = state.streams[stream]
        usage = end.get("usage")
        return cls(
            seen.content,
            [step for step in seen.thoughts if step],
            [(call["tool"], call["args"]) for call in seen.tool_calls.values()],
            usage and (usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]),
            end,
        )


async def over_a_socket(served: Stack, model: str) -> Told:
    async with live(served, served.people["Olga"]) as client:
        stream, watched = await client.start("What do you say?", model, **SHOW_ALL)
        await client.end_of(watched, stream)
        return Told.by(watched.state, stream, watched.of_type("complete", "error")[-1])


async def over_server_sent_events(served: Stack, model: str) -> Told:
    body = {"content": "What do you say?", "model": model, **SHOW_ALL}
    async with served.rest_soon(served.people["Olga"], **EVENT_STREAM) as rest:
        answer = await rest.post("/v1/streams", json=body)
    events = [event.data for event in parse(answer.content)]
    state = State()
    for event in events:
        state.apply(event)
    return Told.by(state, events[-1]["stream"], events[-1])


def expected(dialect: Dialect, kind: str) -> list[list[Any]]:
    return [event for event in dialect.events if event[0] == kind]


@pytest.mark.parametrize("follow", [over_a_socket, over_server_sent_events], ids=["socket", "sse"])
@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda each: each.name)
async def test_what_an_engine_says_reaches_whoever_follows(dialect: Dialect, follow: Any, served: Stack) -> None:
    told: Told = await follow(served, dialect.name)
    assert told.text == "".join(text for _, text in expected(dialect, "text"))
    assert told.thoughts == [data for _, _, data in expected(dialect, "thought")]
    assert told.calls == [(name, json.loads(args)) for _, _, _, name, args in expected(dialect, "tool_call")]
    for _, read, written, total, estimated in expected(dialect, "usage"):
        if not estimated:
            assert told.usage == (read, written, total)
    if dialect.error is None:
        assert told.end["type"] == "complete"
        assert told.end["finish_reason"] == dialect.events[-1][1]
    else:
        assert told.end["type"] == "error"
        assert told.end["code"] == dialect.error["code"]
        assert dialect.error["contains"] in told.end["message"]
        assert told.end["retryable"] is dialect.error["retryable"]
        assert told.end["partial"] is bool(told.text)
