"""What operators do to users: asked of `access`, done, and written into the audit log, in one transaction each.

What people change of their own account is `profile`'s and allauth's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group, Permission
from django.db import IntegrityError, transaction
from django.db.models import F

from hanzo_live.protocol.errors import ErrorCode, LiveError
from sessions.access import Operation, require_operation, require_operation_on, require_rights_giver
from sessions.addresses import is_taken, replace_address, trust_address
from sessions.audit import Operator, record
from sessions.endings import end_credential
from sessions.models import AuditAction, User
from sessions.text import MAX_NAME, clean_text


@transaction.atomic
def create_user(operator: Operator, *, name: str, email: str, password: str | None) -> User:
    """A new account, its address taken as confirmed. Raises LiveError `forbidden`, `bad_request`, or `conflict`."""
    require_operation(operator.user, Operation.CREATE_USER)
    name = clean_text(name, "name", MAX_NAME, required=True).strip()
    try:
        with transaction.atomic():
            user = User.objects.create_user(email, password, name=name)
    except IntegrityError as error:
        raise _address_taken() from error
    trust_address(user)
    record(operator, AuditAction.USER_CREATE, user, email=user.email, password=password is not None)
    return user


@transaction.atomic
def change_user(operator: Operator, user: User, *, name: str, email: str) -> None:
    """Raises LiveError `forbidden`, `bad_request`, or `conflict` for an address that somebody has."""
    require_operation_on(operator.user, Operation.CHANGE_USER, user)
    before = User.objects.select_for_update().get(pk=user.pk)
    name, email = clean_text(name, "name", MAX_NAME, required=True).strip(), email.lower()
    changed: dict[str, Any] = {}
    if email != before.email:
        if is_taken(email, user):
            raise _address_taken()
        replace_address(user, email)
        changed["email"] = [before.email, email]
    if name != before.name:
        user.name = name
        user.save(update_fields=["name"])
        changed["name"] = [before.name, name]
    record(operator, AuditAction.USER_CHANGE, user, **changed)


@transaction.atomic
def set_password(operator: Operator, user: User, password: str) -> None:
    """Signs the user out everywhere. Raises LiveError `forbidden`, or `conflict` for one's own, which has a page."""
    require_operation_on(operator.user, Operation.CHANGE_USER, user)
    _require_another(operator, user, "Change your own password in your account.")
    user.set_password(password)
    user.save(update_fields=["password"])
    record(operator, AuditAction.USER_PASSWORD, user)


@transaction.atomic
def set_rights(
    operator: Operator,
    user: User,
    *,
    staff: bool,
    superuser: bool,
    groups: Iterable[Group],
    permissions: Iterable[Permission],
) -> None:
    """What the user may do in the admin panel. Raises LiveError `forbidden`, or `conflict` for giving up one's own."""
    require_rights_giver(operator.user)
    if user.pk == operator.user.pk and not (staff and superuser):
        raise LiveError(ErrorCode.CONFLICT, "You would lock yourself out. Another superuser can take your rights.")
    before = _rights(user)
    user.is_staff, user.is_superuser = staff, superuser
    user.save(update_fields=["is_staff", "is_superuser"])
    user.groups.set(groups)
    user.user_permissions.set(permissions)
    record(operator, AuditAction.USER_RIGHTS, user, before=before, after=_rights(user))


@transaction.atomic
def deactivate(operator: Operator, user: User) -> None:
    """Switch the account off: its sockets close, its tokens and browsers are nobody's. What was said stays.

    Raises LiveError `forbidden`, or `conflict` for oneself and for one that is off.
    """
    require_operation_on(operator.user, Operation.DEACTIVATE_USER, user)
    _require_another(operator, user, "You cannot switch yourself off. Another operator can.")
    if not user.is_active:
        raise LiveError(ErrorCode.CONFLICT, "This account is off already.")
    user.is_active = False
    user.save(update_fields=["is_active"])
    record(operator, AuditAction.USER_DEACTIVATE, user)


@transaction.atomic
def activate(operator: Operator, user: User) -> None:
    """Switch the account on again, with all that it had. Raises LiveError `forbidden`, or `conflict` for one that is on."""
    require_operation_on(operator.user, Operation.DEACTIVATE_USER, user)
    if user.is_active:
        raise LiveError(ErrorCode.CONFLICT, "This account is on already.")
    user.is_active = True
    user.save(update_fields=["is_active"])
    record(operator, AuditAction.USER_ACTIVATE, user)


@transaction.atomic
def sign_out(operator: Operator, user: User) -> None:
    """End all of the user's browsers' sessions and open sockets. API tokens stay. Raises LiveError `forbidden`."""
    require_operation_on(operator.user, Operation.DEACTIVATE_USER, user)
    User.objects.filter(pk=user.pk).update(signed_out=F("signed_out") + 1)
    end_credential(user.pk)
    record(operator, AuditAction.USER_SIGN_OUT, user)


@transaction.atomic
def take_off_second_factor(operator: Operator, user: User) -> None:
    """For somebody who lost it: the password alone lets in. Raises LiveError `forbidden`, or `conflict` without one."""
    require_operation_on(operator.user, Operation.CHANGE_USER, user)
    if not Authenticator.objects.filter(user=user).exists():
        raise LiveError(ErrorCode.CONFLICT, "This account has no second factor.")
    Authenticator.objects.filter(user=user).delete()
    record(operator, AuditAction.USER_SECOND_FACTOR, user)


def _rights(user: User) -> list[str]:
    """All of them, in words."""
    flags = [word for word, given in (("staff", user.is_staff), ("superuser", user.is_superuser)) if given]
    groups = [f"group {name}" for name in user.groups.order_by("name").values_list("name", flat=True)]
    return flags + groups + list(user.user_permissions.order_by("codename").values_list("codename", flat=True))


def _require_another(operator: Operator, user: User, words: str) -> None:
    if user.pk == operator.user.pk:
        raise LiveError(ErrorCode.CONFLICT, words)


def _address_taken() -> LiveError:
    return LiveError(ErrorCode.CONFLICT, "There is an account with this e-mail address already.", field="email")
