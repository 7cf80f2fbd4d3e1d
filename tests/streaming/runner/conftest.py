from __future__ import annotations

import pytest

from streaming.runner.worker import WorkerProcess
from tests.streaming.runner.house import Crew


@pytest.fixture
def worker(crew: Crew) -> WorkerProcess:
    """One of this process; its streams come from `crew.carry`."""
    return crew.here()
