"""The REST addresses of this app, below `/v1/`. Included before those of `sessions`: `messages` is both apps'."""

from __future__ import annotations

from django.urls import path

from streaming.api import cache, client_metrics, completions, models, room, streams, tools

urlpatterns = [
    path("streams", streams.StreamList.as_view()),
    path("streams/<str:id>", streams.StreamDetail.as_view()),
    path("streams/<str:id>/events", streams.StreamEvents.as_view()),
    path("streams/<str:id>/stop", streams.StreamStop.as_view()),
    path("streams/<str:id>/tools/approve", tools.ToolApproval.as_view()),
    path("streams/<str:id>/tools/result", tools.ToolAnswer.as_view()),
    path("sessions/<str:ref>/tools", tools.SessionTools.as_view()),
    path("sessions/<str:ref>/messages", streams.Messages.as_view()),
    path("sessions/<str:ref>/streams", streams.SessionStreams.as_view()),
    path("sessions/<str:ref>/events", streams.SessionEvents.as_view()),
    path("sessions/<str:ref>/presence", room.SessionPresence.as_view()),
    path("sessions/<str:ref>/draft", room.SessionDraft.as_view()),
    path("sessions/<str:ref>/queue", room.SessionQueue.as_view()),
    path("sessions/<str:ref>/queue/<str:id>", room.SessionQueued.as_view()),
    path("cache", cache.Cache.as_view()),
    path("chat/completions", completions.ChatCompletions.as_view()),
    path("models", models.ModelList.as_view()),
    path("metrics/client", client_metrics.ClientMetrics.as_view()),
]
