"""Which draft of a session is the next one, as its messages tell."""

from __future__ import annotations

from typing import Any

import pytest

from sessions.services import post_message
from streaming.sockets.drafts import first_unposted


def test_the_first_draft_is_one(live_session: Any) -> None:
    assert first_unposted(live_session.log) == 1


def test_it_is_the_one_after_the_last_that_anybody_posted(live_session: Any, owner: Any, teammate: Any) -> None:
    post_message(live_session.pk, owner, "one", key="draft:1")
    post_message(live_session.pk, teammate, "two", key="draft:2")
    post_message(live_session.pk, owner, "something else")
    assert first_unposted(live_session.log) == 3


@pytest.mark.parametrize("key", ["draft:", "draft:x", "draft:1x", "draft:-1", "draft:99999999999", "my draft:7", "7"])
def test_keys_that_only_look_like_a_drafts_say_nothing(live_session: Any, owner: Any, key: str) -> None:
    post_message(live_session.pk, owner, "one", key="draft:1")
    post_message(live_session.pk, owner, "two", key=key)
    assert first_unposted(live_session.log) == 2
