"""The hub: one a process, between the logs and the sockets. See `hub.Hub`."""

from streaming.hub.frames import View, frame_of
from streaming.hub.hub import Hub, the_hub, unavailable
from streaming.hub.subscription import Phase, Subscription, Watcher

__all__ = ["Hub", "Phase", "Subscription", "View", "Watcher", "frame_of", "the_hub", "unavailable"]
