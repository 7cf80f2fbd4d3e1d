"""The consumer of the Channels tutorial, part 3 (asynchronous)."""

import json
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer


class LiveConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """Joins the group for itself, encodes each event for itself."""

    async def connect(self) -> None:
        await self.channel_layer.group_add("live", self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard("live", self.channel_name)

    async def token_message(self, event: dict[str, Any]) -> None:
        await self.send(text_data=json.dumps(event["event"]))
