"""A session's messages as one document to keep: Markdown, or a page that stands alone.

The page holds text only: what people and models wrote is escaped, and nothing in it runs.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.template.loader import render_to_string

from sessions.models import LiveSession, Message, MessageRole
from sessions.queries import messages_of

ROWS_AT_ONCE = 2_000


def messages_in_order(session: LiveSession) -> Iterable[Message]:
    """Every message, oldest first, read in pieces."""
    return messages_of(session.pk).order_by("n").iterator(ROWS_AT_ONCE)


def speaker_of(message: Message) -> str:
    """Whom the document names before a message."""
    if message.role == MessageRole.USER:
        return message.user.name if message.user else "Somebody who left"
    return "Assistant" if message.role == MessageRole.ASSISTANT else "System"


def as_markdown(session: LiveSession) -> str:
    """One heading a message; the content as it was written, for models and people write Markdown."""
    parts = [f"# {_one_line(session.title)}\n"]
    parts += [f"\n## {_one_line(speaker_of(message))}\n\n{message.content}\n" for message in messages_in_order(session)]
    return "".join(parts)


def as_html(session: LiveSession) -> str:
    """A page without scripts and without anything to load."""
    lines = [(speaker_of(message), message) for message in messages_in_order(session)]
    return render_to_string("sessions/transcript.html", {"session": session, "lines": lines})


def _one_line(text: str) -> str:
    return " ".join(text.split())
