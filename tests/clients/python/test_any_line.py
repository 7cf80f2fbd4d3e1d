"""Whatever the line does, a watcher ends where the log is, and a reader of an answer reads it once."""

from __future__ import annotations

from collections import Counter

from hypothesis import event, given
from hypothesis import strategies as st

from hanzo_live.core.answer import Answer, TextReader
from hanzo_live.core.subscription import WatchOptions
from hanzo_live.errors import STREAM_INTERRUPTED, HanzoLiveError
from hanzo_live.protocol import TERMINAL_EVENTS, fold, validate_event
from hanzo_live.protocol.fold import StreamState
from tests.clients.python.lines import BadLine, Sink
from tests.contract.logs import LOG, UNHURRIED, Frame, logs, seen


@UNHURRIED
@given(st.data())
def test_a_watcher_ends_where_the_log_is(data: st.DataObject) -> None:
    thoughts = data.draw(st.booleans())
    server = BadLine(data, data.draw(logs()), thoughts=thoughts)
    sink = Sink()
    server.link.watch(LOG, sink, WatchOptions(show_thoughts=thoughts))
    for _ in range(data.draw(st.integers(0, 25))):
        server.step()
    server.finish()
    assert fold(sink.events).to_snapshot(LOG, 200) == fold(seen(server.log, thoughts=thoughts)).to_snapshot(LOG, 200)
    assert sink.error is None


@UNHURRIED
@given(st.data())
def test_two_watchers_of_one_log_see_the_same_and_one_may_go(data: st.DataObject) -> None:
    server = BadLine(data, data.draw(logs()), thoughts=True)
    first, second, gone = Sink(), Sink(), Sink()
    server.link.watch(LOG, first, WatchOptions(show_thoughts=True))
    leave = server.link.watch(LOG, gone, WatchOptions())
    for _ in range(data.draw(st.integers(0, 8))):
        server.step()
    leave()
    left_with = len(gone.events)
    server.link.watch(LOG, second, WatchOptions(tail=10))
    for _ in range(data.draw(st.integers(0, 8))):
        server.step()
    server.finish()
    assert fold(first.events) == fold(second.events)
    assert len(gone.events) == left_with


class Reading:
    """A sink that is one answer and its text."""

    def __init__(self) -> None:
        self.answer = Answer()

    def event(self, event: Frame) -> None:
        self.answer.take(event)

    def ended(self, error: HanzoLiveError) -> None:
        self.answer.fail(error)


@UNHURRIED
@given(st.data())
def test_an_answer_is_read_once_and_to_its_end(data: st.DataObject) -> None:
    thoughts = data.draw(st.booleans())
    server = BadLine(data, data.draw(logs()), thoughts=thoughts)
    reading = Reading()
    answer = reading.answer
    server.link.start_stream(
        {"type": "stream.start", "content": "x", "key": "k"},
        reading,
        started=lambda ok, _: answer.begin(ok["stream"]),
        failed=answer.fail,
        options=WatchOptions(show_thoughts=thoughts),
    )
    for _ in range(data.draw(st.integers(0, 25))):
        server.step()
    server.finish()
    whole = fold(seen(server.log, thoughts=thoughts)).streams["r0"]
    again = fold(answer.events).streams.get("r0")
    ends = [each for each in answer.events if each["type"] in TERMINAL_EVENTS]
    for each in answer.events:
        validate_event(each)
    assert len(ends) == (1 if whole.ended else 0)
    assert answer.over == whole.ended
    assert (answer.state.content, answer.state.status) == (whole.content, whole.status)
    assert (answer.state.finish_reason, answer.state.error) == (whole.finish_reason, whole.error)
    if again is not None:
        assert (again.content, again.status, again.error) == (whole.content, whole.status, whole.error)
    _assert_tools(answer, server.log, whole)
    resets = any(each["type"] == "reset" and each["stream"] == "r0" for each in server.log)
    _assert_text(answer, whole.content, may_begin_again=resets, void=whole.error is not None)


def _assert_tools(answer: Answer, log: list[Frame], whole: StreamState) -> None:
    """Each result is there, and none more often than it was given."""
    told, given = (
        Counter(each["call"] for each in events if each["type"] == "tool_result" and each["stream"] == "r0")
        for events in (answer.events, log)
    )
    resets = any(each["type"] == "reset" for each in answer.events)
    assert resets or told <= given
    if answer.over and (whole.error is None or whole.content):
        again = fold(answer.events).streams["r0"]
        for call in whole.tool_calls.values():
            shown = again.tool_calls[call["call"]]
            assert (shown["result"], shown["error"]) == (call["result"], call["error"])


def _assert_text(answer: Answer, content: str, *, may_begin_again: bool, void: bool) -> None:
    reader = TextReader()
    text = ""
    refused: HanzoLiveError | None = None
    for each in answer.events:
        try:
            text += reader.take(each)
        except HanzoLiveError as error:
            refused = error
            break
    if refused is not None:
        event("text begun again")
        assert refused.code == STREAM_INTERRUPTED
        assert may_begin_again or void
    else:
        # Text that an error takes back was read all the same; what was begun again may not have come so far yet.
        assert text == content or void or (may_begin_again and text.startswith(content))
