"""`hanzo-live chat` as a person starts it."""

from __future__ import annotations

import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

from hanzo_live.chat import plain
from tests.cli.processes import COMMAND, clean_environment, hanzo_live, until
from tests.clients.python.programs import heed_interrupts
from tests.integration.stack import Stack

pytestmark = pytest.mark.timeout(180)


def test_one_prompt_is_answered_with_its_thoughts_and_figures(stack: Stack, prompt: str) -> None:
    done = hanzo_live("chat", "--url", stack.url, "--model", "script-thoughts", prompt)
    assert done.returncode == 0, done.stderr
    assert " ".join(stack.node.said(prompt).split()) in " ".join(done.stdout.split())
    assert " tokens" in done.stdout


def test_tool_calls_are_shown(stack: Stack, prompt: str) -> None:
    done = hanzo_live("chat", "--url", stack.url, "--model", "script-tools", "--tools", prompt)
    assert done.returncode == 0, done.stderr
    assert "→ lookup(" in done.stdout


def test_an_interrupt_stops_the_answer_and_keeps_its_text(stack: Stack, prompt: str) -> None:
    model = "script-slow@rate=40,tokens=4000"
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(
            [*COMMAND, "chat", "--url", stack.url, "--model", model, prompt],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=clean_environment(PYTHONUNBUFFERED="1"),
            preexec_fn=heed_interrupts,
        )

        def said() -> str:
            out.seek(0)
            return out.read()

        until(lambda: len(said().split()) > 5, "some words")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0, said()
        assert "Stopped." in said()


def test_what_is_wrong_is_one_sentence(tmp_path: Path) -> None:
    done = hanzo_live("chat", "--url", "http://127.0.0.1:9", "x", where=tmp_path)
    assert done.returncode == 1
    assert "cannot be reached" in done.stderr
    assert "Traceback" not in done.stderr
    assert hanzo_live("chat", "--url", "nonsense", "x").returncode == 2


def test_nothing_that_a_terminal_would_obey_gets_through() -> None:
    assert plain("a\x1b[31mb\x07\u202ec\n\td") == "a[31mbc\n\td"
