"""Which built files belong to an entry of the pages' bundle, from the manifest that Vite writes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

MANIFEST = Path(__file__).parent / "static" / "app" / "manifest.json"
ADVICE = (
    "Its scripts and styles have not been built. Run `make run`, which builds them, or `npm run build` in clients/js."
)


class BundleMissing(Exception):
    """The bundle was not built, or does not hold the entry; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Paths below the static files, in the order in which the page should name them."""

    scripts: tuple[str, ...]
    preloads: tuple[str, ...]
    styles: tuple[str, ...]


def entry(name: str, manifest: Path = MANIFEST) -> Entry:
    """The files of the entry `name` (its source's path in the manifest). Raises BundleMissing."""
    try:
        return _entry(name, manifest, manifest.stat().st_mtime_ns)
    except FileNotFoundError as error:
        raise BundleMissing(ADVICE) from error


@lru_cache(maxsize=32)
def _entry(name: str, manifest: Path, changed_at: int) -> Entry:
    chunks: dict[str, dict[str, Any]] = json.loads(manifest.read_text("utf-8"))
    if name not in chunks:
        raise BundleMissing(f"{name} is not in the bundle. {ADVICE}")
    seen: list[str] = []
    _with_imports(name, chunks, seen)
    main = chunks[name]["file"]
    styles = [css for chunk in seen for css in chunks[chunk].get("css", [])]
    is_style = main.endswith(".css")
    return Entry(
        scripts=() if is_style else (f"app/{main}",),
        preloads=tuple(f"app/{chunks[chunk]['file']}" for chunk in seen if chunk != name),
        styles=tuple(dict.fromkeys(f"app/{css}" for css in ([main, *styles] if is_style else styles))),
    )


def _with_imports(name: str, chunks: dict[str, dict[str, Any]], seen: list[str]) -> None:
    """Put `name` and all it imports into `seen`, imports first: their styles come before those that build on them."""
    for imported in chunks[name].get("imports", []):
        if imported not in seen:
            _with_imports(imported, chunks, seen)
    seen.append(name)
