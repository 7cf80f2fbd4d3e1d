"""The mail that carries an invitation: on its way to the worker, and out.

The link is in the task's arguments and nowhere else: not in the database, and not in the broker once the mail is out
(docs/decisions/invitation-tokens.md).
"""

from __future__ import annotations

import logging
from uuid import UUID

from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import timezone
from kombu.exceptions import OperationalError

from sessions.models import Invitation, MailStatus
from sessions.text import one_line

logger = logging.getLogger(__name__)

# Shown of a name or title in a mail: what somebody else typed is not to be the whole mail.
SHOWN = 100


def queue(invitation_id: UUID, link: str) -> None:
    """Hand the mail to a worker. Where the broker is away it counts as failed: nobody keeps the link for later."""
    from sessions.tasks import LINK_HIDDEN, send_invitation

    try:
        send_invitation.apply_async(args=[str(invitation_id), link], argsrepr=LINK_HIDDEN, retry=False)
    except (OperationalError, OSError) as error:
        logger.warning("The broker cannot be reached; the mail of invitation %s is not sent: %s", invitation_id, error)
        note_failure(invitation_id)


def deliver(invitation_id: UUID, link: str) -> bool:
    """Send the mail, once, while the invitation stands. Whether it was sent now.

    Raises OSError or smtplib.SMTPException where the mail server does not take it.
    """
    invitation = (
        Invitation.objects.select_related("session", "inviter")
        .filter(pk=invitation_id, mail=MailStatus.QUEUED, revoked_at=None, expires_at__gt=timezone.now())
        .first()
    )
    if invitation is None:
        return False
    inviter = _line(invitation.inviter.name if invitation.inviter else "Somebody")
    about = {
        "inviter": inviter,
        "title": _line(invitation.session.title),
        "may": "read and write" if invitation.role == "editor" else "read",
        "expires_at": invitation.expires_at,
        "link": link,
    }
    mail = EmailMultiAlternatives(
        subject=f"{inviter} invites you to “{about['title']}”",
        body=render_to_string("sessions/mail/invitation.txt", about),
        to=[invitation.email],
    )
    mail.attach_alternative(render_to_string("sessions/mail/invitation.html", about), "text/html")
    mail.send()
    Invitation.objects.filter(pk=invitation_id).update(mail=MailStatus.SENT)
    return True


def note_failure(invitation_id: UUID) -> None:
    """The list of invitations shows it; inviting again makes a new link."""
    Invitation.objects.filter(pk=invitation_id, mail=MailStatus.QUEUED).update(mail=MailStatus.FAILED)


def _line(text: str) -> str:
    words = one_line(text)
    return words if len(words) <= SHOWN else words[: SHOWN - 1] + "…"
