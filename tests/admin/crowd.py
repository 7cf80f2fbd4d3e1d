"""Very many rows of every kind that the panel lists, made by the database itself: copies of one row of each kind."""

from __future__ import annotations

import datetime
from typing import Any

from django.contrib.auth.models import Group
from django.db import connection
from django.utils import timezone

from sessions.models import (
    ApiToken,
    AuditAction,
    AuditEntry,
    Invitation,
    LiveSession,
    Member,
    Message,
    MessageRole,
    OutboxRow,
    Role,
    User,
)
from streaming.models import Notice, Stream, StreamStatus, ToolCall, ToolCallStatus, Worker

NUMBERS = "WITH RECURSIVE numbers(i) AS (SELECT %s UNION ALL SELECT i + 1 FROM numbers WHERE i < %s)"
# What differs from copy to copy, by model: columns, and what they are for copy `i`.
DIFFERENT: dict[type[Any], dict[str, str]] = {
    User: {"email": "'u' || i || '@example.com'"},
    Group: {"name": "'group ' || i"},
    LiveSession: {"slug": "'session-' || i"},
    Member: {},
    Message: {"n": "i"},
    ApiToken: {"digest": "'t' || i"},
    Invitation: {"digest": "'i' || i"},
    OutboxRow: {},
    AuditEntry: {},
    Stream: {},
    ToolCall: {"call": "'call-' || i"},
    Notice: {},
    Worker: {"id": "'worker-' || i"},
}


class Crowd:
    """One session and one user that everything belongs to. `grow` makes the rows of a model so and so many."""

    def __init__(self) -> None:
        self.user = User.objects.create_user("crowd@example.com", name="Crowd")
        self.session = LiveSession.objects.create(title="", slug="crowded")
        self._made: dict[type[Any], int] = {}
        now = timezone.now()
        later = now + datetime.timedelta(days=1)
        self._patterns: dict[type[Any], Any] = {
            User: self.user,
            LiveSession: self.session,
            Group: Group(name="group"),
            Member: Member(session=self.session, user=self.user, role=Role.OWNER),
            Message: Message(session=self.session, n=0, role=MessageRole.USER, user=self.user),
            ApiToken: ApiToken(user=self.user, name="token", digest="t"),
            Invitation: Invitation(
                session=self.session, inviter=self.user, role=Role.VIEWER, digest="i", expires_at=later
            ),
            OutboxRow: OutboxRow(log=self.session.log, type="message", body={}),
            AuditEntry: AuditEntry(
                actor=self.user.pk, actor_label=self.user.email, action=AuditAction.SIGN_IN, target_type="user",
                target=str(self.user.pk), target_label="Crowd", session=self.session.pk,
            ),
            Stream: Stream(
                session=self.session, user=self.user, log=self.session.log, request={}, status=StreamStatus.COMPLETE,
                model="smollm2-135m", node="local", ended_at=now,
                usage={"prompt_tokens": 1, "completion_tokens": 60, "total_tokens": 61, "estimated": False},
                timings={"duration_ms": 900.0, "first_token_ms": 20.0, "tokens_per_second": 50.0},
            ),
            ToolCall: ToolCall(
                stream=Stream.objects.create(user=self.user, log="stream:x", request={}), call="call-0", tool="dig",
                status=ToolCallStatus.SETTLED, deadline=later, user=self.user,
            ),
            Notice: Notice(url="https://example.com/hook", body={"type": "stream_start", "stream": "s"}, due_at=later),
            Worker: Worker(id="worker", seen_at=now),
        }  # fmt: skip

    def grow(self, model: type[Any], count: int) -> None:
        pattern = self._patterns[model]
        if pattern._state.adding:
            pattern.save()
        made = self._made.get(model, 1)
        self._made[model] = count
        fields = model._meta.concrete_fields
        given = dict(DIFFERENT[model])
        if model._meta.pk.get_internal_type() == "UUIDField":
            given["id"] = "gen_random_uuid()" if connection.vendor == "postgresql" else "lower(hex(randomblob(16)))"
        columns = [field.column for field in fields if field is not model._meta.pk or field.column in given]
        values = [given.get(column, f"pattern.{column}") for column in columns]
        table, key = model._meta.db_table, model._meta.pk
        source = f"numbers, {table} AS pattern WHERE pattern.{key.column} = %s"
        if model is Member:  # somebody is in a session once: each is a user who is in none yet
            values[columns.index("user_id")] = "free.id"
            free = "SELECT id FROM live_sessions_user WHERE id NOT IN (SELECT user_id FROM live_sessions_member)"
            source = f"({free} LIMIT {count - made}) AS free, {table} AS pattern WHERE pattern.{key.column} = %s"
        given_key = key.get_db_prep_value(pattern.pk, connection)
        copies = f"INSERT INTO {table} ({', '.join(columns)}) {NUMBERS} SELECT {', '.join(values)} FROM {source}"
        with connection.cursor() as cursor:
            cursor.execute(copies, [made, count - 1, given_key])
            # As a database that has had these rows for a while: without statistics it plans for a handful of them.
            cursor.execute(f"ANALYZE {table}")
