"""Tools over REST: which a session's models may call, and the answers to calls that wait for somebody."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from asgiref.sync import async_to_sync
from django.core.cache import cache
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from hanzo_live.protocol.commands import ToolDecision, ToolOutput
from sessions import access
from sessions.access import Action
from sessions.api.permissions import AnonymousWhereAllowed
from sessions.api.views import caller
from streaming import waiting
from streaming.api import bodies, shapes
from streaming.api.streams import user_of
from streaming.services import read_stream
from streaming.tools.configured import toolkit

KEPT_S = 10


class SessionTools(APIView):
    @extend_schema(operation_id="tools_list", responses=shapes.ToolListShape)
    def get(self, request: Request, ref: str) -> Response:
        """The tools that models may call in this session with `tools: "auto"`, and how the MCP servers stand."""
        access.find_session(caller(request), ref, Action.READ)
        data = cache.get("tools")
        if data is None:
            data = async_to_sync(_listing)()
            cache.set("tools", data, KEPT_S)
        return Response(data)


class ToolApproval(APIView):
    permission_classes = [AnonymousWhereAllowed]

    @extend_schema(operation_id="tools_approve", request=ToolDecision, responses={202: shapes.StoppedShape})
    def post(self, request: Request, id: str) -> Response:
        """Allow a tool call that waits for approval to run, or deny it. Once; a second answer is 409."""
        stream, said = _id(id), bodies.checked(ToolDecision, bodies.body_of(request))
        waiting.approve(user_of(request), stream, said.call, said.approved, said.reason)
        return _standing(request, stream)


class ToolAnswer(APIView):
    permission_classes = [AnonymousWhereAllowed]

    @extend_schema(operation_id="tools_result", request=ToolOutput, responses={202: shapes.StoppedShape})
    def post(self, request: Request, id: str) -> Response:
        """Tell what a tool gave that the client runs. For whoever asked; once, a second answer is 409."""
        stream, said = _id(id), bodies.checked(ToolOutput, bodies.body_of(request))
        waiting.answer(user_of(request), stream, said.call, said.output, said.error)
        return _standing(request, stream)


def _standing(request: Request, id: UUID) -> Response:
    return Response({"stream": str(id), "status": read_stream(user_of(request), id).status}, status=202)


def _id(text: str) -> UUID:
    found = access.id_of(text)
    if found is None:
        raise access.stream_not_found()
    return found


async def _listing() -> dict[str, Any]:
    async with toolkit() as kit:
        tools, servers = await kit.listing()
    return {
        "results": [
            {
                "name": spec.name,
                "description": spec.description,
                "parameters": dict(spec.parameters),
                "runs_on": spec.kind.value,
                "server": spec.source or None,
                "asks_first": spec.ask_first,
            }
            for spec in tools
        ],
        "servers": [{"name": each.name, "tools": each.tools, "error": each.message} for each in servers],
    }
