from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.presence.draft.editors import House


@pytest_asyncio.fixture
async def house(redis_url: str) -> AsyncIterator[House]:
    made = House(redis_url)
    yield made
    await made.redis.aclose()
