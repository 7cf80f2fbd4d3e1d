"""Who is in a session, over REST."""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sessions import membership
from sessions.access import Action, find_session, id_of
from sessions.api import serializers as bodies
from sessions.api.throttling import NEW_MEMBERS
from sessions.api.views import caller, checked
from sessions.models import Role
from sessions.queries import member_wire, members_of


class MemberList(APIView):
    rates = {"POST": NEW_MEMBERS}

    @extend_schema(operation_id="members_list", responses=bodies.MembersShape)
    def get(self, request: Request, ref: str) -> Response:
        """The session's members, in the order in which they came."""
        session, _ = find_session(caller(request), ref, Action.READ)
        return Response({"results": [member_wire(member) for member in members_of(session.pk)]})

    @extend_schema(operation_id="members_add", request=bodies.MemberBody, responses={201: bodies.MemberShape})
    def post(self, request: Request, ref: str) -> Response:
        """Add somebody who has an account here."""
        session, _ = find_session(caller(request), ref, Action.MANAGE)
        body = checked(bodies.MemberBody, request.data)
        user = membership.find_account(user_id=body.get("user"), email=body.get("email"))
        member = membership.add_member(session, caller(request), user, Role(body["role"]))
        return Response(member_wire(member), status=201)


class MemberDetail(APIView):
    @extend_schema(operation_id="members_update", request=bodies.RoleBody, responses=bodies.MemberShape)
    def patch(self, request: Request, ref: str, user: str) -> Response:
        """Give a member another role."""
        session, _ = find_session(caller(request), ref, Action.MANAGE)
        body = checked(bodies.RoleBody, request.data)
        member = membership.set_role(session, caller(request), member_id(user), Role(body["role"]))
        return Response(member_wire(member))

    @extend_schema(operation_id="members_remove", responses={204: None})
    def delete(self, request: Request, ref: str, user: str) -> Response:
        """Remove a member; everybody may remove themselves."""
        user_id = member_id(user)
        leaving = user_id == caller(request).pk
        session, _ = find_session(caller(request), ref, Action.READ if leaving else Action.MANAGE)
        membership.remove_member(session, caller(request), user_id)
        return Response(status=204)


def member_id(text: str) -> UUID:
    """The id in an address. Raises LiveError `not_found`, as for an id that nobody has."""
    found = id_of(text)
    if found is None:
        raise membership.member_not_found()
    return found
