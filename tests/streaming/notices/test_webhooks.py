"""What others are told of streams over HTTP: signed, tried again, and no way into the operator's network."""

from __future__ import annotations

import re
import socket
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from hanzo_live.protocol.errors import ErrorCode, LiveError
from hanzo_live.protocol.options import CacheOptions
from hanzolive import options
from sessions.audit import Operator
from streaming.models import Notice
from streaming.notices import StreamEvent, delivering, webhook
from streaming.operations import retry_notice
from tests.streaming.notices.conftest import SECRET
from tests.streaming.notices.receiving import Receiver
from tests.streaming.runner.house import Crew, ask

PAGE = Path(__file__).parents[3] / "docs" / "webhooks.md"
EVENT = StreamEvent(
    id="e-1", type="stream_start", at="2026-11-23T15:04:05.120Z", stream="s", session=None, user=None, tenant=None,
    model="m", requested_model=None, node="local",
)  # fmt: skip


def documented_verify() -> Any:
    """The function of the documentation."""
    code = next(block for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.S) if "def verify" in block)
    names: dict[str, Any] = {}
    exec(code, names)
    return names["verify"]


@pytest.fixture
def notice(receiver: Receiver, settings: Any, transactional_db: None) -> Notice:
    """One that waits for its first try."""
    made = Notice.objects.create(url=settings.WEBHOOK_URLS[0], body=EVENT.wire())
    return Notice.objects.get(pk=made.pk)


def test_a_stream_is_told_of_and_the_documented_example_verifies_it(crew: Crew, owner: Any, receiver: Receiver) -> None:
    started = ask(owner, "a secret plan", model="script-echo")
    crew.carry(crew.here(), started.stream).result(15)
    for pk in Notice.objects.order_by("pk").values_list("pk", flat=True):
        assert delivering.deliver(pk) is None
    start, end = receiver.events
    assert (start["type"], end["type"], end["stream"]) == ("stream_start", "stream_complete", str(started.stream))
    assert end["total_tokens"] > 0
    verify = documented_verify()
    for headers, body in receiver.received:
        assert headers["content-type"] == "application/json"
        assert b"secret plan" not in body
        verify(headers, body, SECRET)
        with pytest.raises(ValueError, match="not from our server"):
            verify(headers, body + b" ", SECRET)
        with pytest.raises(ValueError, match="not from our server"):
            verify(headers, body, "whsec_YW5vdGhlcg==")
        with pytest.raises(ValueError, match="too old"):
            verify({**headers, "webhook-timestamp": "1700000000"}, body, SECRET)
    assert {headers["webhook-id"] for headers, _ in receiver.received} == {start["id"], end["id"]}
    assert Notice.objects.count() == 0


def test_an_answer_from_the_cache_is_told_of_as_one(crew: Crew, owner: Any, receiver: Receiver) -> None:
    cached = CacheOptions(enabled=True)
    first = ask(owner, "a secret plan", cache=cached)
    crew.carry(crew.here(), first.stream).result(15)
    again = ask(owner, "a secret plan", cache=cached)
    for pk in Notice.objects.order_by("pk").values_list("pk", flat=True):
        assert delivering.deliver(pk) is None
    told = [(event["type"], event["stream"], event["cached"]) for event in receiver.events]
    assert told == [
        ("stream_start", str(first.stream), None),
        ("stream_complete", str(first.stream), None),
        ("stream_start", str(again.stream), "exact"),
        ("stream_complete", str(again.stream), "exact"),
    ]
    verify = documented_verify()
    for headers, body in receiver.received:
        verify(headers, body, SECRET)
        assert b"secret plan" not in body


def test_what_is_not_taken_waits_longer_each_time_and_comes_with_the_same_id(
    notice: Notice, receiver: Receiver
) -> None:
    receiver.statuses = [500, 429, 302, 404]
    for waits in (2, 4, 8, 16):
        assert delivering.deliver(notice.pk) == waits
        assert delivering.deliver(notice.pk) is None, "not before its time"
        Notice.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    assert delivering.deliver(notice.pk) is None
    assert [headers["webhook-id"] for headers, _ in receiver.received] == ["e-1"] * 5
    assert not Notice.objects.exists()


def test_it_is_given_up_after_the_last_try_or_where_the_receiver_says_so(notice: Notice, receiver: Receiver) -> None:
    Notice.objects.update(attempts=delivering.MAX_ATTEMPTS - 1)
    receiver.statuses = [500]
    assert delivering.deliver(notice.pk) is None
    again = Notice.objects.create(url=notice.url, body=EVENT.wire())
    receiver.statuses = [410]
    assert delivering.deliver(again.pk) is None
    assert len(receiver.received) == 2
    answers = Notice.objects.filter(given_up_at__isnull=False).order_by("pk").values_list("last_answer", flat=True)
    assert list(answers) == ["It was answered with 500.", "It was answered with 410."]


def test_what_was_given_up_is_not_tried_by_itself_but_again_by_an_operator_and_goes_after_a_week(
    notice: Notice, receiver: Receiver, worker: None, make_user: Any
) -> None:
    operator = Operator(make_user("Ada", is_staff=True, is_superuser=True))
    long_ago = timezone.now() - 2 * delivering.LOST_AFTER
    Notice.objects.update(given_up_at=long_ago, due_at=long_ago, attempts=delivering.MAX_ATTEMPTS)
    assert delivering.sweep() == 0
    assert delivering.deliver(notice.pk) is None
    assert receiver.received == []
    retry_notice(operator, notice)
    (headers, _) = receiver.received[0]
    assert headers["webhook-id"] == "e-1"
    assert not Notice.objects.exists()
    with pytest.raises(LiveError) as refused:
        retry_notice(operator, notice)
    assert refused.value.code == ErrorCode.CONFLICT
    Notice.objects.create(url=notice.url, body=EVENT.wire(), given_up_at=timezone.now() - 2 * delivering.KEPT)
    assert delivering.sweep() == 0
    assert not Notice.objects.exists()


def test_one_whose_task_was_lost_is_found(notice: Notice, receiver: Receiver, worker: None) -> None:
    assert delivering.sweep() == 0
    Notice.objects.update(due_at=timezone.now() - 2 * delivering.LOST_AFTER)
    assert delivering.sweep() == 1
    assert len(receiver.received) == 1
    assert not Notice.objects.exists()


def test_of_two_that_try_at_once_one_does(notice: Notice, receiver: Receiver) -> None:
    Notice.objects.update(due_at=timezone.now() + timedelta(seconds=delivering.TAKEN_S))
    assert delivering.deliver(notice.pk) is None
    assert receiver.received == []


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "10.0.0.1", "169.254.169.254", "[::ffff:127.0.0.1]", "0.0.0.0"]
)
def test_no_address_inside_the_network_is_asked(receiver: Receiver, host: str) -> None:
    port = receiver.url.rpartition(":")[2]
    with pytest.raises(webhook.Refused, match="not a public address"):
        webhook.send(f"http://{host}:{port}/hook", SECRET, EVENT, allow_private=False)
    assert receiver.received == []


@pytest.mark.parametrize(
    "answers",
    [
        ["10.0.0.1"],
        ["93.184.216.34", "127.0.0.1"],
        ["fec0::1"],
        ["64:ff9b::a00:1"],
        ["2002:7f00:1::"],
        ["::127.0.0.1"],
        ["fe80::1%lo"],
        ["224.0.0.1"],
    ],
)
def test_a_name_that_leads_inside_the_network_is_not_asked(monkeypatch: pytest.MonkeyPatch, answers: list[str]) -> None:
    resolved = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in answers]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: resolved)
    with pytest.raises(webhook.Refused, match="hooks.example.com is not a public address"):
        webhook.send("http://hooks.example.com/", SECRET, EVENT, allow_private=False)


def test_a_public_name_is_asked_by_the_address_that_was_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def resolve(host: str, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 0))]

    def connect(address: tuple[str, int], *_: Any, **__: Any) -> Any:
        asked.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(webhook.Refused):
        webhook.send("http://hooks.example.com/", SECRET, EVENT, allow_private=False)
    assert asked == ["hooks.example.com", "93.184.216.34"]


def test_a_redirection_is_not_followed(receiver: Receiver) -> None:
    receiver.statuses = [307]
    with pytest.raises(webhook.Refused, match="307"):
        webhook.send(f"{receiver.url}/hook", SECRET, EVENT, allow_private=True)
    assert len(receiver.received) == 1


def test_who_answers_drop_by_drop_is_not_waited_for(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "TIMEOUT_S", 2.0)
    receiver.drips.set()
    with pytest.raises(webhook.Refused):
        webhook.send(f"{receiver.url}/hook", SECRET, EVENT, allow_private=True)
    assert len(receiver.received) == 1


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "https://no-such-host.invalid/", "https://", "nonsense"])
def test_what_cannot_be_reached_is_a_refusal(url: str) -> None:
    with pytest.raises(webhook.Refused):
        webhook.send(url, SECRET, EVENT, allow_private=True)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"WEBHOOK_URLS": "https://a.example/"}, "WEBHOOK_SECRET"),
        ({"WEBHOOK_URLS": "http://a.example/", "WEBHOOK_SECRET": "x"}, "https://"),
        ({"WEBHOOK_URLS": "ftp://a.example/", "WEBHOOK_SECRET": "x", "WEBHOOK_ALLOW_PRIVATE": "1"}, "https://"),
    ],
)
def test_the_operator_is_told_what_is_wrong(given: dict[str, str], words: str) -> None:
    with pytest.raises(options.OptionError, match=words):
        options.parsed(given)
