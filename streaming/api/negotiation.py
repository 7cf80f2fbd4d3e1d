"""Views that answer in JSON or as an event stream: DRF would refuse an `Accept` that none of its renderers has."""

from __future__ import annotations

from collections.abc import Iterable

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class AnswersInJson(DefaultContentNegotiation):
    """Errors and bodies are JSON, whatever is accepted; the event stream is made by the view itself."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type or ""


def accepts_event_stream(request: Request) -> bool:
    accepted = request.headers.get("Accept", "")
    return any(each.partition(";")[0].strip().lower() == "text/event-stream" for each in accepted.split(","))
