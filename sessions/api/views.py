"""Sessions, their messages and their transcript. The messages' POST belongs to `streaming`, which may start an answer."""

from __future__ import annotations

from typing import Any

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from sessions import services
from sessions.access import Action, find_session
from sessions.api import serializers as bodies
from sessions.api.throttling import COPIES, TRANSCRIPTS
from sessions.copying import duplicate_session
from sessions.models import LiveSession, User
from sessions.pages import MessageFilter, SessionFilter, message_page, session_page
from sessions.positions import Page
from sessions.queries import Wire, message_wire, own_session_wire
from sessions.reading import mark_read, membership_of, unread_counts
from sessions.sending import in_pieces
from sessions.transcript import FORMS, Keep

# What people and models wrote is in it: whatever got past the escaping would load, run and send nothing.
TRANSCRIPT_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"


def checked(shape: type[Serializer[Any]], data: Any) -> dict[str, Any]:
    """`data` as `shape` takes it. Raises DRF's ValidationError, which becomes `bad_request`."""
    serializer = shape(data=data)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def caller(request: Request) -> User:
    """The signed-in user; the default permission has seen to it that there is one."""
    assert isinstance(request.user, User)
    return request.user


def page_wire(request: Request, page: Page[Any], results: list[Wire]) -> Wire:
    """A page with the addresses of its neighbours."""
    here = request.build_absolute_uri()

    def address(cursor: str | None) -> str | None:
        return replace_query_param(here, "cursor", cursor) if cursor else None

    return {"results": results, "next": address(page.next), "previous": address(page.previous)}


def own_session(request: Request, session: LiveSession) -> Wire:
    """The session as the caller, who is a member, sees it."""
    member = membership_of(session.pk, caller(request))
    return own_session_wire(member, unread_counts([member])[member.pk])


class SessionList(APIView):
    @extend_schema(operation_id="sessions_list", parameters=[bodies.SessionsQuery], responses=bodies.SessionPageShape)
    def get(self, request: Request) -> Response:
        """The sessions that you are a member of, the latest activity first; archived ones with `archived=true`.

        `q` is a part of the title; for words in messages as well there is `/v1/search`.
        """
        query = checked(bodies.SessionsQuery, request.query_params)
        which = SessionFilter(
            query["archived"], query.get("role"), query.get("model"), query.get("q", ""), query["order"]
        )
        page = session_page(caller(request), query["limit"], query.get("cursor"), which)
        unread = unread_counts(page.results)
        results = [own_session_wire(member, unread[member.pk]) for member in page.results]
        return Response(page_wire(request, page, results))

    @extend_schema(operation_id="sessions_create", request=bodies.SessionBody, responses={201: bodies.OwnSessionShape})
    def post(self, request: Request) -> Response:
        """A new session that you own."""
        body = checked(bodies.SessionBody, request.data)
        session = services.create_session(caller(request), **_without_nulls(body))
        return Response(own_session(request, session), status=201)


class SessionDetail(APIView):
    @extend_schema(operation_id="sessions_read", responses=bodies.OwnSessionShape)
    def get(self, request: Request, ref: str) -> Response:
        """One session, by id or slug."""
        session, _ = find_session(caller(request), ref, Action.READ)
        return Response(own_session(request, session))

    @extend_schema(operation_id="sessions_update", request=bodies.SessionChangeBody, responses=bodies.OwnSessionShape)
    def patch(self, request: Request, ref: str) -> Response:
        """Change what the body names; the rest stays."""
        session, _ = find_session(caller(request), ref, Action.MANAGE)
        changes = _without_nulls(checked(bodies.SessionChangeBody, request.data))
        return Response(own_session(request, services.update_session(session, caller(request), **changes)))

    @extend_schema(operation_id="sessions_delete", parameters=[bodies.DeleteQuery], responses={204: None})
    def delete(self, request: Request, ref: str) -> Response:
        """Delete the session and everything said in it. With `confirm`, only while that is its title."""
        session, _ = find_session(caller(request), ref, Action.DELETE)
        services.delete_session(session, confirm=checked(bodies.DeleteQuery, request.query_params).get("confirm"))
        return Response(status=204)


class SessionDuplicate(APIView):
    rates = {"POST": COPIES}

    @extend_schema(
        operation_id="sessions_duplicate", request=bodies.DuplicateBody, responses={201: bodies.OwnSessionShape}
    )
    def post(self, request: Request, ref: str) -> Response:
        """A new session of your own that starts from here: with all messages, or those up to `from_message`."""
        session, _ = find_session(caller(request), ref, Action.READ)
        body = checked(bodies.DuplicateBody, request.data)
        copy = duplicate_session(session, caller(request), from_message=body.get("from_message"))
        return Response(own_session(request, copy), status=201)


class SessionRead(APIView):
    @extend_schema(operation_id="sessions_mark_read", request=bodies.ReadBody, responses=bodies.ReadShape)
    def post(self, request: Request, ref: str) -> Response:
        """You have read the messages up to number `n`. Marks never go back."""
        session, _ = find_session(caller(request), ref, Action.READ)
        member = mark_read(session, caller(request), checked(bodies.ReadBody, request.data)["n"])
        return Response({"last_read_n": member.last_read_n, "unread": unread_counts([member])[member.pk]})


class SessionMessages(APIView):
    @extend_schema(operation_id="messages_list", parameters=[bodies.MessagesQuery], responses=bodies.MessagePageShape)
    def get(self, request: Request, ref: str) -> Response:
        """A page of messages, oldest first; the first page holds the newest, `next` goes to older ones."""
        session, _ = find_session(caller(request), ref, Action.READ)
        query = checked(bodies.MessagesQuery, request.query_params)
        which = MessageFilter(
            query.get("role"), query.get("user"), query.get("status"), query.get("after_n"), query.get("before_n")
        )
        page = message_page(session.pk, query["limit"], query.get("cursor"), which)
        return Response(page_wire(request, page, [message_wire(message) for message in page.results]))


class SessionTranscript(APIView):
    rates = {"GET": TRANSCRIPTS}

    @extend_schema(
        operation_id="transcript_read",
        parameters=[bodies.TranscriptQuery],
        responses={
            (200, "application/json"): bodies.TranscriptShape,
            (200, "text/markdown"): OpenApiTypes.STR,
            (200, "text/html"): OpenApiTypes.STR,
        },
    )
    def get(self, request: Request, ref: str) -> StreamingHttpResponse:
        """Everything said, as one document, sent while it is made. With `download` as a file."""
        session, _ = find_session(caller(request), ref, Action.READ)
        query = checked(bodies.TranscriptQuery, request.query_params)
        form = FORMS[query["format"]]
        thoughts, tools = query["thoughts"], query["tools"]
        keep = Keep(form.keep.thoughts if thoughts is None else thoughts, form.keep.tools if tools is None else tools)
        answer = StreamingHttpResponse(
            in_pieces(map(str.encode, form.pieces(session, keep))),
            content_type=form.content_type,
            headers={"Cache-Control": "no-store", "Content-Security-Policy": TRANSCRIPT_POLICY},
        )
        if query["download"]:
            answer["Content-Disposition"] = f'attachment; filename="{form.file_name(session)}"'
        return answer


def _without_nulls(body: dict[str, Any]) -> dict[str, Any]:
    """Null takes a text away, as the empty text does."""
    return {name: ("" if value is None and name != "slug" else value) for name, value in body.items()}
