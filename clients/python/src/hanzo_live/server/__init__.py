"""`HanzoLiveServer`: a whole Hanzo Live server whose answers a handler of yours writes. Needs `hanzo-live[server]`."""

from hanzo_live.server.serving import HanzoLiveServer

__all__ = ["HanzoLiveServer"]
