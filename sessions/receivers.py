"""What happens to credentials outside of our own verbs: signing in and out, a new password, an account switched off or
deleted."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db import transaction
from django.db.models.signals import post_delete, post_save, pre_save
from django.http import HttpRequest

from sessions.audit import Operator, record
from sessions.endings import end_credential
from sessions.models import AuditAction, User
from sessions.rates import address_of


def connect() -> None:
    user_logged_in.connect(_signed_in, dispatch_uid="sessions.signed_in")
    user_logged_out.connect(_signed_out, dispatch_uid="sessions.signed_out")
    pre_save.connect(_before_save, sender=User, dispatch_uid="sessions.before_user")
    post_save.connect(_after_save, sender=User, dispatch_uid="sessions.after_user")
    post_delete.connect(_deleted, sender=User, dispatch_uid="sessions.user_deleted")


def _signed_in(sender: Any, request: HttpRequest | None, user: User, **_: Any) -> None:
    """Whoever works in the admin panel is written down as they come in, by whichever door."""
    if user.is_staff:
        with transaction.atomic():
            record(Operator(user, address_of(request) if request is not None else ""), AuditAction.SIGN_IN, user)


def _signed_out(sender: Any, request: HttpRequest | None, user: User | None, **_: Any) -> None:
    # Sent before the browser's session is emptied, so its key is still the one that sockets came with.
    key = request.session.session_key if request is not None else None
    if isinstance(user, User) and key:
        end_credential(user.pk, session_key=key)


def _before_save(sender: Any, instance: User, update_fields: frozenset[str] | None, **_: Any) -> None:
    if instance._state.adding or (update_fields is not None and not {"password", "is_active"} & set(update_fields)):
        return
    before = User.objects.filter(pk=instance.pk).values("password", "is_active").first()
    instance.__dict__["_credential_ends"] = before is not None and (
        before["password"] != instance.password or (before["is_active"] and not instance.is_active)
    )


def _after_save(sender: Any, instance: User, **_: Any) -> None:
    if instance.__dict__.pop("_credential_ends", False):
        end_credential(instance.pk)


def _deleted(sender: Any, instance: User, **_: Any) -> None:
    end_credential(instance.pk)
