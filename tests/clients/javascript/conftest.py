"""One whole server for the clients' tests, and empty projects in which they are installed as they would be from npm."""

from __future__ import annotations

from tests.integration.conftest import node_url, start, start_for_all

__all__ = ["node_url", "start", "start_for_all"]
