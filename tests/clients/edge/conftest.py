"""One whole server for the edge's tests."""

from __future__ import annotations

from tests.integration.conftest import node_url, start, start_for_all

__all__ = ["node_url", "start", "start_for_all"]
