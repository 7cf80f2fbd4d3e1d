"""The account here of somebody at the issuer: found by its link, linked, or made.

Whose address the issuer has not verified has none here: it proves nothing, and might be somebody else's.
"""

from __future__ import annotations

from allauth.account.models import EmailAddress
from allauth.mfa.utils import is_mfa_enabled
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.db import IntegrityError, transaction

from hanzo_live.protocol.errors import ErrorCode, LiveError
from sessions.addresses import NOWHERE
from sessions.iam.claims import Person
from sessions.models import User

PROVIDER = "iam"


def account_of(person: Person) -> User:
    """The account behind a bearer; made at first sight where IAM_SIGNUP is open.

    Raises LiveError `forbidden` where none is made, `conflict` where its address is another account's.
    """
    link = link_of(person)
    if link is not None:
        return link.user
    if settings.IAM_SIGNUP != "open":
        raise LiveError(
            ErrorCode.FORBIDDEN,
            "You have no account here. Sign in once with a browser: with an invitation, or ask whoever runs this server.",
        )
    return new_account(person).user


def tenant_of(user: User) -> str | None:
    """The tenant (claim `owner`) of an account that is tied to a person of the issuer."""
    kept = SocialAccount.objects.filter(provider=PROVIDER, user=user).values_list("extra_data", flat=True).first()
    owner = kept.get("owner") if isinstance(kept, dict) else None
    return owner if isinstance(owner, str) and owner else None


def link_of(person: Person) -> SocialAccount | None:
    """What ties the person to an account here."""
    return SocialAccount.objects.select_related("user").filter(provider=PROVIDER, uid=person.id).first()


def new_account(person: Person) -> SocialAccount:
    """The link to a new account. Raises LiveError `conflict` where its address is another account's."""
    email = person.email if person.email and person.email_verified else f"{person.id}{NOWHERE}"
    try:
        with transaction.atomic():
            user = User.objects.create_user(email, name=person.name)
            EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
            return link(user, person)
    except IntegrityError as error:
        made = link_of(person)  # at the same moment, by another request
        if made is not None:
            return made
        raise address_taken(email) from error


def link(user: User, person: Person) -> SocialAccount:
    """Tie the person to the account from now on."""
    shown = {"name": person.name, "owner": person.owner}
    return SocialAccount.objects.create(user=user, provider=PROVIDER, uid=person.id, extra_data=shown)


def account_by_address(person: Person) -> User | None:
    """The account that may be linked because both sides have verified the same address; None where nobody has it.

    Raises LiveError `conflict` where that is not proof enough: the address was never confirmed here (whoever typed it
    has the password), or the account has more to lose, a second factor or an admin's rights.
    """
    if person.email is None or not person.email_verified:
        return None
    user = User.objects.filter(email__iexact=person.email).first()
    if user is None:
        return None
    confirmed = EmailAddress.objects.filter(user=user, email__iexact=person.email, verified=True).exists()
    if not confirmed or user.is_staff or is_mfa_enabled(user):
        raise address_taken(person.email)
    return user


def set_admin(user: User, person: Person) -> None:
    """Where IAM_ADMINS_OF names the person's tenant, its admins are admins here, and its others are not."""
    if settings.IAM_ADMINS_OF and person.owner == settings.IAM_ADMINS_OF and user.is_superuser != person.is_admin:
        user.is_staff = user.is_superuser = person.is_admin
        user.save(update_fields=["is_staff", "is_superuser"])


def address_taken(email: str) -> LiveError:
    # The issuer says that the address is theirs: this tells no stranger who has an account.
    return LiveError(
        ErrorCode.CONFLICT,
        f"There is an account with the address {email} here already. Sign in to it as before, "
        f"then connect {settings.IAM_NAME} to it in your account's settings.",
    )
