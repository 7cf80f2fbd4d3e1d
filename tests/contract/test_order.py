"""Position and fold: whatever is merged, lost, doubled or sent again, a reader ends where the log is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanzo_live.protocol import Position, State, fold, validate_event
from tests.contract.logs import EPOCH, LOG, UNHURRIED, Frame, frames, logs, message, seen


def token(seq: int, prev: int | None = None, **fields: Any) -> Frame:
    frame = {"type": "token", "log": LOG, "seq": seq, "ts": 0, "stream": "r", "data": "x", "n": 1, **fields}
    return frame if prev is None else {**frame, "prev": prev}


@pytest.mark.parametrize(
    ("frame", "verdict"),
    [
        (token(5), "drop"),
        (token(4, 2), "drop"),
        (token(6), "apply"),
        (token(9, 5), "apply"),
        (token(9, 5, type="thought", step=0), "apply"),
        (token(7), "gap"),
        (token(9, 6), "gap"),
        (token(9, 3), "gap"),
        (token(9, 3, type="thought", step=0), "gap"),
        (token(9, 3, type="tool_call", args_delta="{"), "gap"),
        (token(9, 3, type="tool_call", args={}), "apply"),
        (token(9, 3, type="complete"), "apply"),
        ({**token(6), "prev": None}, "apply"),
        ({"type": "progress", "log": LOG, "stream": "r"}, "apply"),
        ({"type": "unsubscribed", "log": LOG, "reason": "removed"}, "apply"),
    ],
    ids=str,
)
def test_the_table_of_verdicts(frame: Frame, verdict: str) -> None:
    position = Position(EPOCH, 5)
    assert position.apply(frame) == verdict
    assert position.seq == (frame["seq"] if verdict == "apply" and "seq" in frame else 5)


def test_frames_drop_from_a_new_subscribe_to_its_ok() -> None:
    position = Position(EPOCH, 5)
    assert position.apply(token(8)) == "gap"
    assert position.resubscribe() == {"epoch": EPOCH, "seq": 5}
    assert position.apply(token(6)) == "drop"
    assert position.apply({"type": "progress", "log": LOG}) == "drop"
    position.subscribed({"mode": "replay", "epoch": EPOCH, "seq": 8})
    assert position.apply(token(8, 5)) == "apply"


def test_after_an_ok_with_snapshot_events_wait_for_the_snapshot() -> None:
    position = Position()
    assert position.apply(token(1)) == "drop"
    assert position.resubscribe() == {}
    position.subscribed({"mode": "snapshot", "epoch": "e2", "seq": 3})
    assert position.apply(token(4)) == "drop"
    assert position.apply({"type": "snapshot", "log": LOG, "epoch": "e2", "seq": 3}) == "apply"
    assert (position.epoch, position.seq) == ("e2", 3)
    assert position.apply(token(4)) == "apply"


def test_a_new_epoch_may_count_from_lower_than_before() -> None:
    position = Position(EPOCH, 150)
    assert position.apply({"type": "snapshot", "log": LOG, "epoch": "e2", "seq": 100}) == "apply"
    assert position.apply(token(101)) == "apply"
    assert position.resubscribe() == {"epoch": "e2", "seq": 101}


def test_the_ok_of_stream_start_is_a_position() -> None:
    position = Position()
    position.subscribed({"type": "ok", "id": 1, "stream": "r", "log": LOG, "epoch": EPOCH, "seq": 0})
    assert position.apply(token(1)) == "apply"


@UNHURRIED
@given(st.data())
def test_merging_neighbours_changes_nothing(data: st.DataObject) -> None:
    log = data.draw(logs())
    thoughts = data.draw(st.booleans())
    sent = data.draw(frames(log, thoughts=thoughts))
    position = Position(EPOCH, 0)
    assert {position.apply(frame) for frame in sent} <= {"apply"}
    assert fold(sent) == fold(seen(log, thoughts=thoughts))


@UNHURRIED
@given(st.data())
def test_a_reader_behind_a_bad_line_ends_where_the_log_is(data: st.DataObject) -> None:
    """Frames are lost and doubled, old ones come late, the server replays or snapshots as it likes."""
    log = data.draw(logs())
    thoughts = data.draw(st.booleans())
    position, state = Position(EPOCH, 0), State()
    applied: set[int] = set()

    def receive(frame: Frame) -> str:
        before = position.seq
        verdict = position.apply(frame)
        if verdict == "apply":
            if frame["type"] == "snapshot":
                applied.clear()
                applied.update(range(1, frame["seq"] + 1))
            else:
                assert before is not None
                covered = set(range(before + 1, frame["seq"] + 1))
                assert not covered & applied, "applied twice"
                applied.update(covered)
            state.apply(frame)
        return verdict

    def answer() -> list[Frame]:
        """What the server sends after a `subscribe` with the position."""
        asked = position.resubscribe()
        if data.draw(st.booleans()):
            position.subscribed({"mode": "replay", "epoch": EPOCH, "seq": len(log)})
            return data.draw(frames(log, after=asked["seq"], thoughts=thoughts))
        upto = data.draw(st.integers(asked["seq"], len(log)))
        shown = fold(seen(log[:upto], thoughts=thoughts)).to_snapshot(LOG, 200)
        position.subscribed({"mode": "snapshot", "epoch": EPOCH, "seq": upto})
        snapshot = {"type": "snapshot", "log": LOG, "epoch": EPOCH, "seq": upto, "state": shown}
        return [snapshot, *data.draw(frames(log, after=upto, thoughts=thoughts))]

    sent: list[Frame] = []
    line = data.draw(frames(log, thoughts=thoughts))
    for _ in range(6):
        gap = False
        for frame in line:
            fate = data.draw(st.sampled_from(["arrives", "arrives", "arrives", "lost", "doubled", "late"]))
            batch = {
                "arrives": [frame],
                "lost": [],
                "doubled": [frame, frame],
                "late": [*data.draw(st.lists(st.sampled_from(sent), max_size=1) if sent else st.just([])), frame],
            }[fate]
            if frame["type"] == "snapshot":
                batch = [frame]  # a reply to this reader alone, on a connection that holds
            else:
                sent.append(frame)
            gap = "gap" in [receive(each) for each in batch]
            if gap:
                break
        line = answer()
        if not gap and data.draw(st.booleans()):
            break
    for frame in line:
        assert receive(frame) == "apply"
    assert state.to_snapshot(LOG, 200) == fold(seen(log, thoughts=thoughts)).to_snapshot(LOG, 200)


@UNHURRIED
@given(st.data())
def test_a_wrong_split_never_doubles_text(data: st.DataObject) -> None:
    """Frames merged from anywhere: each is applied whole, dropped, or a gap, never half of it twice."""
    log = data.draw(logs())
    state, position = State(), Position(EPOCH, 0)
    for _ in range(10):
        after = data.draw(st.integers(0, len(log)))
        for frame in data.draw(frames(log, after=after)):
            if position.apply(frame) == "apply":
                state.apply(frame)
    assert position.seq is not None
    assert state == fold(log[: position.seq])


@UNHURRIED
@given(st.data())
def test_an_old_snapshot_and_the_events_after_it_are_the_new_snapshot(data: st.DataObject) -> None:
    log = data.draw(logs())
    cut = data.draw(st.integers(0, len(log)))
    old = fold(log[:cut]).to_snapshot(LOG, 200)
    validate_event({"type": "snapshot", "log": LOG, "epoch": EPOCH, "seq": cut, "state": _whole(old)}, exact=True)
    new = fold(log).to_snapshot(LOG, 200)
    assert fold(log[cut:], State.from_snapshot(old)).to_snapshot(LOG, 200) == new


@UNHURRIED
@given(st.data())
def test_a_database_ahead_of_the_log_is_not_taken_back(data: st.DataObject) -> None:
    """The snapshot's order: the transcript as of some moment, then the log from before it, up to its head."""
    log = data.draw(logs())
    cut = data.draw(st.integers(0, len(log)))
    database = fold(log[:cut])
    open_streams = {id for id, stream in database.streams.items() if not stream.ended}
    starts = [event["seq"] - 1 for event in log[:cut] if event.get("stream") in open_streams]
    after = data.draw(st.integers(0, min([cut, *starts])))
    state = State.from_snapshot({**database.to_snapshot(LOG, 200), "streams": []})
    ended = {id: each for id, each in database.messages.items() if each["finish_reason"] or each["status"] == "failed"}
    for event in log[after:]:
        state.apply(event)
        assert {id: state.messages[id] for id in ended} == ended, "what has ended began again"
    assert _by_id(state) == _by_id(fold(log))


def test_a_snapshot_is_not_changed_by_what_is_applied_to_a_state_made_from_it() -> None:
    state = fold([_put(message(1, stream="r")), token(2), _call(3, args_delta="{", status="streaming")])
    old = state.to_snapshot(LOG)
    copy = fold([], State.from_snapshot(old)).to_snapshot(LOG)
    fold([token(4), _call(5, args={}, status="running"), _end(6)], State.from_snapshot(old))
    assert old == copy


def test_a_reset_voids_what_was_shown_of_that_stream_alone() -> None:
    state = fold([token(1), token(2, None, stream="other"), _call(3, args={}, status="running"), _reset(4), token(5)])
    assert state.streams["r"].content == "x"
    assert state.streams["r"].tool_calls == {}
    assert state.streams["other"].content == "x"


def test_a_stopped_stream_keeps_its_text_and_gives_it_to_its_message() -> None:
    state = fold([_put(message(1, stream="r")), token(2), token(3), _end(4, finish_reason="stopped"), token(5)])
    assert state.streams["r"].status == "stopped"
    assert state.streams["r"].content == "xx"
    reply = state.transcript[0]
    assert (reply["content"], reply["status"], reply["finish_reason"]) == ("xx", "stopped", "stopped")


@pytest.mark.parametrize(("partial", "content"), [(True, "x"), (False, "")])
def test_a_failed_stream_keeps_its_text_if_the_error_says_so(partial: bool, content: str) -> None:
    error = {"code": "node_error", "message": "Failed.", "retryable": True, "partial": partial, "usage": None}
    state = fold([_put(message(1, stream="r")), token(2), {**token(3), "type": "error", **error}])
    assert state.transcript[0]["content"] == content
    assert state.transcript[0]["status"] == "failed"
    assert state.streams["r"].error == {"code": "node_error", "message": "Failed.", "retryable": True}


def test_only_the_first_terminal_event_counts() -> None:
    state = fold([token(1), _end(2), _end(3, finish_reason="stopped")])
    assert state.streams["r"].status == "complete"


def test_a_stream_may_end_before_it_has_begun() -> None:
    state = fold([_put(message(1, stream="r")), _end(2, finish_reason="stopped", message="m1")])
    assert state.transcript[0]["status"] == "stopped"


def test_a_stream_waits_while_one_of_its_calls_waits_for_a_person() -> None:
    state = fold([_call(1, args={"q": 1}, status="awaiting_approval")])
    assert state.streams["r"].status == "waiting"
    state.apply(_call(2, status="running", user={"id": "u", "name": "Ada", "avatar": None}))
    assert state.streams["r"].status == "running"
    call = state.streams["r"].snapshot()["tool_calls"][0]
    assert (call["args"], call["user"]["id"]) == ({"q": 1}, "u")


def test_a_reply_has_its_thoughts_and_tool_calls_as_parts() -> None:
    thought = {"type": "thought", "stream": "r", "step": 1, "data": "Hm.", "n": 1}
    result = {"type": "tool_result", "stream": "r", "call": "c", "result": 4}
    events = [_put(message(1, stream="r")), thought, _call(2, args={"q": 1}, status="running"), result, _end(3)]
    assert fold(events).transcript[0]["parts"] == [
        {"type": "reasoning", "text": "Hm."},
        {"type": "toolCall", "id": "c", "name": "t", "args": {"q": 1}},
        {"type": "toolResult", "id": "c", "name": "t", "status": "complete", "result": 4, "error": None},
    ]


def test_a_snapshot_of_a_streams_own_log_shows_it_when_it_has_ended() -> None:
    state = fold([token(1), _end(2)])
    assert [stream["status"] for stream in state.to_snapshot("stream:r")["streams"]] == ["complete"]
    assert state.to_snapshot(LOG)["streams"] == []


def test_a_snapshot_holds_the_latest_messages_and_says_whether_there_are_more() -> None:
    state = fold([_put(message(n, stream=None)) for n in (3, 1, 2)])
    assert [each["n"] for each in state.to_snapshot(LOG, 2)["messages"]] == [2, 3]
    assert [state.to_snapshot(LOG, tail)["has_more"] for tail in (0, 2, 3)] == [True, True, False]


def _put(body: Frame) -> Frame:
    return {"type": "message", "message": body}


def _reset(seq: int) -> Frame:
    return {**token(seq), "type": "reset", "reason": "lost"}


def _call(seq: int, **fields: Any) -> Frame:
    return {**token(seq), "type": "tool_call", "call": "c", "tool": "t", **fields}


def _end(seq: int, **fields: Any) -> Frame:
    return {**token(seq), "type": "complete", "finish_reason": "stop", "usage": None, "message": "m1", **fields}


def _whole(shown: Frame) -> Frame:
    """The log of these tests only changes a session; a real one is born with all of its fields."""
    return {**shown, "session": None}


def _by_id(state: State) -> Frame:
    """What is shown, without the order in which members came, which a database does not tell."""
    shown = state.to_snapshot(LOG, 200)
    return {
        **shown,
        "members": {member["user"]["id"]: member for member in shown["members"]},
        "streams": {stream["id"]: stream for stream in shown["streams"]},
    }
