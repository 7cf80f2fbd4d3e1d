"""A hub on the real Valkey, in the test's event loop."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from streaming.hub import Hub
from streaming.layer import LiveChannelLayer, LiveLoopLayer


@pytest_asyncio.fixture
async def layer(redis_url: str) -> AsyncIterator[LiveLoopLayer]:
    found = LiveChannelLayer(hosts=[{"address": redis_url, "max_connections": 50}]).here()
    yield found
    await found.flush()


@pytest_asyncio.fixture
async def hub(layer: LiveLoopLayer) -> AsyncIterator[Hub]:
    made = Hub(layer)
    yield made
    await made.close()


@pytest.fixture
def stream_row(transactional_db: None) -> object:
    """A running stand-alone stream: the owner of the log that these tests write."""
    from streaming.models import Stream, StreamStatus

    stream = Stream(anonymous=True, request={}, status=StreamStatus.RUNNING)
    stream.log = f"stream:{stream.pk}"
    stream.save()
    return stream
