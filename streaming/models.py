"""The rows of how it is said: one per stream, one per worker process that carries streams."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from sessions.models import LiveSession


class StreamStatus(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    RECOVERING = "recovering"
    COMPLETE = "complete"
    STOPPED = "stopped"
    FAILED = "failed"


TERMINAL = (StreamStatus.COMPLETE, StreamStatus.STOPPED, StreamStatus.FAILED)
# Asked for by name, never by what they are not: that is what an index can find.
OPEN = (StreamStatus.QUEUED, StreamStatus.RUNNING, StreamStatus.WAITING, StreamStatus.RECOVERING)
# Where there is a lease: a worker writes it, or asks a node that failed again.
CARRIED = (StreamStatus.RUNNING, StreamStatus.RECOVERING)


class Stream(models.Model):
    """One answer of a model, from request to terminal event.

    `log` is the session's, or `stream:<id>` for a stand-alone one. `lease` names the worker that carries it, `fence`
    grows with every takeover, so that an owner who was given up cannot write any more.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    log = models.CharField(max_length=60, db_index=True)
    session = models.ForeignKey(LiveSession, on_delete=models.CASCADE, null=True, blank=True, related_name="streams")
    message = models.UUIDField(null=True, blank=True, help_text="The reply that it writes, in a session.")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    anonymous = models.BooleanField(
        default=False, help_text="Started without an account: it belongs to whoever knows its id."
    )
    key = models.CharField(max_length=200, null=True, blank=True)
    request = models.JSONField(help_text="What was asked: messages of a stand-alone stream, and the stream options.")
    requested_model = models.CharField(max_length=200, blank=True)
    model = models.CharField(max_length=200, blank=True, help_text="What runs; known once it has started.")
    node = models.CharField(max_length=10, blank=True, help_text="`local` or `cloud`.")
    node_name = models.CharField(max_length=40, blank=True, help_text="Which of the operator's nodes.")

    status = models.CharField(max_length=10, choices=StreamStatus.choices, default=StreamStatus.QUEUED)
    lease = models.CharField(max_length=64, blank=True)
    fence = models.PositiveIntegerField(default=0)
    enqueued_at = models.DateTimeField(auto_now_add=True, help_text="When a task was last sent for it.")
    parked = models.BooleanField(default=False, help_text="A worker came for it while there was no room.")
    admitted_at = models.DateTimeField(null=True, blank=True, help_text="When it was given a slot to run in.")
    takeovers = models.PositiveSmallIntegerField(default=0, help_text="How many workers were lost while carrying it.")
    stop_requested_at = models.DateTimeField(null=True, blank=True, help_text="Set once somebody wants it stopped.")

    waiting_since = models.DateTimeField(null=True, blank=True, help_text="Since when it waits for a person.")
    waited_s = models.FloatField(default=0, help_text="How long it has waited for people: time that does not count.")

    content = models.TextField(blank=True)
    parts = models.JSONField(default=list, blank=True)
    finish_reason = models.CharField(max_length=20, blank=True)
    stopped_by = models.UUIDField(null=True, blank=True)
    usage = models.JSONField(null=True, blank=True)
    timings = models.JSONField(null=True, blank=True, help_text="duration_ms, first_token_ms, tokens_per_second.")
    error = models.JSONField(null=True, blank=True, help_text="code, message, retryable.")
    cached = models.CharField(max_length=10, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ("view",)
        permissions = [("stop_stream", "Can stop streams"), ("purge_cache", "Can take answers out of the cache")]
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], condition=models.Q(session=None), name="stream_key_once")
        ]
        indexes = [
            # Of all streams: SQLite uses no partial index for a statement with parameters.
            models.Index(fields=["status", "enqueued_at"], name="stream_by_status"),
            models.Index(fields=["session", "status"], name="stream_open_of_session"),
            models.Index(fields=["session", "created_at"], name="stream_of_session"),
            models.Index(fields=["user", "created_at"], name="stream_of_user"),
            models.Index(fields=["user", "status"], name="stream_open_by_user"),
            models.Index(fields=["-created_at", "-id"], name="stream_newest"),
            models.Index(fields=["-ended_at"], name="stream_ended"),
            models.Index(fields=["-admitted_at"], name="stream_admitted"),
        ]

    def __str__(self) -> str:
        return f"{self.id} ({self.status})"

    @property
    def is_over(self) -> bool:
        return self.status in TERMINAL


class ToolCallStatus(models.TextChoices):
    AWAITING_APPROVAL = "awaiting_approval"
    AWAITING_CLIENT = "awaiting_client"
    APPROVED = "approved"
    DENIED = "denied"
    ANSWERED = "answered"
    SETTLED = "settled"


# Somebody has to act; somebody has acted, and the stream has not been told yet.
AWAITING = (ToolCallStatus.AWAITING_APPROVAL, ToolCallStatus.AWAITING_CLIENT)
DECIDED = (ToolCallStatus.APPROVED, ToolCallStatus.DENIED, ToolCallStatus.ANSWERED)


class ToolCall(models.Model):
    """A tool call that waits, or waited, for somebody: to approve it, or to run it on a client.

    Its row is written before the log tells of it, and decided once, by a compare-and-set on `status`. `SETTLED`: the
    stream went on with what was decided.
    """

    stream = models.ForeignKey(Stream, on_delete=models.CASCADE, related_name="tool_calls")
    call = models.CharField(max_length=200)
    tool = models.CharField(max_length=200)
    status = models.CharField(max_length=20, choices=ToolCallStatus.choices)
    deadline = models.DateTimeField(help_text="When it is given up.")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    decided_as = models.CharField(max_length=20, blank=True, help_text="`approved`, `denied` or `answered`.")
    reason = models.TextField(blank=True)
    output = models.JSONField(null=True, blank=True)
    error = models.TextField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["stream", "call"], name="tool_call_once")]
        indexes = [
            models.Index(fields=["status", "deadline"], name="tool_call_late"),
        ]

    def __str__(self) -> str:
        return f"{self.tool} ({self.status})"


class Worker(models.Model):
    """A worker process that holds leases; alive while `seen_at` is recent."""

    id = models.CharField(primary_key=True, max_length=64)
    seen_at = models.DateTimeField()
    started_at = models.DateTimeField(auto_now_add=True)
    tokens_per_second = models.FloatField(default=0, help_text="What its streams wrote since its last sign of life.")
    on_nodes = models.JSONField(default=dict, help_text="How many of its streams are on each node, by the node's name.")

    class Meta:
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.id


class Notice(models.Model):
    """An event of a stream on its way to one place. Written by `notices` with the change; deleted once it has arrived.

    One that is given up is kept for a while, for an operator to look at and send again.
    """

    url = models.CharField(max_length=2_000, blank=True, help_text="Empty: receivers in our own processes.")
    body = models.JSONField(help_text="The event. Nothing of what was asked or answered is in it.")
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(db_default=Now(), db_index=True, help_text="When it may be tried next.")
    last_answer = models.CharField(max_length=300, blank=True, help_text="Why it did not arrive, the last time.")
    given_up_at = models.DateTimeField(null=True, blank=True, db_index=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ("view",)
        permissions = [("retry_notice", "Can send webhook notices again")]

    def __str__(self) -> str:
        return f"notice {self.pk}"


class TokenUse(models.Model):
    """Tokens that somebody's answers used on one day, where they have a budget. Written by `budgets`."""

    MAX_HOLDER = 250

    holder = models.CharField(max_length=MAX_HOLDER, help_text="`user:<id>` or `tenant:<name>`.")
    day = models.DateField(help_text="In UTC.")
    tokens = models.PositiveBigIntegerField(default=0)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["holder", "day"], name="token_use_once")]

    def __str__(self) -> str:
        return f"{self.holder} on {self.day}"
