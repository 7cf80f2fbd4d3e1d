"""The core's connection: hello, commands, silence, lost sockets and how they come back. No socket, no clock."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hanzo_live.core.actions import Connect, Disconnect, Send
from hanzo_live.core.backoff import Reconnect
from hanzo_live.core.link import Link
from hanzo_live.core.subscription import WatchOptions
from hanzo_live.errors import HanzoLiveError, disconnected
from hanzo_live.protocol import CloseCode
from tests.clients.python.lines import WELCOME, Clock, Heard, Sink, link_of

LOG = "session:s"
SNAPSHOT_STATE = {"session": None, "members": [], "messages": [], "has_more": False, "streams": []}


class End:
    """The other end of one link, by hand."""

    def __init__(self, **options: Any) -> None:
        self.clock = Clock()
        self.heard = Heard()
        self.link: Link = link_of(self.heard, self.clock, **options)
        self.connection = self.link.connection
        self.replies: list[Any] = []

    def sent(self) -> list[dict[str, Any]]:
        """The frames sent since the last time."""
        return [json.loads(action.text) for action in self.connection.take_actions() if isinstance(action, Send)]

    def give(self, **frame: Any) -> None:
        self.connection.receive(json.dumps(frame))

    def ask(self, kind: str, *, repeat: bool = False, **fields: Any) -> None:
        keep = self.replies.append
        self.connection.request({"type": kind, **fields}, ok=keep, failed=keep, repeat=repeat)

    def open(self, token: str | None = None) -> None:
        """From wherever it is to live."""
        self.connection.start()
        assert Connect() in self.connection.take_actions()
        self.welcome(token)

    def welcome(self, token: str | None = None) -> None:
        self.connection.opened(token)
        (hello,) = self.sent()
        assert hello["type"] == "hello"
        assert hello["token"] == token
        self.give(**{**WELCOME, "id": hello["id"]})

    def later(self, seconds: float) -> None:
        self.clock.now += seconds
        self.connection.timers.run()

    @property
    def status(self) -> str:
        return self.connection.state.status


def test_commands_wait_for_the_welcome_and_go_in_their_order() -> None:
    end = End()
    end.ask("ping")
    end.ask("message.read", session="s", n=1)
    assert end.connection.take_actions() == [Connect()]
    end.welcome("hzt_1")
    first, second = end.sent()
    assert [first["type"], second["type"]] == ["ping", "message.read"]
    end.give(type="ok", id=second["id"])
    end.give(type="pong", id=first["id"])
    assert [reply["type"] for reply in end.replies] == ["ok", "pong"]


def test_a_refused_command_gets_the_wires_error_in_upper_case() -> None:
    end = End()
    end.open()
    end.ask("stream.stop", stream="x")
    (stop,) = end.sent()
    end.give(type="error", id=stop["id"], code="not_found", message="No such stream.", retryable=False)
    (error,) = end.replies
    assert (error.code, str(error), error.retryable) == ("NOT_FOUND", "No such stream.", False)
    assert end.heard.errors == []


def test_after_a_cut_what_may_be_repeated_is_sent_again_and_the_rest_fails() -> None:
    end = End()
    end.open()
    end.ask("message.send", session="s", content="x", key="k", repeat=True)
    end.ask("presence.set", session="s", typing=True)
    end.sent()
    end.connection.closed(1006)
    assert [error.code for error in end.replies] == ["DISCONNECTED"]
    assert end.status == "waiting"
    end.later(1)
    assert end.connection.take_actions() == [Disconnect(), Connect()]
    end.welcome()
    (again,) = end.sent()
    assert (again["type"], again["key"]) == ("message.send", "k")
    assert end.heard.attempts == [1]
    assert end.heard.returns == 1


def test_full_jitter_doubles_its_ceiling_up_to_half_a_minute() -> None:
    reconnect = Reconnect(delay_ms=1000)
    assert [reconnect.delay(attempt, lambda: 1.0) for attempt in (1, 2, 3, 6, 1000)] == [1, 2, 4, 30, 30]
    assert reconnect.delay(6, lambda: 0.0) == 0
    assert Reconnect(exponential_backoff=False).delay(9, lambda: 0.5) == 0.5


def test_attempts_are_counted_in_a_row_and_then_spent() -> None:
    end = End(reconnect=Reconnect(max_attempts=2))
    end.ask("ping")
    for _ in range(2):
        assert end.status == "connecting"
        end.connection.lost(disconnected("refused"))
        end.later(30)
    end.connection.lost(disconnected("refused"))
    assert end.status == "offline"
    assert end.connection.state.error is not None
    assert [error.message for error in end.replies] == ["refused"]
    end.connection.start()
    assert end.status == "connecting"


@pytest.mark.parametrize("code", list(CloseCode))
def test_a_close_code_says_whether_it_comes_back(code: CloseCode) -> None:
    end = End()
    end.open()
    end.connection.closed(int(code))
    assert end.status == ("waiting" if code.kind.reconnect else "ended")
    assert end.heard.errors[-1].message.endswith(".")


def test_a_wrong_token_ends_it_unless_there_may_be_a_fresh_one() -> None:
    for fresh, statuses in ((False, ["ended"]), (True, ["connecting", "ended"])):
        end = End(fresh_tokens=fresh)
        end.connection.start()
        for expected in statuses:
            end.connection.take_actions()
            end.connection.opened("wrong")
            (hello,) = end.sent()
            refusal = {"code": "unauthenticated", "message": "The token is wrong.", "retryable": False}
            end.give(type="error", id=hello["id"], **refusal)
            assert end.status == expected


def test_what_the_server_says_before_it_closes_is_the_reason_and_its_time_is_kept() -> None:
    end = End()
    end.open()
    end.give(type="error", id=None, code="busy", message="The server is full.", retryable=True, retry_after=60)
    end.connection.closed(4503)
    assert [error.message for error in end.heard.errors] == ["The server is full."] * 2
    end.later(59)
    assert end.status == "waiting"
    end.later(2)
    assert end.status == "connecting"


def test_silence_is_asked_about_and_then_given_up() -> None:
    end = End()
    end.open()
    end.later(25)
    (ping,) = end.sent()
    assert ping["type"] == "ping"
    end.give(type="pong", id=ping["id"])
    end.later(24)
    assert end.sent() == []
    end.later(1)
    assert [frame["type"] for frame in end.sent()] == ["ping"]
    end.later(8)
    assert end.status == "waiting"


def test_a_server_that_does_not_answer_the_hello_is_given_up() -> None:
    end = End()
    end.connection.start()
    end.connection.opened(None)
    end.later(10)
    assert end.status == "waiting"


def test_a_server_that_drains_is_left_when_it_says_so() -> None:
    end = End()
    end.open()
    end.give(type="goaway", reason="The server restarts.", reconnect_after_ms=2000)
    end.later(2)
    assert end.status == "live"
    end.later(0.5)
    assert end.connection.take_actions() == [Disconnect(), Connect()]
    assert end.heard.errors == []


def test_too_large_a_command_is_not_sent() -> None:
    end = End()
    end.open()
    end.ask("message.send", session="s", content="é" * 600_000)
    assert end.sent() == []
    assert end.replies[0].code == "TOO_LARGE"


@pytest.mark.parametrize("text", ["", "[]", "7", "{", '{"type": 3}', '{"type": "ok", "id": true}', "[" * 100_000])
def test_what_is_no_frame_is_ignored(text: str) -> None:
    end = End()
    end.open()
    end.connection.receive(text)
    end.connection.receive('{"type": "token_of_the_future", "log": "session:nobody"}')
    assert end.status == "live"


def test_subscriptions_are_renewed_from_where_they_were_before_commands_that_waited() -> None:
    end = End()
    end.open()
    sink = Sink()
    end.link.watch(LOG, sink, WatchOptions(tail=5))
    (first,) = end.sent()
    assert (first["type"], first["tail"], "seq" in first) == ("subscribe", 5, False)
    end.give(type="ok", id=first["id"], log=LOG, epoch="e1", seq=3, mode="snapshot")
    end.give(type="snapshot", log=LOG, epoch="e1", seq=3, state=SNAPSHOT_STATE)
    end.connection.closed(1006)
    end.ask("ping")
    end.later(1)
    end.connection.take_actions()
    end.welcome()
    again, ping = end.sent()
    assert (again["type"], again["epoch"], again["seq"]) == ("subscribe", "e1", 3)
    assert ping["type"] == "ping"


def test_gaps_without_an_end_ask_for_a_snapshot() -> None:
    end = End()
    end.open()
    end.link.watch(LOG, Sink(), WatchOptions())
    (asked,) = end.sent()
    end.give(type="ok", id=asked["id"], log=LOG, epoch="e1", seq=3, mode="live")
    seqs = []
    for _ in range(3):
        end.give(type="token", log=LOG, seq=9, ts=0, stream="r", data="x", n=1)
        (asked,) = end.sent()
        seqs.append(asked.get("seq"))
        end.give(type="ok", id=asked["id"], log=LOG, epoch="e1", seq=9, mode="replay")
    assert seqs == [3, 3, None]


def test_a_subscription_that_is_refused_for_now_is_asked_for_again() -> None:
    end = End()
    end.open()
    sink = Sink()
    end.link.watch(LOG, sink, WatchOptions())
    (asked,) = end.sent()
    end.give(type="error", id=asked["id"], code="rate_limited", message="Too many.", retryable=True, retry_after=5)
    end.later(4)
    assert end.sent() == []
    end.later(1)
    (asked,) = end.sent()
    end.give(type="error", id=asked["id"], code="forbidden", message="Not yours.", retryable=False)
    assert sink.error is not None
    assert sink.error.code == "FORBIDDEN"


def test_a_log_by_slug_is_known_by_its_id_and_ends_when_it_is_taken_away() -> None:
    end = End()
    end.open()
    sink = Sink()
    end.link.watch("session:plan", sink, WatchOptions())
    (asked,) = end.sent()
    end.give(type="ok", id=asked["id"], log=LOG, epoch="e1", seq=0, mode="live")
    end.give(type="token", log=LOG, seq=1, ts=0, stream="r", data="x", n=1)
    end.give(type="unsubscribed", log=LOG, reason="archived")
    (again,) = end.sent()
    assert again["log"] == "session:plan"
    end.give(type="unsubscribed", log=LOG, reason="removed")
    assert [event["type"] for event in sink.events] == ["token", "unsubscribed", "unsubscribed"]
    assert sink.error is not None
    assert "no longer a member" in sink.error.message


def test_the_last_who_leaves_unsubscribes() -> None:
    end = End()
    end.open()
    leave = [end.link.watch(LOG, Sink(), WatchOptions()) for _ in range(2)]
    end.sent()
    leave[0]()
    leave[0]()
    assert end.sent() == []
    leave[1]()
    assert [frame["type"] for frame in end.sent()] == ["unsubscribe"]


def test_disconnecting_tells_every_watcher_and_every_waiting_command() -> None:
    end = End()
    end.open()
    sink = Sink()
    end.link.watch(LOG, sink, WatchOptions())
    end.ask("ping")
    end.link.close(HanzoLiveError("DISCONNECTED", "The client was disconnected."))
    assert sink.error is not None
    assert [error.code for error in end.replies] == ["DISCONNECTED"]
    assert end.connection.timers.next is None
    assert end.status == "idle"
