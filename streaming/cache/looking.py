"""Looking for an answer before a model is asked, and keeping the one that it gave. For code in threads.

Whatever goes wrong with the cache is logged, and then it is as if nothing were kept.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from sessions.models import LiveSession, MessageRole, User
from sessions.outages import DATABASE_AWAY
from sessions.queries import Said, history
from streaming import metrics, queueing
from streaming.cache.answer import CachedAnswer, Found, Unreadable, keepable
from streaming.cache.question import Question, is_wanted, is_wanted_by_meaning, messages_in_session, question_of
from streaming.cache.semantic import search
from streaming.cache.semantic.embedding import EmbeddingUnavailable
from streaming.cache.store import About, CacheUnavailable, the_store
from streaming.endings import Outcome
from streaming.models import Stream
from streaming.tools.offered import may_offer

logger = logging.getLogger(__name__)

# Messages that a question may consist of; a longer conversation is never the same as another.
LONGEST = 400

Conversation = Sequence[Mapping[str, Any]]


def find(stream: Stream, messages: Conversation) -> Found | None:
    """The answer to what `stream` would ask with `messages`, where its caller wants one from the cache."""
    if not is_wanted(stream):
        return None
    question = question_of(stream, messages)
    found = _found(stream, question) if question is not None else None
    if found is None:
        metrics.CACHE_MISSES.inc()
    else:
        metrics.CACHE_HITS.labels(found.how).inc()
    return found


def find_in_session(stream: Stream, session: LiveSession, user: User, prompt: str) -> Found | None:
    """As `find`, for a prompt that is about to be posted; good only while nobody else posts there.

    None while something is being written: what the model will be told is not known before it is. Then `queued` looks.
    """
    if not is_wanted(stream) or queueing.open_streams(session.pk).exists():
        return None
    tools = _has_tools(stream)
    said = [
        *history(session.pk, LONGEST, with_tools=tools),
        Said(session.last_n + 1, MessageRole.USER, prompt, user.name),
    ]
    if len(said) >= LONGEST:
        return None
    return find(stream, messages_in_session(session.system_prompt, said, with_tools=tools))


def conversation_of(stream: Stream, system: str, said: Sequence[Said]) -> Conversation | None:
    """What a stream asked, from what its worker loaded; None where it is too long to be asked again."""
    if (messages := stream.request.get("messages")) is not None:
        return list(messages)
    return messages_in_session(system, said, with_tools=_has_tools(stream)) if len(said) < LONGEST else None


def _has_tools(stream: Stream) -> bool:
    """Whether the model is offered some, and so is told what those of earlier answers gave."""
    return may_offer(stream.request["options"])


def keep(stream: Stream, messages: Conversation, outcome: Outcome) -> None:
    """Keep the answer that `stream` ends with, if it is one that may be given again."""
    answer = keepable(outcome, model=stream.model, node=stream.node)
    if answer is None or not is_wanted(stream):
        return
    about = About(str(stream.user_id or ""), str(stream.session_id or ""), (stream.model, stream.requested_model))
    try:
        question = question_of(stream, messages)
        if question is not None:
            vector = search.packed(question) if is_wanted_by_meaning(stream) else b""
            ttl = stream.request["options"]["cache"]["ttl"]
            the_store().put(question.key, answer.to_bytes(), about, ttl, vector)
    except (CacheUnavailable, *DATABASE_AWAY) as error:
        logger.warning("The answer of stream %s is not kept for others: %s", stream.pk, error)


class CacheEntries(Collector):
    """For `/metrics`: how many answers are kept. It is asked of Redis, and so by one process for all."""

    def describe(self) -> Iterable[Metric]:
        """Nothing is asked while it is registered."""
        yield _entries()

    def collect(self) -> Iterable[Metric]:
        """Not a number where it is not known."""
        try:
            count: float = the_store().count()
        except CacheUnavailable:
            count = math.nan
        yield _entries(count)


def _entries(count: float | None = None) -> Metric:
    return GaugeMetricFamily("hanzo_live_cache_entries", "Answers that the cache holds.", value=count)


def _found(stream: Stream, question: Question) -> Found | None:
    try:
        raw = the_store().get(question.key)
        if raw is not None:
            return Found(CachedAnswer.from_bytes(raw), "exact")
        if not is_wanted_by_meaning(stream):
            return None
        threshold = stream.request["options"]["cache"]["similarity_threshold"]
        return search.find(the_store(), question, threshold)
    except (CacheUnavailable, EmbeddingUnavailable, Unreadable) as error:
        logger.warning("The cache is not used: %s", error)
        return None
