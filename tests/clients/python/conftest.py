"""The real server, as the integration tests start it."""

from __future__ import annotations

from tests.integration.conftest import daphne, node_url, prompt, room, stack, start, start_for_all

__all__ = ["daphne", "node_url", "prompt", "room", "stack", "start", "start_for_all"]
