"""The caller's own account, API tokens and tickets, over REST."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sessions import authentication
from sessions.access import id_of
from sessions.api import serializers as bodies
from sessions.api.parsers import BoundedJSONParser
from sessions.api.throttling import NEW_TOKENS
from sessions.api.views import caller, checked
from sessions.models import TokenScope
from sessions.profile import change_profile
from sessions.queries import me_wire, token_wire


class Me(APIView):
    parser_classes = (BoundedJSONParser, MultiPartParser)

    @extend_schema(operation_id="me_read", responses=bodies.MeShape)
    def get(self, request: Request) -> Response:
        """Who you are here."""
        return Response(me_wire(caller(request)))

    @extend_schema(operation_id="me_update", request=bodies.MeBody, responses=bodies.MeShape)
    def patch(self, request: Request) -> Response:
        """Change your name or picture (PNG, JPEG, WebP; sent as a form's file, or null to take it away)."""
        body = checked(bodies.MeBody, request.data)
        sent = b"" if "avatar" in body else None
        avatar = body["avatar"].read() if body.get("avatar") else sent
        return Response(me_wire(change_profile(caller(request), name=body.get("name"), avatar=avatar)))


class TokenList(APIView):
    rates = {"POST": NEW_TOKENS}

    @extend_schema(operation_id="tokens_list", responses=bodies.TokensShape)
    def get(self, request: Request) -> Response:
        """Your API tokens that are in force, the newest first; never the tokens themselves."""
        tokens = caller(request).api_tokens.filter(revoked_at=None).order_by("-created_at", "-pk")
        return Response({"results": [token_wire(token) for token in tokens]})

    @extend_schema(operation_id="tokens_create", request=bodies.TokenBody, responses={201: bodies.NewTokenShape})
    def post(self, request: Request) -> Response:
        """A new API token. Keep `token`: it is shown this once."""
        body = checked(bodies.TokenBody, request.data)
        token, raw = authentication.create_token(caller(request), body["name"], TokenScope(body["scope"]))
        return Response({**token_wire(token), "token": raw}, status=201)


class TokenDetail(APIView):
    @extend_schema(operation_id="tokens_revoke", responses={204: None})
    def delete(self, request: Request, token: str) -> Response:
        """End an API token, and the sockets that stand on it."""
        token_id = id_of(token)
        if token_id is None:
            raise authentication.token_not_found()
        authentication.revoke_token(caller(request), token_id)
        return Response(status=204)


class Tickets(APIView):
    @extend_schema(operation_id="tickets_create", request=None, responses={201: bodies.TicketShape})
    def post(self, request: Request) -> Response:
        """A ticket for one socket: send it as `hello.token` within `expires_in` seconds."""
        identity = request.auth if isinstance(request.auth, authentication.Identity) else None
        token, ends = (identity.token, identity.expires_at) if identity else (None, None)
        ticket, expires_in = authentication.issue_ticket(caller(request), token, ends)
        return Response({"ticket": ticket, "expires_in": expires_in}, status=201)
