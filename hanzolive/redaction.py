"""Keeping credentials out of log lines, whichever logger writes them: Django's name the path, others an address or a header.

For what is our own to say there is a better way: not to say it.
"""

from __future__ import annotations

import re

HIDDEN = "…"
# The text before the secret stays, so that a line still says what it is about.
SECRETS = (
    re.compile(r"((?:Bearer|Basic) )[A-Za-z0-9+/=._~-]{8,}"),
    # API tokens, tickets and invitations, wherever they stand; also in an address that is part of another.
    re.compile(r"((?:hl|hlt|hzi)_)[A-Za-z0-9_-]{20,}"),
    # JWTs.
    re.compile(r"(eyJ)[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"),
    # Links that are credentials: of an invitation, of the first admin, of a new password, of a confirmed address.
    re.compile(r"(/(?:invitations|setup|accounts/confirm-email|accounts/password/reset/key)/)[^\s/?#\"'<>]+"),
    # What comes back from signing in elsewhere.
    re.compile(r"([?&](?:code|state|id_token|access_token|token)=)[^\s&#\"'<>]+"),
    # A password in an address.
    re.compile(r"(://[^\s/:@]*:)[^\s/@]+(?=@)"),
)


def hide_secrets(text: str) -> str:
    """`text` with each secret in it replaced by `…`."""
    for secret in SECRETS:
        text = secret.sub(rf"\g<1>{HIDDEN}", text)
    return text
