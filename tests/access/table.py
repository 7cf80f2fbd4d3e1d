"""The access table: who may do what, as text files beside this one, and how they are read.

A line is a command or a method and an address, then what each of the CAST is answered, then what is sent. Not for
walking it: `test_addresses` does that in this process, `tests/integration/test_access_table` with a running server.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.urls import URLPattern, URLResolver

from hanzolive.probes import PROBES

FOLDER = Path(__file__).parent

CAST = ("owner", "editor", "viewer", "outsider", "admin", "reader", "nobody", "gone")
"""Three members; somebody with an account; a staff admin who is no member; the owner's API token of scope `read`;
nobody in particular; an editor whose account was deactivated."""

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# An address below this one is in the table by it, unless it has a line of its own.
BELOW = "**"

PLACE = re.compile(r"\{(\w+)(?::(\w+))?\}")
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>(?:\[[^]]*\]|[^)])*\)")


@dataclass(frozen=True)
class Line:
    """One line: `what` is a method or a command, `address` is empty for a command."""

    file: str
    number: int
    what: str
    address: str
    answers: Mapping[str, str]
    sent: str

    def __str__(self) -> str:
        return f"{self.what} {self.address or self.sent}".strip()

    @property
    def pattern(self) -> str:
        """The address as the program knows it: without what fills it, and without a query."""
        return PLACE.sub(r"{\1}", self.address.partition("?")[0])

    def path(self, things: Mapping[str, str]) -> str:
        return fill(self.address, things)

    def body(self, things: Mapping[str, str]) -> str:
        return fill(self.sent, things)

    def fields(self, things: Mapping[str, str]) -> dict[str, Any]:
        """What is sent, as JSON."""
        found: dict[str, Any] = json.loads(self.body(things) or "{}")
        return found


def fill(text: str, things: Mapping[str, str]) -> str:
    """`{ref}` is the thing of that name; `{token:invitation}` is the thing `invitation` in a place named `token`."""
    return PLACE.sub(lambda place: things[place[2] or place[1]], text)


def read(name: str) -> list[Line]:
    """The lines of one file. Raises ValueError for one that does not say what everybody is answered."""
    lines = []
    for number, text in enumerate((FOLDER / name).read_text("utf-8").splitlines(), start=1):
        if not text.strip() or text.startswith("#"):
            continue
        what, _, rest = text.partition("|")
        answers, _, sent = rest.partition("|")
        words = answers.split()
        if len(words) != len(CAST):
            raise ValueError(f"{name}:{number} has {len(words)} answers; one for each of {', '.join(CAST)} are needed.")
        by_role = dict(zip(CAST, words, strict=True))
        kinds, _, address = what.strip().partition(" ")
        for kind in METHODS if kinds == "*" else kinds.split(","):
            lines.append(Line(name, number, kind, address.strip(), by_role, sent.strip()))
    return lines


def line_for(what: str, address: str, answers: Mapping[str, str], sent: str = "") -> str:
    """A line as it would stand in the table."""
    return f"{what:7} {address:52} | {'  '.join(f'{answers[who]:6}' for who in CAST)} | {sent}".rstrip()


def addresses(patterns: Iterable[URLPattern | URLResolver], prefix: str = "/") -> Iterator[str]:
    """Every address that the program's URL patterns serve, as the table writes it."""
    for pattern in patterns:
        route = str(pattern.pattern).removeprefix("^").removesuffix("$").removesuffix("\\Z").replace("\\.", ".")
        address = prefix + PARAMETER.sub(lambda name: f"{{{name[1] or name[2]}}}", route)
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, address)
        else:
            yield address


def served() -> list[str]:
    """Every address of the server: those of the URL patterns, and the probes' before them."""
    from django.urls import get_resolver

    return [*dict.fromkeys(addresses(get_resolver().url_patterns)), *PROBES]
