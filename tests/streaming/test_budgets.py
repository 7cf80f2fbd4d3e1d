"""How much one person and one tenant may ask for: streams at once, and tokens a day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount

from hanzo_live.protocol.errors import ErrorCode, LiveError
from sessions.iam.accounts import PROVIDER
from sessions.models import Message
from streaming import budgets
from streaming.models import Stream, TokenUse
from streaming.services import stop_stream
from tests.streaming.runner.house import Crew, ask, row

LATE = datetime(2026, 11, 23, 22, 0, tzinfo=UTC)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Ten in the evening of a day that a test may end."""

    class Clock:
        now_ = LATE

        def now(self) -> datetime:
            return self.now_

    clock = Clock()
    monkeypatch.setattr(budgets, "timezone", clock)
    return clock


def refused(user: Any, **options: Any) -> LiveError:
    with pytest.raises(LiveError) as refusal:
        ask(user, **options)
    return refusal.value


def belongs_to(user: Any, tenant: str) -> None:
    SocialAccount.objects.create(user=user, provider=PROVIDER, uid=str(user.pk), extra_data={"owner": tenant})


def uses() -> dict[str, int]:
    return dict(TokenUse.objects.values_list("holder", "tokens"))


def test_what_an_answer_used_is_counted(crew: Crew, owner: Any, settings: Any) -> None:
    settings.TOKENS_PER_DAY_PER_USER = settings.TOKENS_PER_DAY_PER_TENANT = 1_000_000
    belongs_to(owner, "acme")
    worker = crew.here()
    streams = [ask(owner, model=model).stream for model in ("script-fast", "script-error-midway")]
    for stream in streams:
        crew.carry(worker, stream).result(15)
    total = sum((row(stream).usage or {})["total_tokens"] for stream in streams)
    assert total > 256
    assert uses() == {f"user:{owner.pk}": total, "tenant:acme": total}


def test_nothing_is_counted_without_a_budget(crew: Crew, owner: Any) -> None:
    crew.carry(crew.here(), ask(owner).stream).result(15)
    assert uses() == {}


@pytest.mark.django_db(transaction=True)
def test_who_has_used_up_a_day_is_told_when_the_next_begins(
    owner: Any, teammate: Any, settings: Any, clock: Any
) -> None:
    settings.TOKENS_PER_DAY_PER_USER = 1_000
    budgets.count(owner, 999)
    ask(owner)
    budgets.count(owner, 1)
    error = refused(owner)
    assert (error.code, error.retry_after, error.retryable) == (ErrorCode.RATE_LIMITED, 7_200, True)
    assert "1,000 tokens" in error.message
    assert "00:00 UTC, in 2 hours" in error.message
    ask(teammate)
    clock.now_ = LATE + timedelta(hours=2)
    ask(owner)


@pytest.mark.django_db(transaction=True)
def test_a_tenants_people_share_its_budget(owner: Any, teammate: Any, outsider: Any, settings: Any, clock: Any) -> None:
    settings.TOKENS_PER_DAY_PER_TENANT = 100
    for user, tenant in ((owner, "acme"), (teammate, "acme"), (outsider, "other")):
        belongs_to(user, tenant)
    budgets.count(owner, 100)
    assert "acme's budget" in refused(teammate).message
    ask(outsider)


@pytest.mark.django_db(transaction=True)
def test_a_refused_prompt_is_not_posted(owner: Any, live_session: Any, settings: Any) -> None:
    settings.TOKENS_PER_DAY_PER_USER = 1
    budgets.count(owner, 1)
    assert refused(owner, session="the-plan").code == ErrorCode.RATE_LIMITED
    assert (Message.objects.count(), Stream.objects.count()) == (0, 0)


@pytest.mark.django_db(transaction=True)
def test_a_retry_gets_the_stream_that_was_started_while_there_were_tokens(owner: Any, settings: Any) -> None:
    settings.TOKENS_PER_DAY_PER_USER = 1
    first = ask(owner, key="k")
    budgets.count(owner, 1)
    assert ask(owner, key="k").stream == first.stream


def test_an_answer_from_the_cache_is_neither_counted_nor_refused(crew: Crew, owner: Any, settings: Any) -> None:
    settings.TOKENS_PER_DAY_PER_USER = 1
    first = ask(owner, model="script-fast", cache={"enabled": True})
    crew.carry(crew.here(), first.stream).result(15)
    counted = uses()
    assert refused(owner, model="script-fast", prompt="another").code == ErrorCode.RATE_LIMITED
    again = ask(owner, model="script-fast", cache={"enabled": True})
    assert (row(again.stream).status, row(again.stream).cached) == ("complete", "exact")
    assert uses() == counted


@pytest.mark.django_db(transaction=True)
def test_old_days_are_forgotten(owner: Any, settings: Any, clock: Any) -> None:
    settings.TOKENS_PER_DAY_PER_USER = 1_000
    budgets.count(owner, 5)
    clock.now_ = LATE + budgets.KEPT + timedelta(days=1)
    budgets.count(owner, 7)
    budgets.count(owner, 1)
    assert list(TokenUse.objects.values_list("tokens", flat=True)) == [8]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("session", ["the-plan", None])
def test_one_person_may_have_so_many_streams_at_once(
    owner: Any, teammate: Any, live_session: Any, settings: Any, session: str | None
) -> None:
    settings.MAX_STREAMS_PER_USER = 2
    first, _ = ask(owner, session=session), ask(owner)
    error = refused(owner, session=session)
    assert (error.code, error.retryable) == (ErrorCode.BUSY, True)
    ask(teammate, session=session)
    stop_stream(owner, first.stream)
    ask(owner, session=session)
