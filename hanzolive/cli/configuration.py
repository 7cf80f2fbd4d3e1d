"""Flags, environment, configuration file and defaults become one configuration, and one environment for the children.

Secrets travel by environment only: command lines are for everyone to read.
"""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from hanzolive import folder, options
from hanzolive.options import BY_NAME
from streaming.node import NodeKind
from streaming.node.configured import ConfiguredNode, read_nodes

# Flags that are not simply an option's name with dashes.
SPELLINGS = {"REDIS_URL": "--redis"}
DEFAULT_NODE_URL = "http://127.0.0.1:8080"


def flag_of(name: str) -> str:
    return SPELLINGS.get(name, "--" + name.lower().replace("_", "-"))


def add_flags(parser: ArgumentParser, *names: str) -> None:
    """Offer these options as flags. A flag that is not used leaves no trace, so that the environment may speak."""
    for name in names:
        option = BY_NAME[name]
        if option.kind == "bool":
            parser.add_argument(flag_of(name), dest=name, action="store_const", const="true", help=option.help)
        else:
            metavar = "{" + ",".join(filter(None, option.choices)) + "}" if option.choices else name.rpartition("_")[2]
            parser.add_argument(flag_of(name), dest=name, metavar=metavar, help=option.help.replace("%", "%%"))


def without_password(url: str) -> str:
    """An address as people may read it."""
    password = urlsplit(url).password
    return url.replace(f":{password}@", ":***@") if password else url


@dataclass(frozen=True, slots=True)
class Configuration:
    """Every option's value, and which of them were given rather than left to the default."""

    values: Mapping[str, Any]
    given: frozenset[str]

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    @property
    def folder(self) -> Path:
        return Path(self.values["DATA_DIR"])

    @property
    def redis_url(self) -> str:
        return self.values["REDIS_URL"] or folder.redis_url(self.folder)

    @property
    def node_url(self) -> str:
        return self.values["NODE_URL"] or DEFAULT_NODE_URL

    @property
    def nodes(self) -> tuple[ConfiguredNode, ...]:
        """The nodes of NODES, else the one of NODE_URL."""
        if self.values["NODES"]:
            return read_nodes(self.values["NODES"])
        key = SecretStr(self.values["NODE_API_KEY"])
        return (ConfiguredNode(name="default", url=self.node_url, kind=NodeKind(self.values["NODE_KIND"]), key=key),)

    @property
    def node_names(self) -> str:
        """The nodes as people may read them."""
        if self.values["NODES"]:
            return ", ".join(f"{node.name} ({node.url})" for node in self.nodes)
        return self.node_url

    @property
    def database_name(self) -> str:
        """The database as people may read it."""
        url = self.values["DATABASE_URL"]
        return without_password(url) if url else str(self.folder / "db.sqlite3")

    def having(self, **values: Any) -> Configuration:
        """The same with these values, as if they had been given."""
        return replace(self, values={**self.values, **values}, given=self.given | values.keys())

    def environment(self, base: Mapping[str, str] = os.environ) -> dict[str, str]:
        """The environment of a child: what was given travels whole, so a child never looks for a configuration file's folder."""
        ours = {name: BY_NAME[name].format(self.values[name]) for name in self.given}
        read = {BY_NAME[name].file_name for name in self.given}
        inherited = {name: value for name, value in base.items() if name not in read}
        return {**inherited, **ours, "DJANGO_SETTINGS_MODULE": "hanzolive.settings", "PYTHONUNBUFFERED": "1"}


def configure(args: Namespace, environ: Mapping[str, str] = os.environ, where: Path | None = None) -> Configuration:
    """The configuration of this call. Raises OptionError with a sentence that names the option."""
    flags = {name: value for name, value in vars(args).items() if name in BY_NAME and value is not None}
    raw = {**options.given(environ, where), **flags}
    values = options.parsed(raw)
    values["DATA_DIR"] = str(folder.data_folder(values["DATA_DIR"]))
    return Configuration(values, frozenset(raw) | {"DATA_DIR"})
