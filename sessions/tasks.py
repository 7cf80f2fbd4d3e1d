"""The Celery tasks of this app. Thin: what they do is said in `invitation_mail`."""

from __future__ import annotations

import logging
from smtplib import SMTPException, SMTPRecipientsRefused
from typing import Any
from uuid import UUID

from celery import shared_task

from sessions import invitation_mail

logger = logging.getLogger(__name__)

# 5 s, 10 s, 20 s … 10 minutes: a mail server that is restarted is waited for, for half an hour in all.
RETRIES = 9
FIRST_WAIT_S = 5
LONGEST_WAIT_S = 600
# What Celery's own records show of the arguments: one of them is a credential.
LINK_HIDDEN = "(invitation, link)"


@shared_task(name="sessions.send_invitation", bind=True, max_retries=RETRIES, acks_late=True, ignore_result=True)  # type: ignore[untyped-decorator]
def send_invitation(self: Any, invitation_id: str, link: str) -> None:
    """Send an invitation's mail; later again where the mail server does not answer."""
    try:
        invitation_mail.deliver(UUID(invitation_id), link)
    except (OSError, SMTPException) as error:
        tried = self.request.retries
        if tried >= RETRIES or _is_final(error):
            logger.warning("The mail of invitation %s cannot be sent: %s", invitation_id, error)
            invitation_mail.note_failure(UUID(invitation_id))
            return
        raise self.retry(
            exc=error, countdown=min(FIRST_WAIT_S * 2**tried, LONGEST_WAIT_S), argsrepr=LINK_HIDDEN
        ) from error


def _is_final(error: Exception) -> bool:
    """Whether the mail server said that it will never take it."""
    return isinstance(error, SMTPRecipientsRefused) and all(code >= 500 for code, _ in error.recipients.values())
