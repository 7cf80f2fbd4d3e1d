"""What `hanzo-live` refuses: one sentence that says what to do, exit code 2, nothing left running."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from hanzolive.cli.places import free_port
from tests.cli.processes import hanzo_live


def refusal(*arguments: str, where: Path | None = None, **environment: str) -> str:
    """The sentence with which a command was refused."""
    ended = hanzo_live(*arguments, where=where, START_TIMEOUT="0.2", **environment)
    assert ended.returncode == 2, ended
    assert ended.stdout == ""
    assert ended.stderr.count("\n") == 1
    assert "Traceback" not in ended.stderr
    return ended.stderr.strip()


def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refusal("serve", "--port", str(port), "--data-dir", str(tmp_path))
    assert f"Port {port} on 127.0.0.1 is in use." in said
    assert "--port" in said


def test_a_redis_that_does_not_answer(tmp_path: Path) -> None:
    url = f"redis://:secret@127.0.0.1:{free_port()}/0"
    said = refusal("serve", "--port", "0", "--data-dir", str(tmp_path), "--redis", url)
    assert "No Redis answers at redis://:***@127.0.0.1:" in said
    assert "secret" not in said


def test_a_node_that_does_not_answer(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    said = refusal("serve", "--port", "0", "--data-dir", str(tmp_path), "--node-url", url)
    assert f"The node at {url} does not answer" in said
    assert "--node-url" in said


def test_a_database_that_does_not_answer(tmp_path: Path) -> None:
    url = f"postgres://me:secret@127.0.0.1:{free_port()}/live"
    said = refusal("serve", "--port", "0", "--data-dir", str(tmp_path), "--database-url", url)
    assert "cannot be used" in said
    assert "--database-url" in said
    assert "secret" not in said


def test_a_data_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    said = refusal("serve", "--port", "0", "--data-dir", str(tmp_path / "file" / "data"))
    assert f"The data folder {tmp_path}/file/data cannot be written" in said
    assert "--data-dir" in said


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--port", "many"], "PORT must be a number"),
        (["--port", "70000"], "PORT must be at most 65535"),
        (["--workers", "-1"], "WORKERS must be at least 0"),
        (["--server", "apache"], "SERVER must be one of daphne, uvicorn"),
        (["--host", "no.such.host.invalid"], "no.such.host.invalid is not an address"),
        (["--redis", "http://127.0.0.1"], "is not the address of a Redis"),
    ],
)
def test_a_value_that_an_option_cannot_take(tmp_path: Path, flags: list[str], words: str) -> None:
    assert words in refusal("serve", "--data-dir", str(tmp_path), *flags)


def test_a_configuration_file_with_an_unknown_option(tmp_path: Path) -> None:
    (tmp_path / "hanzo-live.config.json").write_text('{"prot": 3005}')
    assert "PROT" in refusal("serve", where=tmp_path)


def test_a_worker_without_a_redis(tmp_path: Path) -> None:
    assert "A worker needs the Redis of its server." in refusal("worker", "--data-dir", str(tmp_path))


def test_a_housekeeper_without_a_redis(tmp_path: Path) -> None:
    assert "A housekeeper needs the Redis of its server." in refusal("housekeeper", "--data-dir", str(tmp_path))
