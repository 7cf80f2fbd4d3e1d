"""Taking answers out of the cache: one's own, or a session's."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sessions import access
from sessions.access import Action
from sessions.api.views import caller, checked
from streaming.api import shapes
from streaming.cache.purging import purge


class Cache(APIView):
    @extend_schema(operation_id="cache_purge", parameters=[shapes.PurgeQuery], responses={200: shapes.PurgedShape})
    def delete(self, request: Request) -> Response:
        """Take out of the cache what was answered to you, or with `session`, for its owners, what was answered there."""
        query = checked(shapes.PurgeQuery, request.query_params)
        user, model = caller(request), query.get("model")
        if ref := query.get("session"):
            session, _ = access.find_session(user, ref, Action.MANAGE)
            return Response({"purged": purge(session=session.pk, model=model)})
        return Response({"purged": purge(user=user.pk, model=model)})
