"""`hanzo-live check` where things are not as they should be. (All well: `test_serve`.)"""

from __future__ import annotations

from pathlib import Path

from tests.cli.processes import hanzo_live
from tests.valkey import start_valkey


def test_it_says_what_is_missing_where_nothing_runs(tmp_path: Path) -> None:
    found = hanzo_live("check", "--data-dir", str(tmp_path / "data"))
    assert found.returncode == 1
    assert "is not there yet; `hanzo-live serve` makes it" in found.stdout
    assert "The private one runs while `hanzo-live serve` does" in found.stdout
    assert "lacks" in found.stdout
    assert found.stderr == ""


def test_it_warns_of_a_redis_that_forgets(tmp_path: Path, node_url: str) -> None:
    valkey = start_valkey(tmp_path, "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru")
    try:
        found = hanzo_live("check", "--redis", valkey.url, "--node-url", node_url, "--data-dir", str(tmp_path / "data"))
    finally:
        valkey.stop()
    assert "warning  Redis        It evicts keys when its memory is full (allkeys-lru)" in found.stdout
    assert "warning  Redis        It keeps no append-only file" in found.stdout
    assert f"ok       Node         {node_url} offers" in found.stdout
