"""The mails about an account (a new password, a confirmed address), on their way to the worker and out.

A request does not wait for the mail server, and does not fail with it. A mail holds a link that is a credential: it is
in the task's arguments and nowhere else (docs/decisions/invitation-tokens.md).
"""

from __future__ import annotations

import logging
from smtplib import SMTPException

from django.core.mail import EmailMessage, EmailMultiAlternatives
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def queue(mail: EmailMessage) -> None:
    """Hand the mail to a worker; where the broker is away, send it from here, once."""
    from sessions.tasks import MAIL_HIDDEN, send_account_mail

    html = next((str(part[0]) for part in getattr(mail, "alternatives", [])), "")
    arguments = [mail.subject, str(mail.body), html, mail.from_email, list(mail.to)]
    try:
        send_account_mail.apply_async(args=arguments, argsrepr=MAIL_HIDDEN, retry=False)
    except (OperationalError, OSError) as error:
        logger.warning("The broker cannot be reached; a mail about an account is sent without it: %s", error)
        try:
            mail.send()
        except (OSError, SMTPException) as refused:
            logger.warning("A mail about an account cannot be sent: %s", refused)


def deliver(subject: str, body: str, html: str, sender: str, to: list[str]) -> None:
    """Send it. Raises OSError or smtplib.SMTPException where the mail server does not take it."""
    mail = EmailMultiAlternatives(subject, body, sender, to)
    if html:
        mail.attach_alternative(html, "text/html")
    mail.send()
