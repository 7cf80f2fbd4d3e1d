"""The scripted node as people start it and as its models' names steer it."""

from __future__ import annotations

import argparse
import socket
import subprocess
import sys

import httpx
import pytest

from hanzolive.nodes import command
from hanzolive.nodes.script import SCRIPTS, BadScript, expected_text, parse_model

from .conftest import Node

ASK = [{"role": "user", "content": "Say this back, please."}]


def post(node: Node, **body: object) -> httpx.Response:
    return httpx.post(node.url + "/v1/chat/completions", json={"messages": ASK, **body}, timeout=10)


def test_an_unknown_model_is_served_by_echo_and_the_answer_says_so(node: Node) -> None:
    answer = post(node, model="qwen-2-7b").json()
    assert answer["model"] == "script-echo"
    assert answer["choices"][0]["message"]["content"] == "Say this back, please."


def test_parameters_come_with_the_name_or_in_the_body(node: Node) -> None:
    by_name = post(node, model="script-fast@tokens=5").json()
    by_body = post(node, model="script-fast", script={"tokens": 5}).json()
    assert by_name["choices"] == by_body["choices"]
    assert by_name["usage"]["completion_tokens"] == 5
    assert "No such script parameter: 'speed'" in post(node, model="script-fast@speed=5").json()["error"]["message"]


def test_max_tokens_ends_the_answer_with_length(node: Node) -> None:
    choice = post(node, model="script-fast", max_tokens=3).json()["choices"][0]
    assert choice["finish_reason"] == "length"
    assert expected_text("script-fast", ASK).startswith(choice["message"]["content"])


def test_every_script_is_a_model_and_none_is_a_real_one(node: Node) -> None:
    models = httpx.get(node.url + "/v1/models").json()["data"]
    assert [model["id"] for model in models] == list(SCRIPTS)
    assert {model["owned_by"] for model in models} == {"hanzo-live-script"}
    assert httpx.get(node.url + "/health").json() == {"status": "ok"}


def test_the_words_follow_from_the_prompt_alone() -> None:
    assert expected_text("script-fast", ASK) == expected_text("script-fast", [{"role": "system", "content": "x"}, *ASK])
    assert expected_text("script-fast", ASK) != expected_text("script-fast", [{"role": "user", "content": "Else"}])
    assert expected_text("script-10k", ASK).startswith(expected_text("script-fast", ASK))


@pytest.mark.parametrize("model", ["script-fast@tokens=x", "script-fast@rate=nan", "script-fast@tokens=-1"])
def test_a_bad_parameter_is_refused(model: str) -> None:
    with pytest.raises(BadScript, match="script parameter"):
        parse_model(model)


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"messages": []}', b'{"messages": "hi"}', b"\xff"])
def test_a_bad_request_is_refused_and_harms_nobody(node: Node, body: bytes) -> None:
    response = httpx.post(node.url + "/v1/chat/completions", content=body)
    assert response.status_code == 400
    assert response.json()["error"]["message"]
    assert post(node, model="script-echo").status_code == 200


def test_the_command_serves_and_a_port_in_use_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    command.register(parser.add_subparsers())
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        options = parser.parse_args(["node", "--port", str(port)])
        assert options.run(options) == 2
    assert f"Cannot listen on 127.0.0.1:{port}" in capsys.readouterr().err
    options = parser.parse_args(["node", "--alias", "gpt-4=gpt-5"])
    assert options.run(options) == 2
    assert "gpt-4=gpt-5" in capsys.readouterr().err


def test_it_runs_as_a_process_and_leaves_on_sigterm() -> None:
    program = "from hanzolive.nodes.serve import run; run('127.0.0.1', 0, say=lambda s: print(s, flush=True))"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready, url, *_ = process.stdout.readline().split()
        assert ready == "ready"
        assert httpx.get(url + "/health").status_code == 200
        process.terminate()
        process.wait(5)
