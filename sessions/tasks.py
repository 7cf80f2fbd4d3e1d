"""The Celery tasks of this app. Thin: what they do is said in `invitation_mail`, `account_mail` and `iam.pictures`."""

from __future__ import annotations

import logging
from smtplib import SMTPException, SMTPRecipientsRefused
from typing import Any
from uuid import UUID

from celery import shared_task
from django.conf import settings
from django.db import transaction

from hanzo_live.protocol.errors import LiveError
from sessions import account_mail, invitation_mail
from sessions.avatars import as_avatar, set_avatar
from sessions.iam import pictures
from sessions.models import User

logger = logging.getLogger(__name__)

# 5 s, 10 s, 20 s … 10 minutes: a mail server that is restarted is waited for, for half an hour in all.
RETRIES = 9
FIRST_WAIT_S = 5
LONGEST_WAIT_S = 600
# What Celery's own records show of the arguments: one of them is a credential.
LINK_HIDDEN = "(invitation, link)"
MAIL_HIDDEN = "(mail)"


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
        raise self.retry(exc=error, countdown=_wait(tried), argsrepr=LINK_HIDDEN) from error


@shared_task(name="sessions.send_account_mail", bind=True, max_retries=RETRIES, acks_late=True, ignore_result=True)  # type: ignore[untyped-decorator]
def send_account_mail(self: Any, subject: str, body: str, html: str, sender: str, to: list[str]) -> None:
    """Send a mail about an account; later again where the mail server does not answer."""
    try:
        account_mail.deliver(subject, body, html, sender, to)
    except (OSError, SMTPException) as error:
        tried = self.request.retries
        if tried >= RETRIES or _is_final(error):
            logger.warning("A mail about an account cannot be sent: %s", error)
            return
        raise self.retry(exc=error, countdown=_wait(tried), argsrepr=MAIL_HIDDEN) from error


def _wait(tried: int) -> int:
    return int(min(FIRST_WAIT_S * 2**tried, LONGEST_WAIT_S))


def _is_final(error: Exception) -> bool:
    """Whether the mail server said that it will never take it."""
    return isinstance(error, SMTPRecipientsRefused) and all(code >= 500 for code, _ in error.recipients.values())


@shared_task(name="sessions.take_picture", ignore_result=True)  # type: ignore[untyped-decorator]
def take_picture(user_id: str, address: str) -> None:
    """Give somebody the picture that they have at the issuer, unless they have one here. Once: it is no loss."""
    user = User.objects.filter(pk=user_id, avatar="").first()
    if user is None:
        return
    try:
        picture = as_avatar(pictures.fetch(address, settings.IAM_ISSUERS[0]))
    except (pictures.NoPicture, LiveError) as error:
        logger.info("There is no picture for user %s: %s", user_id, error)
        return
    with transaction.atomic():
        set_avatar(user, picture)
