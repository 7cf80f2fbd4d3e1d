"""Reading the mails that a server keeps in EMAIL_FOLDER."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage
from pathlib import Path


def newest_to(folder: Path, address: str) -> EmailMessage | None:
    """The newest mail to the address; None while there is none."""
    for file in sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True):
        message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
        if message["To"] == address and message.get_body(("plain",)) is not None:
            return message
    return None


def text_of(message: EmailMessage, kind: str = "plain") -> str:
    """The part of that kind: `plain` or `html`."""
    part = message.get_body((kind,))
    assert part is not None, f"The mail has no {kind} part."
    return str(part.get_content())
