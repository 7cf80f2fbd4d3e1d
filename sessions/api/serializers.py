"""The bodies that REST takes and gives, for checking and for the OpenAPI document.

What is given is built by `queries`; the classes named `…Body` are what is taken. Nothing here touches a row.
"""

from __future__ import annotations

from typing import Any

from django.http import QueryDict
from rest_framework import serializers
from rest_framework.fields import empty

from hanzo_live.protocol.errors import ErrorCode
from sessions import invitations, text
from sessions.access import MAX_REF
from sessions.invitations import EXPIRES_IN, MAX_EXPIRES_IN, MAX_OPEN, MAX_USES, Standing
from sessions.models import MessageRole, Overlap, Role, TokenScope
from sessions.pages import SESSION_ORDERS
from sessions.search import MAX_QUERY
from sessions.text import is_storable
from sessions.transcript import FORMS

MAX_N = 2_147_483_647
# Room for a title, in which every character may take four bytes and base64 a third more.
MAX_CURSOR = 2_000
INVITED_ROLES = [(role.value, role.label) for role in invitations.INVITED_ROLES]

# As `queries.message_wire` tells them: a reply that waits is, to those who watch, one that is being written.
MESSAGE_STATUSES = ["streaming", "complete", "stopped", "failed"]
# Archived is a session, with all its invitations.
INVITATION_STATES = [standing.value for standing in Standing if standing != Standing.ARCHIVED]


class TextField(serializers.CharField):
    """Text as it was sent. DRF's own takes numbers for text and trims; the contract does neither."""

    def __init__(self, **options: Any) -> None:
        super().__init__(trim_whitespace=False, **options)

    def run_validation(self, data: Any = empty) -> Any:
        if data is not empty and data is not None and not isinstance(data, str):
            self.fail("invalid")
        return super().run_validation(data)


class ChoiceField(serializers.ChoiceField):
    """One of a few words. DRF's own also takes what merely prints like one."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid_choice", input=data)
        return super().to_internal_value(data)


class IdField(serializers.UUIDField):
    """An id in its written form. DRF's own also makes one of a number."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid", value=data)
        return super().to_internal_value(data)


class BooleanField(serializers.BooleanField):
    """JSON's `true` and `false`, and no words for them."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


# What is taken ----------------------------------------------------------------------------------------------------


class SessionBody(serializers.Serializer[Any]):
    title = TextField(required=False, allow_blank=True, max_length=text.MAX_TITLE)
    model = TextField(required=False, allow_blank=True, allow_null=True, max_length=text.MAX_MODEL)
    slug = TextField(required=False, allow_blank=True, allow_null=True, max_length=text.MAX_SLUG)
    system_prompt = TextField(required=False, allow_blank=True, allow_null=True, max_length=text.MAX_SYSTEM_PROMPT)
    overlap = ChoiceField(required=False, choices=Overlap.choices)


class SessionChangeBody(SessionBody):
    archived = BooleanField(required=False)


class DuplicateBody(serializers.Serializer[Any]):
    from_message = IdField(required=False, allow_null=True, help_text="Id of the last message to copy; else all are.")


class ReadBody(serializers.Serializer[Any]):
    n = serializers.IntegerField(min_value=0, max_value=MAX_N, help_text="Number of the last message seen.")


class MemberBody(serializers.Serializer[Any]):
    user = IdField(required=False)
    email = serializers.EmailField(required=False, max_length=254)
    role = ChoiceField(choices=Role.choices)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("user" in attrs) == ("email" in attrs):
            raise serializers.ValidationError({"user": "Name an account by `user` or by `email`, one of the two."})
        return attrs


class InvitationBody(serializers.Serializer[Any]):
    email = serializers.EmailField(
        required=False, allow_null=True, max_length=254, help_text="Whom; else it is a link."
    )
    role = ChoiceField(required=False, choices=INVITED_ROLES, default=Role.EDITOR)
    expires_in = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=60,
        max_value=MAX_EXPIRES_IN,
        help_text=f"Seconds; {EXPIRES_IN:,} where absent.",
    )
    max_uses = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=MAX_USES, help_text="1 where absent."
    )


class RoleBody(serializers.Serializer[Any]):
    role = ChoiceField(choices=Role.choices)


class MeBody(serializers.Serializer[Any]):
    name = TextField(max_length=text.MAX_NAME, required=False)
    avatar = serializers.FileField(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise serializers.ValidationError("Send what is to change: `name`, `avatar`, or both.")
        return attrs


class TokenBody(serializers.Serializer[Any]):
    name = TextField(max_length=text.MAX_NAME)
    scope = ChoiceField(required=False, choices=TokenScope.choices, default=TokenScope.WRITE)


class Query(serializers.Serializer[Any]):
    """What stands behind the `?`. A name that says nothing here is refused: a filter that is spelled wrongly would
    otherwise give everything."""

    def to_internal_value(self, data: QueryDict) -> Any:
        for name in data:
            shown = name[:40] if is_storable(name) else "that"
            if name not in self.fields:
                words = f"There is no such parameter here. There are: {', '.join(self.fields)}."
                raise serializers.ValidationError({shown: words})
            if len(data.getlist(name)) > 1:
                raise serializers.ValidationError({shown: "Give it once."})
        return super().to_internal_value(data)


class PageQuery(Query):
    limit = serializers.IntegerField(required=False, min_value=1, max_value=200, default=50)
    cursor = serializers.CharField(required=False, max_length=MAX_CURSOR)


class MessagesQuery(PageQuery):
    role = ChoiceField(required=False, choices=MessageRole.choices, help_text="Only what these said.")
    user = IdField(required=False, help_text="Only what this person said or asked for.")
    status = ChoiceField(required=False, choices=MESSAGE_STATUSES, help_text="Only those that stand so.")
    after_n = serializers.IntegerField(
        required=False, min_value=0, max_value=MAX_N, help_text="Only those after the message with this number."
    )
    before_n = serializers.IntegerField(
        required=False, min_value=0, max_value=MAX_N, help_text="Only those before the message with this number."
    )


class SessionsQuery(PageQuery):
    archived = serializers.BooleanField(required=False, default=False, help_text="The archived ones instead.")
    role = ChoiceField(required=False, choices=Role.choices, help_text="Only those in which you have this role.")
    model = serializers.CharField(
        required=False, max_length=text.MAX_MODEL, help_text="Only those that are set to this model."
    )
    q = serializers.CharField(
        required=False, max_length=text.MAX_TITLE, help_text="Only those with this in their title."
    )
    order = ChoiceField(
        required=False,
        choices=list(SESSION_ORDERS),
        default="-updated_at",
        help_text="`-`: the latest first, or from Z to A.",
    )


class InvitationsQuery(PageQuery):
    # The whole of the default list fits: no more than that are open.
    limit = serializers.IntegerField(required=False, min_value=1, max_value=MAX_OPEN, default=MAX_OPEN)
    state = ChoiceField(
        required=False, choices=INVITATION_STATES, default=Standing.OPEN, help_text="Only those that stand so."
    )


class SearchQuery(PageQuery):
    q = serializers.CharField(max_length=MAX_QUERY, help_text="The words.")
    session = serializers.CharField(required=False, max_length=MAX_REF, help_text="Only in this one: id or slug.")
    limit = serializers.IntegerField(required=False, min_value=1, max_value=100, default=20)


class DeleteQuery(Query):
    confirm = serializers.CharField(
        required=False, max_length=text.MAX_TITLE, help_text="The session's title: nothing is deleted if it differs."
    )


class TranscriptQuery(Query):
    format = ChoiceField(required=False, choices=list(FORMS), default="json")
    thoughts = serializers.BooleanField(
        required=False, allow_null=True, default=None, help_text="With thoughts; where absent, in JSON alone."
    )
    tools = serializers.BooleanField(
        required=False, allow_null=True, default=None, help_text="With tool calls; where absent, in JSON alone."
    )
    download = serializers.BooleanField(required=False, default=False, help_text="As a file to keep, with a name.")


# What is given ----------------------------------------------------------------------------------------------------


class UserShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    avatar = serializers.CharField(allow_null=True)


class MeShape(UserShape):
    email = serializers.EmailField()
    is_admin = serializers.BooleanField()


class SettingsShape(serializers.Serializer[Any]):
    system_prompt = serializers.CharField(allow_null=True)
    overlap = serializers.ChoiceField(choices=Overlap.choices)


class SessionInfoShape(serializers.Serializer[Any]):
    """What is the same for every member."""

    id = serializers.UUIDField()
    slug = serializers.CharField(allow_null=True)
    title = serializers.CharField()
    model = serializers.CharField(allow_null=True)
    archived = serializers.BooleanField()
    settings = SettingsShape()
    created_at = serializers.DateTimeField()


class SessionShape(SessionInfoShape):
    system_prompt = serializers.CharField(allow_null=True)
    overlap = serializers.ChoiceField(choices=Overlap.choices)
    role = serializers.ChoiceField(choices=Role.choices)
    log = serializers.CharField()
    updated_at = serializers.DateTimeField()


class OwnSessionShape(SessionShape):
    last_n = serializers.IntegerField(help_text="Number of the newest message.")
    last_read_n = serializers.IntegerField(help_text="Number of the last message that you have read.")
    unread = serializers.IntegerField(help_text="Messages since, without your own; of the newest 100 only.")


class ReadShape(serializers.Serializer[Any]):
    last_read_n = serializers.IntegerField()
    unread = serializers.IntegerField()


class MessageShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    n = serializers.IntegerField()
    role = serializers.ChoiceField(choices=MessageRole.choices)
    content = serializers.CharField()
    parts = serializers.ListField(child=serializers.DictField())
    user = UserShape(allow_null=True)
    stream = serializers.UUIDField(allow_null=True)
    status = serializers.ChoiceField(choices=MESSAGE_STATUSES)
    finish_reason = serializers.CharField(allow_null=True)
    key = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()


class MemberShape(serializers.Serializer[Any]):
    user = UserShape()
    role = serializers.ChoiceField(choices=Role.choices)


class SessionPageShape(serializers.Serializer[Any]):
    results = OwnSessionShape(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class MessagePageShape(serializers.Serializer[Any]):
    results = MessageShape(many=True)
    next = serializers.URLField(allow_null=True, help_text="The page of older messages.")
    previous = serializers.URLField(allow_null=True, help_text="The page of newer messages.")


class MembersShape(serializers.Serializer[Any]):
    results = MemberShape(many=True)


class TranscriptShape(serializers.Serializer[Any]):
    session = SessionInfoShape()
    members = MemberShape(many=True)
    messages = MessageShape(many=True)


class InvitationShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    email = serializers.EmailField(allow_null=True)
    role = serializers.ChoiceField(choices=INVITED_ROLES)
    inviter = UserShape(allow_null=True)
    max_uses = serializers.IntegerField()
    uses = serializers.IntegerField()
    mail = serializers.ChoiceField(choices=["queued", "sent", "failed"], allow_null=True)
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()


class NewInvitationShape(InvitationShape):
    token = serializers.CharField(help_text="Shown this once.")
    url = serializers.URLField(help_text="The link to send; shown this once.")


class InvitationPageShape(serializers.Serializer[Any]):
    results = InvitationShape(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class InvitedToShape(serializers.Serializer[Any]):
    id = serializers.UUIDField(allow_null=True, help_text="Told to members only.")
    title = serializers.CharField()


class InvitationPreviewShape(serializers.Serializer[Any]):
    session = InvitedToShape()
    inviter = UserShape(allow_null=True)
    role = serializers.ChoiceField(choices=INVITED_ROLES)
    member = serializers.BooleanField(help_text="Whether you are a member already.")
    expires_at = serializers.DateTimeField()


class AcceptedShape(serializers.Serializer[Any]):
    session = serializers.UUIDField()
    role = serializers.ChoiceField(choices=INVITED_ROLES)
    log = serializers.CharField()


class FoundSessionShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    slug = serializers.CharField(allow_null=True)
    title = serializers.CharField()
    archived = serializers.BooleanField()


class FoundMessageShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    n = serializers.IntegerField()
    role = serializers.ChoiceField(choices=MessageRole.choices)
    user = UserShape(allow_null=True)
    created_at = serializers.DateTimeField()


class SnippetShape(serializers.Serializer[Any]):
    text = serializers.CharField(help_text="Plain text, not HTML.")
    marks = serializers.ListField(
        child=serializers.ListField(child=serializers.IntegerField(), min_length=2, max_length=2),
        help_text="Where the words stand in `text`: [start, end) in Unicode code points.",
    )


class FoundShape(serializers.Serializer[Any]):
    session = FoundSessionShape()
    message = FoundMessageShape(allow_null=True, help_text="Null where the session's title matched.")
    snippet = SnippetShape()


class SearchPageShape(serializers.Serializer[Any]):
    results = FoundShape(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class TokenShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    scope = serializers.ChoiceField(choices=TokenScope.choices)
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)


class NewTokenShape(TokenShape):
    token = serializers.CharField(help_text="The token itself, shown this once.")


class TokensShape(serializers.Serializer[Any]):
    results = TokenShape(many=True)


class TicketShape(serializers.Serializer[Any]):
    ticket = serializers.CharField()
    expires_in = serializers.IntegerField()


class ErrorShape(serializers.Serializer[Any]):
    """Every refusal."""

    type = serializers.ChoiceField(choices=["error"])
    id = serializers.CharField(allow_null=True)
    code = serializers.ChoiceField(choices=[code.value for code in ErrorCode])
    message = serializers.CharField(help_text="What is wrong and what to do, for a person.")
    retryable = serializers.BooleanField(help_text="Whether the same call may succeed later.")
    retry_after = serializers.FloatField(allow_null=True, help_text="Seconds.")
    field = serializers.CharField(allow_null=True, help_text="The input at fault.")
