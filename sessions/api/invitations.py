"""Invitations over REST: a session's own, for those who may invite, and the one that a token names, for who has it."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sessions import invitations
from sessions.access import Action, find_session, id_of
from sessions.api import serializers as bodies
from sessions.api.views import caller, checked, page_wire
from sessions.invitation_pages import page_path
from sessions.invitations import Standing
from sessions.models import Invitation, Member, User
from sessions.positions import Order, page_of
from sessions.queries import invitation_wire, preview_wire
from sessions.rates import address_of


class InvitationList(APIView):
    @extend_schema(
        operation_id="invitations_list", parameters=[bodies.InvitationsQuery], responses=bodies.InvitationPageShape
    )
    def get(self, request: Request, ref: str) -> Response:
        """The session's open invitations, or those in another `state`, the newest first; never their tokens."""
        session, _ = find_session(caller(request), ref, Action.INVITE)
        query = checked(bodies.InvitationsQuery, request.query_params)
        found = invitations.invitations_in(session, Standing(query["state"]))
        page = page_of(found, Order("created_at"), query["limit"], query.get("cursor"))
        return Response(page_wire(request, page, [invitation_wire(each) for each in page.results]))

    @extend_schema(
        operation_id="invitations_create",
        request=bodies.InvitationBody,
        responses={201: bodies.NewInvitationShape},
    )
    def post(self, request: Request, ref: str) -> Response:
        """Invite somebody: by mail with `email`, else by the link `url`. Keep `token` and `url`: shown this once."""
        session, _ = find_session(caller(request), ref, Action.INVITE)
        body = checked(bodies.InvitationBody, request.data)

        def address(token: str) -> str:
            return request.build_absolute_uri(page_path(token))

        invitation, token = invitations.invite(session, caller(request), address=address, **body)
        return Response({**invitation_wire(invitation), "token": token, "url": address(token)}, status=201)


class InvitationDetail(APIView):
    @extend_schema(operation_id="invitations_revoke", responses={204: None})
    def delete(self, request: Request, ref: str, invitation: str) -> Response:
        """Take an invitation back. Who joined by it stays."""
        session, _ = find_session(caller(request), ref, Action.INVITE)
        invitation_id = id_of(invitation)
        if invitation_id is None:
            raise invitations.no_such_invitation()
        invitations.revoke(session, invitation_id)
        return Response(status=204)


class InvitationPreview(APIView):
    permission_classes = (AllowAny,)  # the token is the credential

    @extend_schema(operation_id="invitations_read", responses=bodies.InvitationPreviewShape)
    def get(self, request: Request, token: str) -> Response:
        """Who invites to what, and as what. `session.id` is told to members only."""
        found = invitations.find(token, address_of(request))
        member = _is_member(request, found)
        if not member:
            invitations.require_open(found)
        return Response(preview_wire(found, member=member))


class InvitationAccept(APIView):
    @extend_schema(operation_id="invitations_accept", request=None, responses=bodies.AcceptedShape)
    def post(self, request: Request, token: str) -> Response:
        """Join the session."""
        found = invitations.find(token, address_of(request))
        member = invitations.accept(found, caller(request))
        return Response({"session": str(member.session_id), "role": str(member.role), "log": member.session.log})


class InvitationDecline(APIView):
    permission_classes = (AllowAny,)

    @extend_schema(operation_id="invitations_decline", request=None, responses={204: None})
    def post(self, request: Request, token: str) -> Response:
        """Say no. That ends an invitation for one person; one for several goes on for the others."""
        invitations.decline(invitations.find(token, address_of(request)))
        return Response(status=204)


def _is_member(request: Request, found: Invitation) -> bool:
    user = request.user
    return isinstance(user, User) and Member.objects.filter(session_id=found.session_id, user=user).exists()
