"""Finding sessions and messages by their words, among those that a user may read. Read-only.

Every word has to occur, as the beginning of a word; "words in quotes" have to stand together. There is no stemming: the
sessions of one server are in many languages. What the index is made of is `search_schema`'s.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models.expressions import RawSQL

from hanzo_live.protocol.errors import ErrorCode, LiveError
from sessions.models import LiveSession, Member, Message, User
from sessions.positions import Page, bad_cursor
from sessions.search_schema import SEARCHED
from sessions.snippets import Snippet, snippet_of

MAX_QUERY = 200
MAX_TERMS = 16
# Nobody reads further; ranking more costs more.
MAX_RESULTS = 1_000

QUOTED = re.compile(r'"([^"]*)"|(\S+)')

POSTGRESQL = """
SELECT message_id, session_id FROM (
  SELECT message.id AS message_id, message.session_id AS session_id, message.created_at AS moment,
         ts_rank(message.search, to_tsquery('simple', %(words)s)) AS score
  FROM live_sessions_member AS member JOIN live_sessions_message AS message ON message.session_id = member.session_id
  WHERE member.user_id = %(user)s AND message.search @@ to_tsquery('simple', %(words)s)
  UNION ALL
  SELECT NULL, session.id, session.created_at, ts_rank(session.search, to_tsquery('simple', %(words)s))
  FROM live_sessions_member AS member JOIN live_sessions_livesession AS session ON session.id = member.session_id
  WHERE member.user_id = %(user)s AND session.search @@ to_tsquery('simple', %(words)s)
) AS found
WHERE %(session)s::uuid IS NULL OR session_id = %(session)s::uuid
ORDER BY score DESC, moment DESC, message_id LIMIT %(limit)s OFFSET %(offset)s
"""

SQLITE = """
SELECT entry.message_id, member.session_id
FROM live_sessions_search
JOIN live_sessions_search_entry AS entry ON entry.id = live_sessions_search.rowid
LEFT JOIN live_sessions_message AS message ON message.id = entry.message_id
JOIN live_sessions_member AS member
  ON member.session_id = COALESCE(message.session_id, entry.session_id) AND member.user_id = %(user)s
WHERE live_sessions_search MATCH %(words)s AND (%(session)s IS NULL OR member.session_id = %(session)s)
ORDER BY bm25(live_sessions_search, 10.0, 1.0), entry.id DESC LIMIT %(limit)s OFFSET %(offset)s
"""


@dataclass(frozen=True, slots=True)
class Found:
    """A session by its title, or one of its messages."""

    session: LiveSession
    message: Message | None
    snippet: Snippet


def search(
    user: User, query: str, limit: int, cursor: str | None = None, session: LiveSession | None = None
) -> Page[Found]:
    """What matches best first; with `session` only in that one. Three queries, whatever is found.

    Raises LiveError `bad_request` for a query without words, and for a cursor that is not ours.
    """
    terms = terms_of(query)
    offset = _offset_of(cursor)
    keys = _keys(user, terms, min(limit + 1, MAX_RESULTS - offset), offset, session)
    sessions = LiveSession.objects.in_bulk({session_id for _, session_id in keys})
    messages = Message.objects.select_related("user").in_bulk({id for id, _ in keys if id is not None})
    results = []
    for message_id, session_id in keys[:limit]:
        message = messages.get(message_id) if message_id else None
        if session_id not in sessions or (message_id and message is None):
            continue  # deleted between the queries
        text = message.content[:SEARCHED] if message else sessions[session_id].title
        results.append(Found(sessions[session_id], message, snippet_of(text, terms)))
    return Page(
        results,
        next=f"o{offset + limit}" if len(keys) > limit else None,
        previous=f"o{max(0, offset - limit)}" if offset else None,
    )


def terms_of(query: str) -> list[tuple[str, ...]]:
    """The terms that have to occur: a word, or several that were in quotes. Raises LiveError `bad_request` for none."""
    terms: list[tuple[str, ...]] = []
    for quoted, word in QUOTED.findall(query[:MAX_QUERY]):
        words = _words(quoted or word)
        if quoted and words:
            terms.append(tuple(words))
        else:
            terms += [(each,) for each in words]
    if not terms:
        raise LiveError(ErrorCode.BAD_REQUEST, "There is no word in `q`; write at least one.", field="q")
    return terms[:MAX_TERMS]


def sessions_titled(query: str) -> RawSQL | None:
    """The ids of all sessions whose titles match, for a filter with `in`; None where `query` has no word.

    Everybody's: whoever asks has been let into the admin panel.
    """
    try:
        terms = terms_of(query)
    except LiveError:
        return None
    if connection.vendor == "postgresql":
        words = " & ".join(_postgresql(term) for term in terms)
        return RawSQL("SELECT id FROM live_sessions_livesession WHERE search @@ to_tsquery('simple', %s)", [words])
    words = " AND ".join(_fts5(term) for term in terms)
    return RawSQL(
        "SELECT entry.session_id FROM live_sessions_search JOIN live_sessions_search_entry AS entry"
        " ON entry.id = live_sessions_search.rowid WHERE live_sessions_search MATCH %s",
        [f"title : ({words})"],
    )


def _words(text: str) -> list[str]:
    """The runs of letters, digits and the marks on them: nothing that either database reads as an operator."""
    parts = "".join(each if unicodedata.category(each)[0] in "LNM" else " " for each in text).split()
    return [part for part in parts if any(unicodedata.category(each)[0] in "LN" for each in part)]


def _keys(
    user: User, terms: list[tuple[str, ...]], limit: int, offset: int, session: LiveSession | None
) -> list[tuple[UUID | None, UUID]]:
    """(message or None, session) of what matches, in order."""
    column = Member._meta.get_field("session").target_field  # both keys are of one kind
    values: dict[str, Any] = {
        "user": column.get_db_prep_value(user.pk, connection),
        "session": column.get_db_prep_value(session.pk, connection) if session else None,
        "limit": max(limit, 0),
        "offset": offset,
    }
    if connection.vendor == "postgresql":
        statement, values["words"] = POSTGRESQL, " & ".join(_postgresql(term) for term in terms)
    else:
        statement, values["words"] = SQLITE, " AND ".join(_fts5(term) for term in terms)
    with connection.cursor() as rows:
        rows.execute(statement, values)
        return [(UUID(str(id)) if id else None, UUID(str(session_id))) for id, session_id in rows.fetchall()]


def _postgresql(term: tuple[str, ...]) -> str:
    return f"'{term[0]}':*" if len(term) == 1 else "(" + " <-> ".join(f"'{word}'" for word in term) + ")"


def _fts5(term: tuple[str, ...]) -> str:
    return f'"{term[0]}"*' if len(term) == 1 else '"' + " ".join(term) + '"'


def _offset_of(cursor: str | None) -> int:
    if cursor is None:
        return 0
    digits = cursor[1:]
    if cursor[:1] != "o" or not (digits.isascii() and digits.isdigit()) or len(digits) > 4:
        raise bad_cursor()
    return min(int(digits), MAX_RESULTS)
