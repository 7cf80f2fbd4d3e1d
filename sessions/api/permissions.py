"""Which REST addresses somebody without a credential may use. What members may do is asked of `access`."""

from __future__ import annotations

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from sessions.access import require_anonymous_allowed


class AnonymousWhereAllowed(BasePermission):
    """Everybody where the operator allows anonymous use, else those with an account."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not request.user.is_authenticated:
            require_anonymous_allowed()
        return True
