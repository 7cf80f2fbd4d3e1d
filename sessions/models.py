"""The rows of who may talk and what was said. Verbs that change them are in `services`, reads in `queries`."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """A saved user. Without a password the account cannot sign in by one. Raises ValueError without an e-mail."""
        if not email:
            raise ValueError("An account needs an e-mail address.")
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email__iexact=username)


class User(AbstractBaseUser, PermissionsMixin):
    """A person or a program with an account. The e-mail address is the login."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120)
    avatar = models.ImageField(upload_to="avatars/", blank=True)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(auto_now_add=True)
    signed_out = models.PositiveIntegerField(
        default=0, editable=False, help_text="Grows whenever all of the user's browsers are signed out."
    )

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        default_permissions = ("view", "add", "change")
        permissions = [("deactivate_user", "Can switch users off and on, and sign them out")]
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_ci")]

    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name

    # A browser stays signed in while this is what it was when it signed in.
    def get_session_auth_hash(self) -> str:
        return f"{super().get_session_auth_hash()}{self._signed_out_mark}"

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        for fallback in super().get_session_auth_fallback_hash():
            yield f"{fallback}{self._signed_out_mark}"

    @property
    def _signed_out_mark(self) -> str:
        return f".{self.signed_out}" if self.signed_out else ""


class Role(models.TextChoices):
    OWNER = "owner", "Owner"
    EDITOR = "editor", "Editor"
    VIEWER = "viewer", "Viewer"


class Overlap(models.TextChoices):
    """What happens to a prompt that comes while an answer is being written."""

    QUEUE = "queue", "Wait in the queue"
    REJECT = "reject", "Refuse"
    INTERRUPT = "interrupt", "Stop the running answer"


class LiveSession(models.Model):
    """A shared conversation. Its log is `session:<id>`."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=80, unique=True, null=True, blank=True)
    title = models.CharField(max_length=200)
    model = models.CharField(max_length=200, blank=True)
    system_prompt = models.TextField(blank=True, validators=[MaxLengthValidator(50_000)])
    overlap = models.CharField(max_length=10, choices=Overlap.choices, default=Overlap.QUEUE)
    last_n = models.PositiveIntegerField(
        default=0, help_text="Number of the newest message; grows under this row's lock."
    )
    archived_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True, db_index=True)
    users = models.ManyToManyField(User, through="Member", related_name="live_sessions")

    class Meta:
        verbose_name = "session"
        default_permissions = ("view", "delete")
        permissions = [
            ("end_livesession", "Can end sessions and open them again"),
            ("read_transcript", "Can read transcripts"),
            ("export_transcript", "Can export transcripts"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def log(self) -> str:
        return f"session:{self.id}"


class Member(models.Model):
    session = models.ForeignKey(LiveSession, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices)
    last_read_n = models.PositiveIntegerField(default=0, help_text="Number of the last message that this member saw.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ("view", "change", "delete")
        constraints = [models.UniqueConstraint(fields=["session", "user"], name="member_once")]

    def __str__(self) -> str:
        return f"{self.user} ({self.role})"


class MessageRole(models.TextChoices):
    USER = "user"
    ASSISTANT = "assistant"
    SYSTEM = "system"


class MessageStatus(models.TextChoices):
    """A person's message is complete at once, or stopped once they took it back; a reply goes through all."""

    QUEUED = "queued"
    STREAMING = "streaming"
    COMPLETE = "complete"
    STOPPED = "stopped"
    FAILED = "failed"


class Message(models.Model):
    """One thing said in a session. `n` counts from 1 without holes within the session."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session = models.ForeignKey(LiveSession, on_delete=models.CASCADE, related_name="messages")
    n = models.PositiveIntegerField()
    role = models.CharField(max_length=10, choices=MessageRole.choices)
    content = models.TextField(blank=True)
    parts = models.JSONField(default=list, blank=True, help_text="Thoughts, tool calls and results that belong to it.")
    user = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    stream = models.UUIDField(
        null=True, blank=True, help_text="The stream that writes or wrote it; empty for a person's."
    )
    status = models.CharField(max_length=10, choices=MessageStatus.choices, default=MessageStatus.COMPLETE)
    finish_reason = models.CharField(max_length=20, blank=True)
    key = models.CharField(max_length=200, null=True, blank=True, help_text="The sender's idempotency key.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["session", "n"], name="message_n_once"),
            models.UniqueConstraint(fields=["session", "user", "key"], name="message_key_once"),
        ]
        indexes = [models.Index(fields=["-created_at", "-id"], name="message_newest")]
        ordering = ["session", "n"]

    def __str__(self) -> str:
        return f"#{self.n} ({self.role})"


class TokenScope(models.TextChoices):
    READ = "read", "Read"
    WRITE = "write", "Read and write"


class ApiToken(models.Model):
    """A program's credential. Shown once when made; only its SHA-256 is kept (it has 256 random bits, so no salt)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=120)
    digest = models.CharField(max_length=64, unique=True)
    scope = models.CharField(max_length=10, choices=TokenScope.choices, default=TokenScope.WRITE)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "API token"
        default_permissions = ("view",)
        permissions = [("revoke_apitoken", "Can revoke API tokens")]
        indexes = [models.Index(fields=["-created_at", "-id"], name="token_newest")]

    def __str__(self) -> str:
        return self.name


class MailStatus(models.TextChoices):
    NONE = "", "No mail"
    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"


class Invitation(models.Model):
    """A way into a session for whoever has its token, of which only the SHA-256 is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session = models.ForeignKey(LiveSession, on_delete=models.CASCADE, related_name="invitations")
    inviter = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    email = models.EmailField(blank=True, help_text="Whom it was mailed to; empty for a link.")
    role = models.CharField(max_length=10, choices=Role.choices)
    digest = models.CharField(max_length=64, unique=True)
    max_uses = models.PositiveIntegerField(default=1)
    uses = models.PositiveIntegerField(default=0)
    mail = models.CharField(max_length=10, choices=MailStatus.choices, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    declined_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ("view",)
        permissions = [("revoke_invitation", "Can revoke invitations")]
        constraints = [
            models.CheckConstraint(condition=models.Q(uses__lte=models.F("max_uses")), name="invitation_uses"),
        ]
        indexes = [
            models.Index(fields=["session", "-created_at"], name="invitation_newest"),
            models.Index(fields=["-created_at", "-id"], name="invitation_newest_of_all"),
        ]

    def __str__(self) -> str:
        return f"{self.email or 'link'} as {self.role}"


class InvitationUse(models.Model):
    """Who joined by an invitation. Somebody who was removed does not come back by the same one."""

    invitation = models.ForeignKey(Invitation, on_delete=models.CASCADE, related_name="used_by")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["invitation", "user"], name="invitation_once_each")]

    def __str__(self) -> str:
        return f"{self.user} by {self.invitation}"


class OutboxRow(models.Model):
    """A durable event that is committed with the change it announces, and on its way to the log.

    Written by `outbox.announce`; appended to the log and deleted by `streaming`.
    """

    log = models.CharField(max_length=60, db_index=True)
    type = models.CharField(max_length=20)
    stream = models.CharField(max_length=36, blank=True)
    body = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.type} for {self.log}"


class AuditAction(models.TextChoices):
    """What operators do in the admin panel, as the audit log names it."""

    SIGN_IN = "sign_in", "Signed in"
    SESSION_END = "session.end", "Ended a session"
    SESSION_REOPEN = "session.reopen", "Opened a session again"
    SESSION_DELETE = "session.delete", "Deleted a session"
    TRANSCRIPT_READ = "transcript.read", "Read a transcript"
    TRANSCRIPT_EXPORT = "transcript.export", "Exported a transcript"
    MEMBER_ROLE = "member.role", "Changed a role"
    MEMBER_REMOVE = "member.remove", "Removed a member"
    INVITATION_REVOKE = "invitation.revoke", "Revoked an invitation"
    TOKEN_REVOKE = "token.revoke", "Revoked an API token"
    STREAM_STOP = "stream.stop", "Stopped a stream"
    CACHE_PURGE = "cache.purge", "Took answers out of the cache"
    NOTICE_RETRY = "notice.retry", "Sent a webhook notice again"
    USER_CREATE = "user.create", "Created a user"
    USER_CHANGE = "user.change", "Changed a user"
    USER_PASSWORD = "user.password", "Set a user's password"
    USER_RIGHTS = "user.rights", "Changed a user's rights"
    USER_DEACTIVATE = "user.deactivate", "Switched a user off"
    USER_ACTIVATE = "user.activate", "Switched a user on"
    USER_SIGN_OUT = "user.sign_out", "Signed a user out everywhere"
    USER_SECOND_FACTOR = "user.second_factor", "Took off a user's second factor"
    GROUP_CREATE = "group.create", "Created a group"
    GROUP_CHANGE = "group.change", "Changed a group"
    GROUP_DELETE = "group.delete", "Deleted a group"


class AppendOnly(models.QuerySet["AuditEntry"]):
    """Rows that can be added and read."""

    def update(self, **_: Any) -> int:
        raise TypeError("Audit entries are not changed.")

    def bulk_update(self, *_: Any, **__: Any) -> int:
        raise TypeError("Audit entries are not changed.")

    def delete(self) -> tuple[int, dict[str, int]]:
        raise TypeError("Audit entries are not deleted.")


class AuditEntry(models.Model):
    """One thing that an operator did. Written by `audit.record`, in the transaction of what it tells of.

    It names people and rows by id and by how they were called then, and refers to none: it outlives them all. Django's
    own LogEntry is deleted with its user, can be changed, and knows neither our actions nor where they came from.
    """

    created_at = models.DateTimeField(default=timezone.now, editable=False)
    actor = models.UUIDField(help_text="The id of who did it.")
    actor_label = models.CharField("who", max_length=254, help_text="Their e-mail address then.")
    address = models.CharField(max_length=64, blank=True, help_text="The network address that they came from.")
    action = models.CharField(max_length=30, choices=AuditAction.choices)
    target_type = models.CharField(max_length=30)
    target = models.CharField(max_length=64, help_text="The id of what it was done to.")
    target_label = models.CharField(max_length=200, help_text="How that was called then.")
    session = models.UUIDField(null=True, blank=True, help_text="The session that it concerns.")
    details = models.JSONField(default=dict, blank=True)

    objects = AppendOnly.as_manager()

    class Meta:
        verbose_name_plural = "audit log"
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["actor", "-id"], name="audit_of_actor"),
            models.Index(fields=["target", "-id"], name="audit_of_target"),
            models.Index(fields=["session", "-id"], name="audit_of_session"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_label}: {self.get_action_display()}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("Audit entries are not changed.")
        super().save(*args, **{**kwargs, "force_insert": True})

    def delete(self, *_: Any, **__: Any) -> tuple[int, dict[str, int]]:
        raise TypeError("Audit entries are not deleted.")
