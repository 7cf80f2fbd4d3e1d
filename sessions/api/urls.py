"""The REST addresses of this app, below `/v1/`."""

from __future__ import annotations

from django.urls import path

from sessions.api import account, invitations, members, search, views

urlpatterns = [
    path("sessions", views.SessionList.as_view()),
    path("sessions/<str:ref>", views.SessionDetail.as_view()),
    path("sessions/<str:ref>/messages", views.SessionMessages.as_view()),
    path("sessions/<str:ref>/transcript", views.SessionTranscript.as_view()),
    path("sessions/<str:ref>/duplicate", views.SessionDuplicate.as_view()),
    path("sessions/<str:ref>/read", views.SessionRead.as_view()),
    path("sessions/<str:ref>/members", members.MemberList.as_view()),
    path("sessions/<str:ref>/members/<str:user>", members.MemberDetail.as_view()),
    path("sessions/<str:ref>/invitations", invitations.InvitationList.as_view()),
    path("sessions/<str:ref>/invitations/<str:invitation>", invitations.InvitationDetail.as_view()),
    path("invitations/<str:token>", invitations.InvitationPreview.as_view()),
    path("invitations/<str:token>/accept", invitations.InvitationAccept.as_view()),
    path("invitations/<str:token>/decline", invitations.InvitationDecline.as_view()),
    path("search", search.Search.as_view()),
    path("me", account.Me.as_view()),
    path("tokens", account.TokenList.as_view()),
    path("tokens/<str:token>", account.TokenDetail.as_view()),
    path("tickets", account.Tickets.as_view()),
]
