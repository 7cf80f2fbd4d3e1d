"""The dashboard's figures, for its page and for the refreshes of it: made once every few seconds, whoever asks."""

from __future__ import annotations

import json
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError

from hanzolive.dashboard.figures import Shown, show
from hanzolive.dashboard.reading import read

KEPT_SECONDS = 3
REFRESH_SECONDS = 5


def current() -> Shown:
    """The figures, as of KEPT_SECONDS ago at most. While Redis is away they are made each time."""
    try:
        kept: Shown | None = cache.get("panel:figures")
        if kept is None:
            kept = show(read(timezone.now()))
            cache.set("panel:figures", kept, KEPT_SECONDS)
    except RedisError:
        return show(read(timezone.now()))
    return kept


def page_context() -> dict[str, Any]:
    """What the start page is told to begin with."""
    dashboard = current()
    charts = {f"{name}_chart": json.dumps(chart) for name, chart in dashboard["charts"].items()}
    return {"dashboard": dashboard, "refresh_seconds": REFRESH_SECONDS, **charts}


@never_cache
@require_safe
def figures(request: HttpRequest) -> JsonResponse:
    """For the page's refreshes. The admin site lets in whoever it lets in."""
    return JsonResponse(current())
