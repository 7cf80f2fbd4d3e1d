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


PRODUCTION = {
    "HOST": "0.0.0.0",
    "HTTPS_ONLY": "true",
    "TRUSTED_PROXIES": "10.0.0.2",
    "ALLOWED_HOSTS": "live.example.com",
    "EMAIL_HOST": "mail.example.com",
    "SECRET_KEY": "long enough, and of many different characters: 0123456789 abcdefghijklmnop",
}


def warned(tmp_path: Path, **environment: str) -> list[str]:
    """What `check --deploy` finds beside what `check` does."""
    where = ("--data-dir", str(tmp_path))
    plain, found = (hanzo_live("check", *deploy, *where, **environment) for deploy in ((), ("--deploy",)))
    assert "Traceback" not in found.stderr
    assert found.stdout.startswith(plain.stdout)
    return found.stdout.removeprefix(plain.stdout).splitlines()


def test_a_production_configuration_is_found_good(tmp_path: Path, node_url: str) -> None:
    """Django's own `check --deploy` has nothing to say of it either."""
    (said,) = warned(tmp_path, NODE_URL=node_url, **PRODUCTION)
    assert said.startswith("warning  Database     SQLite serves one machine")


def test_what_does_not_do_where_strangers_come_is_said_with_what_to_do(tmp_path: Path, node_url: str) -> None:
    said = "\n".join(warned(tmp_path, NODE_URL=node_url, DEBUG="true", ALLOWED_HOSTS="*", SECRET_KEY="short"))
    for words in (
        "wrong    DEBUG        It is on",
        "wrong    Hosts        ALLOWED_HOSTS takes any name",
        "warning  HTTPS        Cookies also go over http://",
        "warning  E-mail       No EMAIL_HOST",
        "(security.W009)",
    ):
        assert words in said


def test_https_without_a_proxy_that_is_believed_is_wrong(tmp_path: Path, node_url: str) -> None:
    said = "\n".join(warned(tmp_path, NODE_URL=node_url, **{**PRODUCTION, "TRUSTED_PROXIES": ""}))
    assert "wrong    Proxy        Nobody's word on a caller's address" in said
