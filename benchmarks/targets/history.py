"""Where history is read (P11): Hanzo Live on one of its databases, and beside it a page by LIMIT/OFFSET on the same rows."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace

from benchmarks.lines import Helper
from benchmarks.process import ROOT, Workshop, free_port, port_answers
from benchmarks.targets import hanzo, postgres, scripted_node
from benchmarks.targets.base import HistoryRunning
from benchmarks.task import Reading

PEERS = ROOT / "benchmarks" / "peers"
SEEDING_S = 240
PAGE = 50


@dataclass(frozen=True, slots=True)
class HistoryDatabase:
    """The HistoryTarget: one database, filled once, before both servers."""

    name: str
    database: str
    with_postgres: bool = False

    @property
    def title(self) -> str:
        return self.database

    def start(self, shop: Workshop, sizes: list[int]) -> list[HistoryRunning]:
        url, version = postgres.start(shop) if self.with_postgres else ("", "SQLite")
        _, node_port = scripted_node.start(shop)
        served = hanzo.serve(shop, "daphne", node_port, url)
        logs = {size: _filled(shop, served, size) for size in sizes}
        ours = HistoryRunning(
            name=f"hanzo-{self.name}",
            title=f"Hanzo Live ({self.database})",
            port=served.port,
            headers=served.headers,
            viewer=replace(hanzo.viewer_of(served, "", [served.headers]), steps=[]),
            readings=[
                reading for size, log in logs.items() for reading in (*_cursors(size, log), _snapshot(size, log))
            ],
            server_pids=served.pids(hanzo.WEB),
            version=f"{hanzo.versions('daphne')}, {version}",
        )
        return [ours, self._offset(shop, served, logs, version)]

    def _offset(self, shop: Workshop, served: hanzo.Served, logs: dict[int, str], version: str) -> HistoryRunning:
        port = free_port()
        env = {**served.environment, "PYTHONPATH": os.pathsep.join((str(ROOT), str(PEERS)))}
        env["DJANGO_SETTINGS_MODULE"] = "offset_page.settings"
        server = shop.start("offset_page", [sys.executable, "-m", "offset_page", str(port)], env=env, cwd=shop.folder)
        shop.wait(server, lambda: port_answers(port), "it listened")
        return HistoryRunning(
            name=f"offset-{self.name}",
            title=f"Django's LIMIT/OFFSET ({self.database})",
            port=port,
            headers=served.headers,
            viewer=None,
            readings=[reading for size, log in logs.items() for reading in _offsets(size, log)],
            server_pids=server.pids,
            version=version,
        )


def _filled(shop: Workshop, served: hanzo.Served, size: int) -> str:
    """The log of a new session with so many messages."""
    log = hanzo.new_session(served)
    order = {"what": "history", "session": log.removeprefix("session:"), "count": size}
    Helper.start(shop, "seeding", f"seeding-{size}", order, served.environment).hear("seeded", SEEDING_S)
    return log


def _path(log: str, query: str) -> str:
    return f"/v1/sessions/{log.removeprefix('session:')}/messages?limit={PAGE}{query}"


def places(size: int) -> dict[str, tuple[int, int]]:
    """First and last message of the pages that are read, by the page's name."""
    middle = size // 2
    return {"newest": (size - PAGE + 1, size), "middle": (middle - PAGE + 1, middle), "oldest": (1, PAGE)}


def _cursors(size: int, log: str) -> list[Reading]:
    return [
        Reading(f"{size} {name}", "page", _path(log, "" if last == size else f"&cursor=b{last + 1}"), first, last)
        for name, (first, last) in places(size).items()
    ]


def _offsets(size: int, log: str) -> list[Reading]:
    return [
        Reading(f"{size} {name}", "page", _path(log, f"&offset={size - last}"), first, last)
        for name, (first, last) in places(size).items()
    ]


def _snapshot(size: int, log: str) -> Reading:
    return Reading(f"{size} snapshot", "snapshot", log, size - PAGE + 1, size)
