"""A session's messages as one document to keep: JSON, Markdown, or a page that stands alone.

Made in pieces, so that a long one is never in memory as a whole. The page holds text only: what people and models wrote
is escaped, and nothing in it runs.
"""

from __future__ import annotations

import json
import re
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


@dataclass(frozen=True, slots=True)
class Keep:
    """What of a reply is kept besides its words and, where it failed, why."""

    thoughts: bool
    tools: bool

    def of(self, message: Message) -> list[dict[str, Any]]:
        """The message's parts that are kept."""
        left_out = {
            *(() if self.thoughts else ("reasoning",)),
            *(() if self.tools else ("toolCall", "toolResult")),
        }
        return [part for part in message.parts if part["type"] not in left_out]


def json_pieces(session: LiveSession, keep: Keep) -> Pieces:
    """One object, as REST has it: `session`, `members` and `messages`."""
    members = [member_wire(member) for member in members_of(session.pk)]
    yield f'{{"session": {_json(session_info(session))}, "members": {_json(members)}, "messages": ['
    for number, message in enumerate(messages_in_order(session)):
        yield f"{',' if number else ''}\n{_json({**message_wire(message), 'parts': keep.of(message)})}"
    yield "\n]}\n"


def markdown_pieces(session: LiveSession, keep: Keep) -> Pieces:
    """One heading a message; the content as it was written, for models and people write Markdown."""
    yield f"# {_one_line(session.title)}\n"
    for message in messages_in_order(session):
        yield f"\n## {_one_line(speaker_of(message))}\n"
        for title, text in asides(keep.of(message)):
            yield f"\n**{title}**\n\n{_fenced(text)}\n"
        yield f"\n{message.content}\n"


def html_pieces(session: LiveSession, keep: Keep) -> Pieces:
    """A page without scripts and without anything to load."""
    before, after = render_to_string("sessions/transcript.html", {"session": session}).split("<!-- messages -->")
    yield before
    for message in messages_in_order(session):
        about = {"speaker": speaker_of(message), "message": message, "asides": asides(keep.of(message))}
        yield render_to_string("sessions/transcript_message.html", about)
    yield after


def asides(parts: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """What stands beside an answer, each as its title and its text."""
    return [found for part in parts if (found := _aside(part)) is not None]


def _aside(part: dict[str, Any]) -> tuple[str, str] | None:
    match part["type"]:
        case "reasoning":
            return "Thought", part["text"]
        case "toolCall":
            return f"Tool call: {_one_line(part['name'])}", _json(part["args"])
        case "toolResult":
            told = part["result"] if part["error"] is None else part["error"]
            return f"Tool result: {_one_line(part['name'])}", told if isinstance(told, str) else _json(told)
        case "error":
            return "Failed", part["message"]
    return None


@dataclass(frozen=True, slots=True)
class Form:
    """A form that a transcript can be had in; `keep` is what it keeps where nobody says. What is for programs has all."""

    label: str
    content_type: str
    suffix: str
    make: Callable[[LiveSession, Keep], Pieces]
    keep: Keep

    def pieces(self, session: LiveSession, keep: Keep | None = None) -> Pieces:
        return self.make(session, keep or self.keep)

    def file_name(self, session: LiveSession) -> str:
        # Of letters, digits and dashes alone: a title could be anything.
        return f"{session.slug or session.pk}.{self.suffix}"


ALL, WORDS = Keep(thoughts=True, tools=True), Keep(thoughts=False, tools=False)

FORMS = {
    "json": Form("JSON", "application/json", "json", json_pieces, ALL),
    "markdown": Form("Markdown", "text/markdown; charset=utf-8", "md", markdown_pieces, WORDS),
    "html": Form("HTML", "text/html; charset=utf-8", "html", html_pieces, WORDS),
}


def _fenced(text: str) -> str:
    """A block of code that nothing in the text can end."""
    fence = "`" * max(3, 1 + max(map(len, re.findall(r"`+", text)), default=0))
    return f"{fence}\n{text}\n{fence}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
