"""Start a stream, read it, watch it as server-sent events, stop it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Literal
from uuid import uuid4

from asgiref.sync import async_to_sync
from django.db.models import Q, QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from hanzo_live.protocol import MessageRequest, StreamRequest, flush_class
from sessions import access
from sessions import services as sessions
from sessions.access import Action
from sessions.api.authentication import CookieAuthentication
from sessions.api.negotiation import accepts_event_stream
from sessions.api.permissions import AnonymousWhereAllowed
from sessions.api.throttling import STARTS
from sessions.api.views import SessionMessages, caller, checked, page_wire
from sessions.authentication import Identity
from sessions.models import Member, User
from streaming import services
from streaming.api import bodies, shapes
from streaming.hub import View
from streaming.models import Stream
from streaming.projections import sse
from streaming.projections.reader import LogReader
from streaming.queries import StreamFilter, stream_page, streams_of, streams_wire
from streaming.services import Started

EVENT_STREAM = {(200, "text/event-stream"): OpenApiTypes.STR}


def user_of(request: Request) -> User | None:
    return request.user if isinstance(request.user, User) else None


def stream_of(request: Request, id: str) -> Stream:
    """The stream that the caller may see. Raises LiveError."""
    found = access.id_of(id)
    if found is None:
        raise access.stream_not_found()
    return services.read_stream(user_of(request), found)


class StreamList(APIView):
    rates = {"POST": STARTS}
    permission_classes = [AnonymousWhereAllowed]

    @extend_schema(operation_id="streams_list", parameters=[shapes.OwnStreamsQuery], responses=shapes.StreamPageShape)
    def get(self, request: Request) -> Response:
        """The streams that you started, in sessions that you are in and outside, the newest first."""
        user = user_of(request)
        if user is None:
            raise access.sign_in_needed()
        query = checked(shapes.OwnStreamsQuery, request.query_params)
        rows = Stream.objects.filter(user=user)
        if within := query.get("session"):
            rows = rows.filter(session=access.find_session(user, within, Action.READ)[0])
        else:
            mine = Member.objects.filter(user=user).values("session")
            rows = rows.filter(Q(session=None) | Q(session__in=mine))
        return _streams(request, rows, query)

    @extend_schema(
        operation_id="streams_start", request=StreamRequest, responses={202: shapes.StartedShape, **EVENT_STREAM}
    )
    def post(self, request: Request) -> Response | StreamingHttpResponse:
        """Ask a model. With `Accept: text/event-stream` the answer is the stream's events, from its start."""
        body = bodies.checked(StreamRequest, bodies.body_of(request))
        id = uuid4()

        def start() -> Started:
            return services.start_stream(
                user_of(request), body, session_ref=body.session, content=body.content, messages=body.messages,
                key=body.key, stream_id=id,
            )  # fmt: skip

        if not accepts_event_stream(request):
            started = start()
            message = str(started.message) if started.message else None
            return Response({"stream": str(started.stream), "log": started.log, "message": message}, status=202)
        log = access.require_log(user_of(request), f"session:{body.session}") if body.session else f"stream:{id}"
        view = View(flush_class(body.flush_ms), body.buffer_size or 0, bool(body.show_thoughts))
        # Subscribed before it is started: nothing of it is missed.
        reader = _reader(request, log, view, start="head")
        try:
            started = start()
        except BaseException:
            _let_go(reader)
            raise
        if started.existing:
            _let_go(reader)
            reader = _reader(request, started.log, view)
        return _event_stream(request, reader, until_end_of=str(started.stream))


class StreamDetail(APIView):
    permission_classes = [AnonymousWhereAllowed]

    @extend_schema(operation_id="streams_read", responses=shapes.StreamShape)
    def get(self, request: Request, id: str) -> Response:
        """One stream: where it stands, and when it has ended its text, usage and timings."""
        return Response(streams_wire([stream_of(request, id)])[0])


class StreamEvents(APIView):
    permission_classes = [AnonymousWhereAllowed]

    @extend_schema(
        operation_id="streams_events", parameters=[shapes.EventsQuery], responses={**EVENT_STREAM, 204: None}
    )
    def get(self, request: Request, id: str) -> StreamingHttpResponse | HttpResponse:
        """Watch a stream: a snapshot, or everything after `after` (`Last-Event-ID`); ends with it.

        204 where it has ended and you have all of it, so that an EventSource stops asking.
        """
        stream = stream_of(request, id)
        view, resume = _watching(request)
        reader = _reader(request, stream.log, view, resume=resume)
        subscription = reader.subscription
        assert subscription is not None
        if stream.is_over and not subscription.snapshot_due and subscription.have == subscription.log.ring.head:
            _let_go(reader)
            return HttpResponse(status=204)
        return _event_stream(request, reader, until_end_of=str(stream.pk))


class StreamStop(APIView):
    permission_classes = [AnonymousWhereAllowed]

    @extend_schema(operation_id="streams_stop", request=None, responses={202: shapes.StoppedShape})
    def post(self, request: Request, id: str) -> Response:
        """Stop a stream. What was written stays; its `complete` says who stopped it."""
        found = access.id_of(id)
        if found is None:
            raise access.stream_not_found()
        status = services.stop_stream(user_of(request), found)
        return Response({"stream": str(found), "status": str(status)}, status=202)


class SessionEvents(APIView):
    @extend_schema(operation_id="sessions_events", parameters=[shapes.EventsQuery], responses=EVENT_STREAM)
    def get(self, request: Request, ref: str) -> StreamingHttpResponse:
        """Watch a session: a snapshot, or everything after `after` (`Last-Event-ID`), then all that happens."""
        session, _ = access.find_session(caller(request), ref, Action.READ)
        view, resume = _watching(request)
        return _event_stream(request, _reader(request, session.log, view, resume=resume), until_end_of=None)


class SessionStreams(APIView):
    @extend_schema(operation_id="sessions_streams", parameters=[shapes.StreamsQuery], responses=shapes.StreamPageShape)
    def get(self, request: Request, ref: str) -> Response:
        """The session's streams with their usage and timings, the newest first.

        `after_n` and `before_n` narrow it to the answers of a page of messages, `content=false` leaves their texts out.
        """
        session, _ = access.find_session(caller(request), ref, Action.READ)
        query = checked(shapes.StreamsQuery, request.query_params)
        rows = streams_of(session.pk, after_n=query.get("after_n"), before_n=query.get("before_n"))
        return _streams(request, rows, query)


class Messages(SessionMessages):
    rates = {"POST": STARTS}

    @extend_schema(operation_id="messages_send", request=MessageRequest, responses={202: shapes.SentShape})
    def post(self, request: Request, ref: str) -> Response:
        """Say something, and ask the model unless `reply` is false."""
        body = bodies.checked(MessageRequest, bodies.body_of(request))
        user = caller(request)
        if body.reply:
            started = services.start_stream(user, body, session_ref=ref, content=body.content, key=body.key)
            return Response({"message": str(started.message), "stream": str(started.stream)}, status=202)
        session, _ = access.find_session(user, ref, Action.PROMPT)
        posted = sessions.post_message(session.pk, user, body.content, key=body.key)
        return Response({"message": str(posted.message.pk), "stream": None}, status=202)


def _streams(request: Request, rows: QuerySet[Stream], query: dict[str, Any]) -> Response:
    which = StreamFilter(
        query.get("status"), query.get("model"), query.get("user"), query.get("after"), query.get("before"),
        query["order"],
    )  # fmt: skip
    content = query["content"]
    page = stream_page(rows, query["limit"], query.get("cursor"), which, content=content)
    return Response(page_wire(request, page, streams_wire(page.results, content=content)))


def _watching(request: Request) -> tuple[View, sse.Resume]:
    query = checked(shapes.EventsQuery, request.query_params)
    after = request.headers.get("Last-Event-ID") or query.get("after")
    return View(flush_class(query.get("flush_ms")), 0, query["show_thoughts"]), sse.resume_of(
        after
    ) if after else sse.Resume()


def _reader(
    request: Request, log: str, view: View, *, start: Literal["head"] | None = None, resume: sse.Resume | None = None
) -> LogReader:
    """A held reader of `log`, made on the event loop of the server."""
    user = user_of(request)
    resume = resume or sse.Resume()

    async def subscribe() -> LogReader:
        reader = LogReader(str(user.pk) if user else None)
        await reader.subscribe(log, view, epoch=resume.epoch, seq=resume.seq, start=start)
        return reader

    return async_to_sync(subscribe)()


def _let_go(reader: LogReader) -> None:
    async def close() -> None:
        reader.close()

    async_to_sync(close)()


def _event_stream(request: Request, reader: LogReader, *, until_end_of: str | None) -> StreamingHttpResponse:
    identity = request.auth if isinstance(request.auth, Identity) else None
    by_cookie = isinstance(request.successful_authenticator, CookieAuthentication)
    session_key = request._request.session.session_key if by_cookie else None
    body: AsyncIterator[bytes] = sse.stream(
        reader, until_end_of=until_end_of, identity=identity, session_key=session_key
    )
    return StreamingHttpResponse(body, content_type=sse.CONTENT_TYPE, headers=sse.HEADERS)
