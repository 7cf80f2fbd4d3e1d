from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.streaming.notices.receiving import Receiver, receiving

SECRET = "whsec_bm90IGEgc2VjcmV0LCBhbiBleGFtcGxl"


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    """It is to be told of every stream."""
    with receiving() as receiver:
        settings.WEBHOOK_URLS = [f"{receiver.url}/hook"]
        settings.WEBHOOK_SECRET = SECRET
        settings.WEBHOOK_ALLOW_PRIVATE = True
        yield receiver
