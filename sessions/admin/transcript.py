"""The transcript of a session in the admin panel: some messages at a time, read-only, and each look written down."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from hanzo_live.protocol.errors import LiveError
from sessions.access import Operation, may_operate
from sessions.audit import Operator
from sessions.models import LiveSession, Message, User
from sessions.operations import read_transcript
from sessions.pages import message_page
from sessions.transcript import speaker_of

if TYPE_CHECKING:
    from sessions.admin.base import OperatorAdmin

MESSAGES_AT_ONCE = 50
# Of one text, so much is shown; an export has all of it.
MAX_SHOWN = 20_000


@dataclass(slots=True)
class Call:
    """A tool that was called, and what came of it."""

    name: str
    args: str
    status: str = "running"
    outcome: str = ""


@dataclass(slots=True)
class Line:
    """One message as it is shown."""

    message: Message
    speaker: str
    text: str
    cut: bool
    thoughts: list[str] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    failure: str = ""


def url_of(session: LiveSession, n: int | None = None) -> str:
    """The page's address; with `n`, from that message on."""
    address = reverse("admin:live_sessions_livesession_transcript", args=[session.pk])
    return address if n is None else f"{address}?cursor=a{n - 1}"


def is_shown_to(user: Any) -> bool:
    return isinstance(user, User) and may_operate(user, Operation.READ_TRANSCRIPT)


def view(model_admin: OperatorAdmin) -> Any:
    """The page's view, for the panel that `model_admin` is in."""

    @require_safe
    def transcript(request: HttpRequest, object_id: str) -> HttpResponse:
        if not (is_shown_to(request.user) and model_admin.has_view_permission(request)):
            raise PermissionDenied
        session = model_admin.get_object(request, object_id)
        if session is None:
            raise Http404
        try:
            page = message_page(session.pk, MESSAGES_AT_ONCE, request.GET.get("cursor"))
        except LiveError as error:  # a cursor that is none
            raise Http404 from error
        read_transcript(Operator.of(request), session, page.results)
        context = {
            **model_admin.admin_site.each_context(request),
            "title": "Transcript",
            "opts": model_admin.opts,
            "original": session,
            "session": session,
            "lines": list(lines_of(page.results)),
            "older": page.next,
            "newer": page.previous,
        }
        return TemplateResponse(request, "admin/transcript.html", context)

    return transcript


def lines_of(messages: list[Message]) -> Iterator[Line]:
    """The messages as they are shown, with the thoughts and tools of replies."""
    for message in messages:
        line = Line(message, speaker_of(message), message.content[:MAX_SHOWN], len(message.content) > MAX_SHOWN)
        calls: dict[str, Call] = {}
        for part in message.parts:
            match part.get("type"):
                case "reasoning":
                    line.thoughts.append(str(part["text"])[:MAX_SHOWN])
                case "toolCall":
                    calls[part["id"]] = Call(str(part["name"]), _in_words(part["args"]))
                case "toolResult" if part["id"] in calls:
                    call = calls[part["id"]]
                    call.status, call.outcome = part["status"], _in_words(part.get("error") or part.get("result"))
                case "error":
                    line.failure = f"{part['code']}: {part['message']}"
        line.calls = list(calls.values())
        yield line


def _in_words(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
    return text[:MAX_SHOWN]
