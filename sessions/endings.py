"""Telling whoever holds sockets that a credential or a session has ended, so that they close or detach at once.

Not the rule itself: access is checked again every so often, so an ending that nobody heard still takes effect.
This app does not know what a socket is; whoever does connects to these signals. Each is sent after commit.
"""

from __future__ import annotations

from functools import partial
from uuid import UUID

from django.db import transaction
from django.dispatch import Signal

# With `user_id`, and what of theirs ended: `token_id`, `session_key` (the browser's), or neither: everything.
credential_ended = Signal()

# With `log` and `reason`: `deleted` or `archived`.
session_ended = Signal()


def end_credential(user_id: UUID, *, token_id: UUID | None = None, session_key: str | None = None) -> None:
    """Announce after commit that sockets of the user stand on nothing any more."""
    transaction.on_commit(
        partial(credential_ended.send_robust, sender=None, user_id=user_id, token_id=token_id, session_key=session_key)
    )


def end_session(log: str, reason: str) -> None:
    """Announce after commit that nobody can watch `log` any more."""
    transaction.on_commit(partial(session_ended.send_robust, sender=None, log=log, reason=reason))
