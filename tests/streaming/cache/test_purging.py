"""Answers leave the cache when somebody wants them gone: theirs, their session's, their model's, and no others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission

from hanzo_live.protocol.errors import LiveError
from hanzo_live.protocol.options import CacheOptions
from sessions.audit import Operator
from sessions.models import AuditAction, AuditEntry
from sessions.services import delete_session
from streaming import operations
from streaming.cache import purging, store
from streaming.cache.store import the_store
from streaming.models import Stream
from streaming.runner.worker import WorkerProcess
from tests.rest import assert_is_error, call
from tests.streaming.runner.house import Crew, ask

CACHED = CacheOptions(enabled=True)


@pytest.fixture
def kept(crew: Crew, worker: WorkerProcess, owner: Any, teammate: Any, live_session: Any) -> Callable[[], set[str]]:
    """Three answers: the owner's own, the teammate's own, and the teammate's in the session. Which of them are kept."""
    own, other, said = (
        ask(owner, "one", cache=CACHED),
        ask(teammate, "two", cache=CACHED, model="script-fast"),
        ask(teammate, "three", cache=CACHED, session="the-plan"),
    )
    for started in (own, other, said):
        crew.carry(worker, started.stream).result(15)
    names = {
        (str(owner.pk), ""): "own",
        (str(teammate.pk), ""): "other",
        (str(teammate.pk), str(live_session.pk)): "said",
    }
    return lambda: {names[about.user, about.session] for _, about in the_store().all()}


def test_by_user_session_and_model(kept: Callable[[], set[str]], teammate: Any, live_session: Any) -> None:
    assert kept() == {"own", "other", "said"}
    assert purging.purge(session=live_session.pk, model="script-fast") == 0
    assert purging.purge(session=live_session.pk) == 1
    assert kept() == {"own", "other"}
    assert purging.purge(user=teammate.pk, model="script-fast") == 1
    assert purging.purge(model="script-echo") == 1
    assert kept() == set()


def test_over_rest_it_is_ones_own(kept: Callable[[], set[str]], owner: Any, signed_in: Callable[..., Any]) -> None:
    assert call(signed_in(owner), "DELETE", "/v1/cache").json() == {"purged": 1}
    assert kept() == {"other", "said"}


def test_over_rest_a_sessions_is_its_owners(
    kept: Callable[[], set[str]], owner: Any, teammate: Any, signed_in: Callable[..., Any]
) -> None:
    assert_is_error(call(signed_in(teammate), "DELETE", "/v1/cache?session=the-plan"), 403, "forbidden")
    assert call(signed_in(owner), "DELETE", "/v1/cache?session=the-plan").json() == {"purged": 1}
    assert kept() == {"own", "other"}


def test_it_goes_with_its_session(kept: Callable[[], set[str]], live_session: Any) -> None:
    delete_session(live_session)
    assert kept() == {"own", "other"}


@pytest.mark.parametrize(("what", "left"), [("user", {"own"}), ("session", {"own", "other"}), ("model", {"other"})])
def test_operators_do_it_and_it_is_written_down(
    kept: Callable[[], set[str]], outsider: Any, live_session: Any, what: str, left: set[str]
) -> None:
    stream = Stream.objects.get(session=live_session)
    with pytest.raises(LiveError, match="may not do this"):
        operations.purge_cache(Operator(outsider), stream, what)
    outsider.is_staff = True
    outsider.save()
    outsider.user_permissions.add(Permission.objects.get(codename="purge_cache"))
    operator = Operator(type(outsider).objects.get(pk=outsider.pk))
    operations.purge_cache(operator, stream, what)
    assert kept() == left
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.details["what"], entry.target) == (AuditAction.CACHE_PURGE, what, str(stream.pk))


def test_without_redis_it_says_that_nothing_is_gone(
    owner: Any, signed_in: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = store.AnswerStore("redis://127.0.0.1:1", max_entries=1, max_bytes=100)
    monkeypatch.setattr(purging, "the_store", lambda: gone)
    assert_is_error(call(signed_in(owner), "DELETE", "/v1/cache"), 503, "busy")
