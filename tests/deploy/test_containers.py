"""The Dockerfile and the Compose files: that they agree with the project and with one another."""

from __future__ import annotations

import fnmatch
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from hanzolive.options import BY_NAME, OPTIONS, load
from tests.cli.processes import hanzo_live
from tests.deploy.compose import FOLDER, PRODUCTION, ROOT, SEED, environment, faults, read

DOCKERFILE = (FOLDER / "Dockerfile").read_text()
FILES = {option.file_name for option in OPTIONS if option.file_name}
OURS = "hanzoai/live-server"


def ours(path: Path) -> dict[str, dict[str, Any]]:
    return {name: service for name, service in read(path)["services"].items() if OURS in service["image"]}


@pytest.mark.parametrize("path", [SEED, PRODUCTION], ids=lambda path: path.name)
def test_compose_files_are_what_the_specification_allows(path: Path) -> None:
    assert faults(path) == []


def test_a_fault_would_be_found(tmp_path: Path) -> None:
    wrong = tmp_path / "compose.yml"
    wrong.write_text("services: {a: {imagine: b, depends_on: [c], volumes: ['d:/e']}}")
    assert len(faults(wrong)) == 3


@pytest.mark.parametrize("path", [SEED, PRODUCTION], ids=lambda path: path.name)
def test_variables_are_options_and_commands_are_there(path: Path) -> None:
    helped = hanzo_live("--help").stdout
    for name, service in ours(path).items():
        variables = environment(service)
        assert set(variables) <= BY_NAME.keys() | FILES, name
        load({key: value for key, value in variables.items() if key in BY_NAME}, FOLDER)
        program, command, *_ = service.get("command", ["hanzo-live", "serve"])
        assert program == "hanzo-live"
        assert re.search(rf"^    {command}\b", helped, re.MULTILINE), command


def test_the_seeds_three_services_are_kept() -> None:
    services = read(SEED)["services"]
    assert list(services) == ["hanzo-live", "hanzo-node", "redis"]
    seed = yaml.safe_load("""
      hanzo-live:
        ports: ["3001:3001"]
        depends_on: [hanzo-node, redis]
        environment:
          - NODE_URL=http://hanzo-node:8080
          - REDIS_URL=redis://redis:6379
          - MAX_CONNECTIONS=10000
          - STREAM_TIMEOUT=300
      hanzo-node:
        image: hanzoai/node:latest
        ports: ["8080:8080"]
        volumes: ["./models:/models"]
        environment: [GPU_LAYERS=auto]
      redis:
        image: redis:7-alpine
        ports: ["6379:6379"]
    """)
    for name, parts in seed.items():
        for key, wanted in parts.items():
            given = services[name][key]
            assert given == wanted if isinstance(wanted, str) else set(wanted) <= set(given), (name, key)


def test_in_production_every_container_is_bounded_and_cannot_gain_rights() -> None:
    for name, service in read(PRODUCTION)["services"].items():
        assert "no-new-privileges:true" in service["security_opt"], name
        if name == "hanzo-node":  # it needs the machine's graphics cards, and what it writes is not ours to say
            continue
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}, name


def test_in_production_everything_with_a_port_is_asked_whether_it_is_healthy() -> None:
    without = {
        name for name, service in read(PRODUCTION)["services"].items() if service.get("healthcheck", {}).get("disable")
    }
    assert without == {"worker", "beat", "migrate", "static"}
    asked = {name for name, service in read(PRODUCTION)["services"].items() if "test" in service.get("healthcheck", {})}
    assert asked == {"nginx", "postgres", "valkey", "prometheus", "grafana"}
    assert "HEALTHCHECK" in DOCKERFILE  # of web-1 and web-2


def test_in_production_no_secret_is_in_the_file_and_each_is_made(tmp_path: Path) -> None:
    told = read(PRODUCTION)
    for name, service in told["services"].items():
        for variable in environment(service):
            assert not BY_NAME.get(variable) or not BY_NAME[variable].file_name, (name, variable)
    subprocess.run([FOLDER / "make-secrets.sh", tmp_path / "made"], check=True, capture_output=True)
    made = {path.name: path.read_text() for path in (tmp_path / "made").iterdir()}
    assert made.keys() == told["secrets"].keys()
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o700
    subprocess.run([FOLDER / "make-secrets.sh", tmp_path / "made"], check=True, capture_output=True)
    assert made == {path.name: path.read_text() for path in (tmp_path / "made").iterdir()}, "what is there stays"
    given = load(
        {
            f"{name}_FILE": str(tmp_path / "made" / name.lower())
            for name in ("SECRET_KEY", "DATABASE_URL", "REDIS_URL", "METRICS_TOKEN")
        },
        tmp_path,
    )
    assert made["postgres_password"].strip() in given["DATABASE_URL"]
    assert made["valkey_conf"].split()[1] in given["REDIS_URL"]
    assert len(given["SECRET_KEY"]) >= 50


def test_in_production_nginx_is_the_trusted_proxy() -> None:
    told = read(PRODUCTION)
    (subnet,) = (each["subnet"] for each in told["networks"]["outside"]["ipam"]["config"])
    for name in ("web-1", "web-2"):
        assert environment(told["services"][name])["TRUSTED_PROXIES"] == subnet
        assert "outside" in told["services"][name]["networks"]
    assert told["services"]["nginx"]["networks"] == ["outside"]
    assert environment(told["services"]["nginx"])["WEB"] == "web-1:3001 web-2:3001"


def test_in_production_prometheus_scrapes_every_part_and_may() -> None:
    told = read(PRODUCTION)
    scraped = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    web, workers = scraped["scrape_configs"]
    assert web["static_configs"] == [{"targets": ["web-1:3001", "web-2:3001"]}]
    assert web["authorization"]["credentials_file"] == environment(told["services"]["web-1"])["METRICS_TOKEN_FILE"]
    (found,) = workers["dns_sd_configs"]
    for name in found["names"]:
        assert environment(told["services"][name])["METRICS_PORT"] == str(found["port"])
    assert found["names"] == ["worker", "beat"]
    assert "metrics_token" in told["services"]["prometheus"]["secrets"]
    for name in ("prometheus", "grafana"):
        for source in (volume.partition(":")[0] for volume in told["services"][name]["volumes"]):
            assert not source.startswith(".") or (FOLDER / source).is_dir(), source


def test_nginx_is_started_with_the_projects_own_file(tmp_path: Path) -> None:
    (tmp_path / "conf.d").mkdir()
    names = {
        "LIVE_HOST": "chat.example.org",
        "WEB": "web-1:3001 web-2:3001",
        "FROM": str(ROOT / "deploy/nginx"),
        "TO": str(tmp_path),
    }
    subprocess.run([FOLDER / "nginx-names.sh"], env={**os.environ, **names}, check=True)
    before = (ROOT / "deploy/nginx/hanzo-live.conf").read_text()
    after = (tmp_path / "conf.d" / "hanzo-live.conf").read_text()
    servers = re.findall(r"^    server (\S+) max_fails", after, re.MULTILINE)
    assert servers == ["web-1:3001", "web-2:3001"]
    assert "example.com" not in after
    assert after.count("chat.example.org") == before.count("live.example.com")
    assert "access_log /dev/stdout hanzo_live;" in after
    assert len(after.splitlines()) == len(before.splitlines())


def test_whatever_the_image_copies_is_let_in_and_nothing_that_is_secret() -> None:
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]

    def is_let_in(path: str) -> bool:
        """As Docker decides: the last rule that matches the path, or a folder it is in."""
        let_in = True
        parts = path.split("/")
        for rule in rules:
            pattern = rule.removeprefix("!").removeprefix("**/")
            places = ["/".join(parts[:n]) for n in range(1, len(parts) + 1)] + (parts if "**/" in rule else [])
            if any(fnmatch.fnmatch(place, pattern) and place.count("/") == pattern.count("/") for place in places):
                let_in = rule.startswith("!")
        return let_in

    copied = [
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
        for source in line.split()[:-1]
    ]
    assert len(copied) > 10
    for source in copied:
        assert (ROOT / source).exists(), source
        assert is_let_in(source), source
    assert is_let_in("clients/js/.npmrc")
    for secret in (
        ".git/config",
        "deploy/docker/secrets/secret_key",
        "hanzolive/.env",
        "db.sqlite3",
        "clients/js/node_modules/a",
        "hanzolive/__pycache__/a.pyc",
    ):
        assert not is_let_in(secret), secret


def test_the_image_is_what_kubernetes_and_compose_take_it_for() -> None:
    assert re.search(r"^USER 10001:10001$", DOCKERFILE, re.MULTILINE)
    assert re.search(r"^EXPOSE 3001$", DOCKERFILE, re.MULTILINE)
    assert json.loads(DOCKERFILE.rpartition("\nCMD ")[2]) == ["hanzo-live", "serve"]
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    assert set(re.findall(r"^COPY (?!--from)", last, re.MULTILINE)) == set(), "only what other stages made"
    for variable in re.findall(r"([A-Z_]+)=\S+", last.partition("\nENV ")[2].partition("\n#")[0]):
        assert variable in BY_NAME or variable in {"PATH", "HOME", "PYTHONUNBUFFERED"}, variable


@pytest.mark.timeout(300)
def test_the_images_steps_make_something_that_starts_and_answers(tmp_path: Path) -> None:
    """But for npm's, which `make` has done in this checkout with the same commands."""
    done = subprocess.run(
        [FOLDER / "test-steps.sh", tmp_path / "image"],
        env={**os.environ, "ASSETS": "checkout"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "-- An answer was streamed" in done.stdout
