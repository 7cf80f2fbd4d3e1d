"""The web process's ASGI application: pages and REST to Django, `/v1/live` to the socket's consumer, nothing else."""

from __future__ import annotations

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hanzolive.settings")

from django.core.asgi import get_asgi_application

# Before the imports below: they need the apps to be loaded.
http = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import path, re_path  # noqa: E402

from streaming.consumers import LiveConsumer  # noqa: E402


async def refuse(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """No WebSocket here: the handshake is answered with 403."""
    await receive()
    await send({"type": "websocket.close", "code": 4403})


application = ProtocolTypeRouter(
    {
        "http": http,
        "websocket": URLRouter([path("v1/live", LiveConsumer.as_asgi()), re_path(r"", refuse)]),  # type: ignore[arg-type]  # Django's `path` knows views only,
    }
)
