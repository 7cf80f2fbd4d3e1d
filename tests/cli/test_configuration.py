"""Flags, environment, configuration file, default: who wins, and what the children are told."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from hanzolive.cli.commands import register_serve
from hanzolive.cli.configuration import Configuration, configure
from hanzolive.cli.errors import OperatorError
from hanzolive.cli.redis import BUNDLED, bundled_server, private_redis, server_program
from hanzolive.folder import LONGEST_SOCKET_PATH, redis_socket
from hanzolive.options import OptionError, load


def configured(where: Path, *flags: str, **environment: str) -> Configuration:
    parser = argparse.ArgumentParser()
    register_serve(parser.add_subparsers())
    return configure(parser.parse_args(["serve", *flags]), environment, where)


def test_flags_win_over_environment_over_file_over_default(tmp_path: Path) -> None:
    assert configured(tmp_path)["PORT"] == 3001
    (tmp_path / "hanzo-live.config.toml").write_text("port = 3002\nworkers = 2\n")
    assert configured(tmp_path)["PORT"] == 3002
    assert configured(tmp_path, PORT="3003")["PORT"] == 3003
    chosen = configured(tmp_path, "--port", "3004", PORT="3003")
    assert (chosen["PORT"], chosen["WORKERS"]) == (3004, 2)


def test_json_is_read_before_toml_and_keys_may_be_spelt_like_flags(tmp_path: Path) -> None:
    (tmp_path / "hanzo-live.config.toml").write_text("port = 3002\n")
    (tmp_path / "hanzo-live.config.json").write_text('{"node-url": "http://node:8080"}')
    chosen = configured(tmp_path)
    assert (chosen["PORT"], chosen["NODE_URL"]) == (3001, "http://node:8080")


def test_an_empty_variable_counts_as_not_set(tmp_path: Path) -> None:
    (tmp_path / "hanzo-live.config.json").write_text('{"port": 3005}')
    assert configured(tmp_path, PORT="", ALLOW_ANONYMOUS="")["PORT"] == 3005
    assert configured(tmp_path, ALLOW_ANONYMOUS="")["ALLOW_ANONYMOUS"] is None


def test_children_are_told_what_was_given_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "hanzo-live.config.json").write_text('{"allowed_origins": ["https://a.example", "https://b.example"]}')
    chosen = configured(tmp_path, "--allow-anonymous", SECRET_KEY="hush")
    told = chosen.environment({})
    assert told["ALLOWED_ORIGINS"] == "https://a.example,https://b.example"
    assert told["ALLOW_ANONYMOUS"] == "true"
    assert told["SECRET_KEY"] == "hush"
    assert "PORT" not in told
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert load(told, elsewhere) == dict(chosen.values)


def test_secrets_have_no_flag(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        configured(tmp_path, "--secret-key", "hush")


def test_a_secret_may_lie_in_a_file_and_children_get_it_as_it_is(tmp_path: Path) -> None:
    secret, database = tmp_path / "secret-key", tmp_path / "database-url"
    secret.write_text(" hush\n")
    database.write_text("postgres://live:pass@db/live\n")
    chosen = configured(tmp_path, SECRET_KEY_FILE=str(secret), DATABASE_URL_FILE=str(database))
    assert (chosen["SECRET_KEY"], chosen["DATABASE_URL"]) == ("hush", "postgres://live:pass@db/live")
    told = chosen.environment({"SECRET_KEY_FILE": str(secret), "NODE_API_KEY_FILE": "/not/ours", "PATH": "/bin"})
    assert (told["SECRET_KEY"], told["PATH"]) == ("hush", "/bin")
    assert "SECRET_KEY_FILE" not in told
    told.pop("NODE_API_KEY_FILE")
    assert load(told, tmp_path) == dict(chosen.values)


def test_a_flag_wins_over_a_file(tmp_path: Path) -> None:
    (tmp_path / "redis-url").write_text("redis://file")
    assert configured(tmp_path, "--redis", "redis://flag", REDIS_URL_FILE=str(tmp_path / "redis-url"))["REDIS_URL"] == (
        "redis://flag"
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "which cannot be read: No such file"),
        (b" \n", "which is empty"),
        (b"\xff\xfe", "which is not text in UTF-8"),
        (b"x" * 1_000_001, "which is larger than 1,000,000 bytes"),
    ],
)
def test_a_file_that_holds_no_secret_is_refused_in_words(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "secret-key"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(OptionError, match=f"SECRET_KEY_FILE names {path}, {words}"):
        configured(tmp_path, SECRET_KEY_FILE=str(path))


def test_a_secret_in_a_file_and_beside_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret-key").write_text("hush")
    with pytest.raises(OptionError, match="SECRET_KEY and SECRET_KEY_FILE are both set"):
        configured(tmp_path, SECRET_KEY="hush", SECRET_KEY_FILE=str(tmp_path / "secret-key"))


def test_a_file_that_names_no_option_is_refused(tmp_path: Path) -> None:
    (tmp_path / "hanzo-live.config.json").write_text('{"prot": 1}')
    with pytest.raises(OptionError, match="PROT"):
        configured(tmp_path)


def test_the_redis_socket_moves_where_the_data_folders_path_is_too_long(tmp_path: Path) -> None:
    assert redis_socket(Path("/data")) == Path("/data/redis.sock")
    moved = redis_socket(tmp_path / ("long" * 40))
    assert len(str(moved)) <= LONGEST_SOCKET_PATH
    assert moved == redis_socket(tmp_path / ("long" * 40))
    assert moved != redis_socket(tmp_path / ("other" * 40))


def test_a_moved_sockets_folder_must_be_ours_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tmp_path / ("long" * 40)
    data.mkdir()
    monkeypatch.setattr("tempfile.tempdir", "/tmp")
    place = redis_socket(data).parent
    place.mkdir(mode=0o755)
    try:
        with pytest.raises(OperatorError, match="not a folder of yours alone"):
            private_redis(data, {})
    finally:
        place.rmdir()


def test_the_server_that_wrote_the_data_keeps_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs, home = tmp_path / "bin", tmp_path / "redis"
    programs.mkdir()
    home.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    assert server_program(home) == bundled_server()
    newer = programs / "redis-server"
    newer.write_text("#!/bin/sh\necho 'Redis server v=7.2.4 sha=0'\n")
    newer.chmod(0o755)
    assert server_program(home) == bundled_server()
    assert (home / "server").read_text() == BUNDLED


@pytest.mark.parametrize(("version", "is_used"), [("7.0.15", True), ("5.0.14", False)])
def test_a_server_on_path_is_used_where_it_is_new_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, is_used: bool
) -> None:
    program = tmp_path / "redis-server"
    program.write_text(f"#!/bin/sh\necho 'Redis server v={version} sha=0'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    home = tmp_path / "redis"
    home.mkdir()
    assert (server_program(home) == str(program)) is is_used


def test_proxies_are_addresses_and_networks(tmp_path: Path) -> None:
    chosen = configured(tmp_path, TRUSTED_PROXIES="10.0.0.2, 172.16.0.0/12,fd00::/8")
    assert chosen["TRUSTED_PROXIES"] == ["10.0.0.2", "172.16.0.0/12", "fd00::/8"]
    assert configured(tmp_path, TRUSTED_PROXIES="*")["TRUSTED_PROXIES"] == ["*"]
    assert configured(tmp_path)["TRUSTED_PROXIES"] == []
    with pytest.raises(OptionError, match="'nginx', which is no address"):
        configured(tmp_path, TRUSTED_PROXIES="10.0.0.2,nginx")
