"""The Compose files: read, and held to the Compose Specification's JSON schema (compose-spec.json, see NOTICE)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft7Validator

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "docker"
SEED, PRODUCTION = FOLDER / "docker-compose.yml", FOLDER / "docker-compose.production.yml"
SCHEMA = Path(__file__).with_name("compose-spec.json")
# What `docker compose` puts in: ${NAME}, ${NAME:-instead}, ${NAME:?else this is said}.
VARIABLE = re.compile(r"\$\{(?P<name>[A-Z_]+)(?P<how>:[-?])?(?P<word>[^}]*)\}")


def interpolated(text: str, variables: Mapping[str, str]) -> str:
    """Raises KeyError for a variable that has to be set."""

    def value(match: re.Match[str]) -> str:
        if given := variables.get(match["name"]):
            return given
        if match["how"] == ":?":
            raise KeyError(match["name"])
        return match["word"]

    return VARIABLE.sub(value, text)


def read(path: Path, variables: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The file as `docker compose` sees it: variables put in, merged keys merged."""
    told = yaml.safe_load(interpolated(path.read_text(), variables or {"LIVE_HOST": "live.example.com"}))
    assert isinstance(told, dict)
    return told


def faults(path: Path) -> list[str]:
    """What the Compose Specification does not allow in this file, and services, networks, volumes and secrets not there."""
    told = read(path)
    # Its draft 07 is named by an address that is not the standard's.
    found = [
        f"{path.name}: {'/'.join(map(str, error.absolute_path))}: {error.message}"
        for error in Draft7Validator(json.loads(SCHEMA.read_text())).iter_errors(told)
    ]
    for name, service in told["services"].items():
        for kind in ("networks", "secrets"):
            found += [
                f"{path.name}: {name}: no such {kind}: {one}"
                for one in service.get(kind, [])
                if one not in told.get(kind, {})
            ]
        found += [
            f"{path.name}: {name}: no such service: {one}"
            for one in service.get("depends_on", [])
            if one not in told["services"]
        ]
        found += [
            f"{path.name}: {name}: no such volume: {source}"
            for source in (volume.partition(":")[0] for volume in service.get("volumes", []))
            if not source.startswith((".", "/")) and source not in told.get("volumes", {})
        ]
    return found


def environment(service: Mapping[str, Any]) -> dict[str, str]:
    """A service's variables, which may be written as a list or as a mapping."""
    told = service.get("environment", {})
    pairs = told.items() if isinstance(told, dict) else (line.split("=", 1) for line in told)
    return {name: str(value) for name, value in pairs}
