"""Search over REST."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sessions.access import Action, find_session
from sessions.api import serializers as bodies
from sessions.api.throttling import SEARCHES
from sessions.api.views import caller, checked, page_wire
from sessions.queries import Wire, time_wire, user_wire
from sessions.search import Found, search


class Search(APIView):
    rates = {"GET": SEARCHES}

    @extend_schema(operation_id="search", parameters=[bodies.SearchQuery], responses=bodies.SearchPageShape)
    def get(self, request: Request) -> Response:
        """Your sessions' titles and messages with all the words of `q`, the best match first.

        A word stands for all that begin so; "words in quotes" have to stand together.
        """
        query = checked(bodies.SearchQuery, request.query_params)
        user, within = caller(request), query.get("session")
        session = find_session(user, within, Action.READ)[0] if within else None
        page = search(user, query["q"], query["limit"], query.get("cursor"), session)
        return Response(page_wire(request, page, [found_wire(found) for found in page.results]))


def found_wire(found: Found) -> Wire:
    session, message = found.session, found.message
    return {
        "session": {
            "id": str(session.pk),
            "slug": session.slug,
            "title": session.title,
            "archived": session.archived_at is not None,
        },
        "message": message
        and {
            "id": str(message.pk),
            "n": message.n,
            "role": str(message.role),
            "user": user_wire(message.user) if message.user else None,
            "created_at": time_wire(message.created_at),
        },
        "snippet": {"text": found.snippet.text, "marks": [list(mark) for mark in found.snippet.marks]},
    }
