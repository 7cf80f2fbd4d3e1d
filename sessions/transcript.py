"""A session's messages as one document to keep: JSON, Markdown, or a page that stands alone.

Made in pieces, so that a long one is never in memory as a whole. The page holds text only: what people and models wrote
is escaped, and nothing in it runs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string

from sessions.models import LiveSession, Message, MessageRole
from sessions.queries import member_wire, members_of, message_wire, messages_of, session_info

ROWS_AT_ONCE = 500

Pieces = Iterator[str]


def messages_in_order(session: LiveSession) -> Iterator[Message]:
    """Every message, oldest first, some at a time: each by a query of its own, which no open cursor ties to the last."""
    n = 0
    while rows := list(messages_of(session.pk).filter(n__gt=n).order_by("n")[:ROWS_AT_ONCE]):
        yield from rows
        n = rows[-1].n


def speaker_of(message: Message) -> str:
    """Whom the document names before a message."""
    if message.role == MessageRole.USER:
        return message.user.name if message.user else "Somebody who left"
    return "Assistant" if message.role == MessageRole.ASSISTANT else "System"


def json_pieces(session: LiveSession) -> Pieces:
    """One object, as REST has it: `session`, `members` and `messages`."""
    members = [member_wire(member) for member in members_of(session.pk)]
    yield f'{{"session": {_json(session_info(session))}, "members": {_json(members)}, "messages": ['
    for number, message in enumerate(messages_in_order(session)):
        yield f"{',' if number else ''}\n{_json(message_wire(message))}"
    yield "\n]}\n"


def markdown_pieces(session: LiveSession) -> Pieces:
    """One heading a message; the content as it was written, for models and people write Markdown."""
    yield f"# {_one_line(session.title)}\n"
    for message in messages_in_order(session):
        yield f"\n## {_one_line(speaker_of(message))}\n\n{message.content}\n"


def html_pieces(session: LiveSession) -> Pieces:
    """A page without scripts and without anything to load."""
    before, after = render_to_string("sessions/transcript.html", {"session": session}).split("<!-- messages -->")
    yield before
    for message in messages_in_order(session):
        yield render_to_string("sessions/transcript_message.html", {"speaker": speaker_of(message), "message": message})
    yield after


@dataclass(frozen=True, slots=True)
class Form:
    """A form that a transcript can be had in."""

    label: str
    content_type: str
    suffix: str
    pieces: Callable[[LiveSession], Pieces]


FORMS = {
    "json": Form("JSON", "application/json", "json", json_pieces),
    "markdown": Form("Markdown", "text/markdown; charset=utf-8", "md", markdown_pieces),
    "html": Form("HTML", "text/html; charset=utf-8", "html", html_pieces),
}


def as_markdown(session: LiveSession) -> str:
    return "".join(markdown_pieces(session))


def as_html(session: LiveSession) -> str:
    return "".join(html_pieces(session))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
