"""A session's messages by Django REST framework's LimitOffsetPagination, the newest first: `COUNT(*)` and `OFFSET`."""

from __future__ import annotations

from django.urls import path
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sessions.access import Action, find_session
from sessions.api.views import caller
from sessions.queries import message_wire, messages_of


class Messages(APIView):
    def get(self, request: Request, ref: str) -> Response:
        session, _ = find_session(caller(request), ref, Action.READ)
        pages = LimitOffsetPagination()
        page = pages.paginate_queryset(messages_of(session.pk).order_by("-n"), request, self)
        return pages.get_paginated_response([message_wire(message) for message in page or ()])


urlpatterns = [path("v1/sessions/<str:ref>/messages", Messages.as_view())]
