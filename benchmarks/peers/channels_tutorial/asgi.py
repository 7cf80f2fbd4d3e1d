"""The tutorial's ASGI application: one route."""

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import path

http = get_asgi_application()

from channels_tutorial.consumers import LiveConsumer  # type: ignore[import-not-found]  # noqa: E402 (Django is set up above)

application = ProtocolTypeRouter(
    {"http": http, "websocket": URLRouter([path("ws/live/", LiveConsumer.as_asgi())])},
)
