"""One example frame per type, as files that every client in every language is tested with."""

from __future__ import annotations

from hanzo_live.protocol.base import JsonObject
from hanzo_live.protocol.commands import COMMANDS
from hanzo_live.protocol.events import EVENTS
from hanzo_live.protocol.replies import OKS, REPLIES


def fixtures() -> dict[str, JsonObject]:
    """The examples by file name: `command.<type>`, `reply.<type>`, `reply.ok.<command>`, `event.<type>`."""
    return {
        **{f"command.{name}.json": command.example for name, command in COMMANDS.items()},
        **{f"reply.ok.{name}.json": ok.example for name, ok in OKS.items()},
        **{f"reply.{name}.json": reply.example for name, reply in REPLIES.items()},
        **{f"event.{name}.json": event.example for name, event in EVENTS.items()},
    }
