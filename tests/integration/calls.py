"""What `curl` was called with by a script, and what it was answered: for holding a page's commands to the document.

`RECORDING` is shell: a `curl` that keeps each call in a folder of its own under `$CALLS`, and fails where it is refused.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

# A refusal fails the command, and with it the script; running out of `--max-time` is how an endless one ends.
RECORDING = r"""
set -euo pipefail
curl() {
    local call code=0
    call=$(mktemp -d "$CALLS/XXXXXXXX")
    date +%s%N >"$call/time"
    printf '%s\0' "$@" >"$call/arguments"
    command curl -sS --fail-with-body -D "$call/head" "$@" | tee "$call/body" || code=$?
    [ $code = 0 ] || { echo >&2; [ $code = 28 ] && echo ended >&2; }
}
"""

_SECRET = re.compile(r"\b(hl|hzi|hlt)_[A-Za-z0-9_-]{8,}")
_MANY = 2  # of a list are enough to show what it is


@dataclass(frozen=True, slots=True)
class Call:
    """One call. `answer` is the JSON it was answered with; None where it was answered otherwise, or with nothing."""

    method: str
    path: str
    body: Any
    status: int
    answer: Any


def calls_in(folder: Path) -> list[Call]:
    """In the order in which they were made."""
    made = sorted(folder.iterdir(), key=lambda call: int((call / "time").read_text()))
    return [_call(each) for each in made]


def _call(folder: Path) -> Call:
    arguments = (folder / "arguments").read_text().split("\0")[:-1]
    body = _after(arguments, "--json")
    method = _after(arguments, "-X") or ("POST" if body is not None and "-G" not in arguments else "GET")
    url = next(argument for argument in arguments if argument.startswith("http"))
    # The last of several heads: before it may be `100 Continue`.
    head = (folder / "head").read_text().strip().split("\r\n\r\n")[-1]
    status = int(head.split(" ")[1])
    is_json = re.search(r"^content-type: application/json", head, re.IGNORECASE | re.MULTILINE)
    text = (folder / "body").read_text()
    answer = json.loads(text) if is_json and text and "/dev/null" not in arguments else None
    return Call(method, urlsplit(url).path, None if body is None else json.loads(body), status, answer)


def _after(arguments: list[str], flag: str) -> str | None:
    return arguments[arguments.index(flag) + 1] if flag in arguments else None


def shown(value: Any, url: str) -> Any:
    """`value` as an example: without secrets, of long lists only the beginning, and as if the server were at its default address."""
    match value:
        case dict():
            return {
                name: "…" if name == "ticket" and isinstance(each, str) else shown(each, url)
                for name, each in value.items()
            }
        case list():
            return [shown(each, url) for each in value[:_MANY]]
        case str():
            return _SECRET.sub(r"\1_…", value.replace(url, "http://127.0.0.1:3001"))
        case _:
            return value
