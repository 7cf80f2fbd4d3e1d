"""What goes on in a session now, for who asks once: who is here, the shared draft, the queue. Sockets tell it live.

The draft is edited on sockets alone: an edit is a step from what its writer saw, and REST sees nothing in between.
"""

from __future__ import annotations

from typing import Any

import redis.asyncio
from asgiref.sync import async_to_sync
from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from presence.draft import DraftStore
from presence.draft.looking import draft_now
from presence.leases import Leases
from presence.looking import who_is_here
from sessions import access
from sessions.access import Action
from sessions.api.views import caller
from streaming import services
from streaming.api import shapes
from streaming.queries import queue_of
from streaming.sockets.drafts import first_unposted

TIMEOUT_S = 5.0


class SessionPresence(APIView):
    @extend_schema(operation_id="presence_read", responses=shapes.PresenceShape)
    def get(self, request: Request, ref: str) -> Response:
        """Who is in the session now, and what they do. Above a set size only how many."""
        session, _ = access.find_session(caller(request), ref, Action.READ)
        told = async_to_sync(_present)(session.log)
        return Response({"summarised": False, **told})


class SessionDraft(APIView):
    @extend_schema(operation_id="draft_read", responses=shapes.DraftShape)
    def get(self, request: Request, ref: str) -> Response:
        """The text of the shared draft as it is now. It is edited and sent on sockets."""
        session, _ = access.find_session(caller(request), ref, Action.READ)
        generation, text = async_to_sync(_draft)(session.log, first_unposted(session.log))
        return Response({"generation": generation, "text": text})


class SessionQueue(APIView):
    @extend_schema(operation_id="queue_list", responses=shapes.QueueShape)
    def get(self, request: Request, ref: str) -> Response:
        """The prompts that wait for their answers, in order; at 0 is the one whose answer is being written."""
        session, _ = access.find_session(caller(request), ref, Action.READ)
        return Response({"results": queue_of(session.pk)})


class SessionQueued(APIView):
    @extend_schema(operation_id="queue_take_back", responses={204: None})
    def delete(self, request: Request, ref: str, id: str) -> Response:
        """Take back a prompt that waits: no answer is written, and no model is told of it. 409 once it has begun."""
        session, _ = access.find_session(caller(request), ref, Action.STOP)
        found = access.id_of(id)
        if found is None:
            raise access.stream_not_found()
        services.take_back(caller(request), session, found)
        return Response(status=204)


async def _present(log: str) -> dict[str, Any]:
    async with _redis() as client:
        return await who_is_here(Leases(client, "", lambda _: ("", "")), log, settings.PRESENCE_MAX_LISTED)


async def _draft(log: str, floor: int) -> tuple[int, str]:
    async with _redis() as client:
        return await draft_now(DraftStore(client), log, floor)


def _redis() -> redis.asyncio.Redis:
    """A connection for one question: views run on event loops that may end with them."""
    return redis.asyncio.Redis.from_url(settings.REDIS_URL, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)
