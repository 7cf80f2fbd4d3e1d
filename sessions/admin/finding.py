"""Searching the admin panel's lists by what an index knows: ids, and how slugs, addresses and titles begin."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django.db.models import Q

from sessions.access import id_of
from sessions.search import sessions_titled

MAX_WORDS = 5

Matcher = Callable[[str], Q | None]


def by_id(*fields: str) -> Matcher:
    """`fields` that hold ids, where the word is one."""

    def match(word: str) -> Q | None:
        found = id_of(word.lower())
        return None if found is None else any_of(Q(**{field: found}) for field in fields)

    return match


def beginning(*fields: str) -> Matcher:
    """`fields` in small letters that begin with the word."""

    def match(word: str) -> Q | None:
        return any_of(Q(**{f"{field}__startswith": word.lower()}) for field in fields)

    return match


def titled(field: str) -> Matcher:
    """`field` names a session whose title has a word that begins like this."""

    def match(word: str) -> Q | None:
        sessions = sessions_titled(word)
        return None if sessions is None else Q(**{f"{field}__in": sessions})

    return match


def containing(*fields: str) -> Matcher:
    """`fields` that have the word somewhere. No index helps: for tables that stay small."""

    def match(word: str) -> Q | None:
        return any_of(Q(**{f"{field}__icontains": word}) for field in fields)

    return match


def conditions(term: str, matchers: Iterable[Matcher]) -> list[Q]:
    """One condition for each word of `term`, which all have to hold. What can match nothing is an empty `in`."""
    found = []
    for word in term.split()[:MAX_WORDS]:
        matches = [match for matcher in matchers if (match := matcher(word)) is not None]
        found.append(any_of(matches) if matches else Q(pk__in=[]))
    return found


def any_of(parts: Iterable[Q]) -> Q:
    whole = Q()
    for part in parts:
        whole |= part
    return whole
