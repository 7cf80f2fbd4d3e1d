"""What the views of streams give, for the OpenAPI document, and the queries that they take. No row is touched here."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from hanzo_live.protocol.errors import ErrorCode
from sessions.access import MAX_REF
from sessions.api.serializers import MAX_N, ChoiceField, IdField, MessageShape, PageQuery, Query, UserShape
from sessions.text import MAX_MODEL
from streaming.models import StreamStatus
from streaming.queries import STREAM_ORDERS


class StartedShape(serializers.Serializer[Any]):
    stream = serializers.UUIDField()
    log = serializers.CharField()
    message = serializers.UUIDField(allow_null=True)


# What a client may tell at once: more would be no client.
MOST_COUNTED = 10_000
MOST_SAMPLES = 200
CLIENT_ERRORS = frozenset(ErrorCode) | {"disconnected", "no_websocket"}


def _count(most: int = MOST_COUNTED) -> serializers.IntegerField:
    return serializers.IntegerField(required=False, min_value=0, max_value=most, default=0)


def _samples(most: int) -> serializers.ListField:
    child = serializers.IntegerField(min_value=0, max_value=most)
    return serializers.ListField(child=child, required=False, max_length=MOST_SAMPLES, default=list)


class ClientMetricsShape(serializers.Serializer[Any]):
    connections = _count()
    reconnects = _count()
    complete = _count()
    failed = _count()
    cache_hits = _count()
    tokens = _count(10_000_000)
    # The class keeps no attribute of that name: fields are taken out of it.
    errors = serializers.DictField(  # type: ignore[assignment]
        child=serializers.IntegerField(min_value=1, max_value=MOST_COUNTED),
        required=False,
        default=dict,
        help_text="By error code.",
    )
    latency_ms = _samples(600_000)
    tokens_per_second = _samples(100_000)

    def validate_errors(self, errors: dict[str, int]) -> dict[str, int]:
        # Each becomes a series of figures that is kept: only those that there are.
        if not CLIENT_ERRORS.issuperset(errors):
            raise serializers.ValidationError("There is an error code that this server does not know.")
        return errors


class SentShape(serializers.Serializer[Any]):
    message = serializers.UUIDField()
    stream = serializers.UUIDField(allow_null=True)


class StoppedShape(serializers.Serializer[Any]):
    stream = serializers.UUIDField()
    status = serializers.ChoiceField(choices=StreamStatus.choices)


class ToolShape(serializers.Serializer[Any]):
    name = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    parameters = serializers.DictField(help_text="JSON Schema.")
    runs_on = serializers.ChoiceField(choices=["server", "mcp"])
    server = serializers.CharField(allow_null=True, help_text="The MCP server that has it.")
    asks_first = serializers.BooleanField(help_text="A person has to approve each call.")


class McpServerShape(serializers.Serializer[Any]):
    name = serializers.CharField()
    tools = serializers.IntegerField(help_text="How many it has.")
    error = serializers.CharField(allow_null=True, help_text="Why it cannot be reached, or null.")


class ToolListShape(serializers.Serializer[Any]):
    results = ToolShape(many=True)
    servers = McpServerShape(many=True)


class WaitingCallShape(serializers.Serializer[Any]):
    call = serializers.CharField()
    tool = serializers.CharField()
    status = serializers.ChoiceField(choices=["awaiting_approval", "awaiting_client"])
    deadline = serializers.DateTimeField(help_text="When it is given up.")


class StreamShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    session = serializers.UUIDField(allow_null=True)
    message = serializers.UUIDField(allow_null=True)
    log = serializers.CharField()
    status = serializers.ChoiceField(choices=StreamStatus.choices)
    content = serializers.CharField(allow_null=True, help_text="Null where it was not wanted.")
    usage = serializers.DictField(allow_null=True)
    finish_reason = serializers.CharField(allow_null=True)
    stopped_by = UserShape(allow_null=True)
    error = serializers.DictField(allow_null=True)
    model = serializers.CharField(allow_null=True)
    requested_model = serializers.CharField(allow_null=True)
    node = serializers.CharField(allow_null=True)
    timings = serializers.DictField(allow_null=True)
    cached = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    waits_for = WaitingCallShape(many=True, help_text="The tool calls that somebody has to approve or to run.")


class StreamPageShape(serializers.Serializer[Any]):
    results = StreamShape(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class PersonShape(serializers.Serializer[Any]):
    user = UserShape()
    connections = serializers.IntegerField()
    status = serializers.ChoiceField(choices=["active", "idle"])
    typing = serializers.BooleanField()
    cursor = serializers.JSONField(allow_null=True)
    left = serializers.BooleanField()


class PresenceShape(serializers.Serializer[Any]):
    users = PersonShape(many=True)
    total = serializers.IntegerField()
    summarised = serializers.BooleanField(help_text="There are too many to name.")


class DraftShape(serializers.Serializer[Any]):
    generation = serializers.IntegerField(help_text="Grows by one each time that the draft is sent.")
    text = serializers.CharField(allow_blank=True)


class QueuedShape(serializers.Serializer[Any]):
    stream = serializers.UUIDField()
    position = serializers.IntegerField(help_text="0: its answer is being written, or is the next to be.")
    status = serializers.ChoiceField(choices=StreamStatus.choices)
    prompt = MessageShape(allow_null=True)
    reply = serializers.UUIDField(allow_null=True)
    created_at = serializers.DateTimeField()


class QueueShape(serializers.Serializer[Any]):
    results = QueuedShape(many=True)


class AnyStreamsQuery(PageQuery):
    status = ChoiceField(required=False, choices=StreamStatus.choices, help_text="Only those that stand so.")
    model = serializers.CharField(
        required=False, max_length=MAX_MODEL, help_text="Only those that asked for this model, or ran on it."
    )
    after = serializers.DateTimeField(required=False, help_text="Only those begun at or after this time (ISO 8601).")
    before = serializers.DateTimeField(required=False, help_text="Only those begun before this time (ISO 8601).")
    order = ChoiceField(
        required=False, choices=list(STREAM_ORDERS), default="-created_at", help_text="`-`: the newest first."
    )
    content = serializers.BooleanField(required=False, default=True, help_text="With the texts that they wrote.")


class StreamsQuery(AnyStreamsQuery):
    user = IdField(required=False, help_text="Only those that this person asked for.")
    after_n = serializers.IntegerField(
        required=False, min_value=0, max_value=MAX_N, help_text="Only of answers after the message with this number."
    )
    before_n = serializers.IntegerField(
        required=False, min_value=0, max_value=MAX_N, help_text="Only of answers before the message with this number."
    )


class OwnStreamsQuery(AnyStreamsQuery):
    session = serializers.CharField(required=False, max_length=MAX_REF, help_text="Only in this one: id or slug.")


class PurgeQuery(Query):
    session = serializers.CharField(
        required=False, max_length=MAX_REF, help_text="What was answered in this session, to whomever: id or slug."
    )
    model = serializers.CharField(
        required=False, max_length=MAX_MODEL, help_text="Only what was asked of this model, or answered by it."
    )


class PurgedShape(serializers.Serializer[Any]):
    purged = serializers.IntegerField(help_text="How many answers were taken out.")


class EventsQuery(Query):
    after = serializers.CharField(required=False, max_length=100, help_text="The `id` of the last event you have.")
    show_thoughts = serializers.BooleanField(default=False)
    flush_ms = serializers.IntegerField(required=False, min_value=0, max_value=60_000)


class OpenAIFaultShape(serializers.Serializer[Any]):
    message = serializers.CharField()
    type = serializers.CharField()
    param = serializers.CharField(allow_null=True)
    code = serializers.CharField()


class OpenAIErrorShape(serializers.Serializer[Any]):
    """A refusal, as OpenAI's clients read it."""

    error = OpenAIFaultShape()


class ModelShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    object = serializers.CharField()
    created = serializers.IntegerField()
    owned_by = serializers.CharField()
    name = serializers.CharField()
    context_length = serializers.IntegerField(allow_null=True)


class ModelListShape(serializers.Serializer[Any]):
    object = serializers.CharField()
    data = ModelShape(many=True)  # type: ignore[assignment]  # OpenAI names the field as DRF names its property
