"""Webhooks of a whole server: sent beside the mails, by Celery, and again where they were not taken."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cli.processes import until
from tests.integration.client import live
from tests.integration.stack import Stack
from tests.streaming.notices.conftest import SECRET
from tests.streaming.notices.receiving import receiving

pytestmark = pytest.mark.timeout(150)


async def test_a_receiver_that_failed_once_gets_everything(start: Callable[..., Stack], prompt: str) -> None:
    with receiving() as receiver:
        receiver.statuses = [503]
        stack = start(
            people=("Olga",), WEBHOOK_URLS=f"{receiver.url}/hook", WEBHOOK_SECRET=SECRET, WEBHOOK_ALLOW_PRIVATE="true"
        )
        async with live(stack, stack.people["Olga"]) as olga:
            stream, watched = await olga.start(prompt, "script-echo")
            await olga.end_of(watched, stream)
        until(lambda: len(receiver.received) >= 3, "both events, one of them twice", 60)
        events = {event["id"]: event for event in receiver.events}
        assert sorted(event["type"] for event in events.values()) == ["stream_complete", "stream_start"]
        assert {event["stream"] for event in events.values()} == {stream}
        until(lambda: not stack.rows("SELECT id FROM streaming_notice"), "nothing waits")
