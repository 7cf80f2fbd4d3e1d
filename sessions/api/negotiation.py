"""Every address answers in what it speaks, whatever is accepted: a refusal that cannot be read would help nobody."""

from __future__ import annotations

from collections.abc import Iterable

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class AnswersInJson(DefaultContentNegotiation):
    """Errors and bodies are JSON; event streams and documents are made by the views themselves."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type or ""


def accepts_event_stream(request: Request) -> bool:
    accepted = request.headers.get("Accept", "")
    return any(each.partition(";")[0].strip().lower() == "text/event-stream" for each in accepted.split(","))
