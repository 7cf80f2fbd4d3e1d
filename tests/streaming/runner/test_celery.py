"""A stream through everything: the broker, a real worker process, the node, the log, the database."""

from __future__ import annotations

from typing import Any

import pytest

from hanzolive.nodes.scripted import expected_text
from tests.streaming.runner.house import Crew, ask, ended, events, folded


@pytest.mark.timeout(150)
def test_it_carries_a_stream_from_start_to_its_terminal_event(crew: Crew, owner: Any) -> None:
    crew.celery()
    started = ask(owner, model="script-fast")
    stream = ended(started.stream)
    assert stream.status == "complete"
    assert stream.content == expected_text("script-fast", [{"role": "user", "content": "tell me"}])
    assert folded(started.log, started.stream).content == stream.content
    assert events(started.log)[0]["type"] == "stream_start"
