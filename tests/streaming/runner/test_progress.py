"""How far a stream is: in the contract's shape, counted and not guessed."""

from __future__ import annotations

from hanzo_live.protocol.events import ProgressEvent
from streaming.log.script import Entry
from streaming.runner.answer import Answer
from streaming.runner.progress import Progress


def told(answer: Answer, first_at: float | None) -> ProgressEvent:
    body = Progress("s", 100).body(answer, 12.0, first_at)
    return ProgressEvent.model_validate({"type": "progress", "log": "stream:s", **body})


def test_it_says_that_the_node_is_waited_for() -> None:
    event = told(Answer("s"), None)
    assert (event.tokens, event.phase, event.tokens_per_second, event.percent) == (0, "waiting", None, None)


def test_it_says_what_the_model_does_and_how_fast() -> None:
    answer = Answer("s")
    answer.apply(Entry("thought", "s", "hm", 11))
    assert told(answer, 10.0).phase == "thinking"
    answer.apply(Entry("token", "s", "so", 10))
    event = told(answer, 10.0)
    assert (event.phase, event.tokens, event.tokens_per_second, event.total) == ("answering", 21, 10.0, 100)
