"""`python -m hanzo_live.protocol.generate [--check] [--root FOLDER]`: write what is made from the models, or compare."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from hanzo_live.protocol.base import JsonObject
from hanzo_live.protocol.generate import asyncapi, markdown, schema, typescript
from hanzo_live.protocol.generate.fixtures import fixtures

FIXTURES = Path("contract/fixtures")


def outputs() -> dict[Path, str]:
    """Every generated file, by its path from the repository's root, and its text."""
    files = {
        Path("docs/protocol/schema.json"): _json(schema.document()),
        Path("docs/protocol/asyncapi.json"): _json(asyncapi.document()),
        Path("docs/protocol.md"): markdown.page(),
        Path("clients/js/live-client/src/protocol.generated.ts"): typescript.module(),
    }
    files.update({FIXTURES / name: _json(example) for name, example in fixtures().items()})
    return files


def differing(root: Path) -> list[Path]:
    """The files below `root` that are missing, other than they should be, or left over, in order."""
    wanted = outputs()
    wrong = {path for path, text in wanted.items() if _read(root / path) != text}
    return sorted(wrong | _left_over(root, wanted))


def write(root: Path) -> list[Path]:
    """Make the files below `root` what they should be; returns those that were not."""
    wanted = outputs()
    changed = differing(root)
    for path in changed:
        if path in wanted:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(wanted[path], encoding="utf-8", newline="\n")
        else:
            (root / path).unlink()
    return changed


def find_root(start: Path) -> Path | None:
    """The nearest folder from `start` upwards that holds `contract/`, or None."""
    return next((folder for folder in (start, *start.parents) if (folder / "contract").is_dir()), None)


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 0 done or all the same, 1 something differs (with --check), 2 no repository found."""
    parser = argparse.ArgumentParser(prog="python -m hanzo_live.protocol.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 where a file differs")
    parser.add_argument("--root", type=Path, help="the repository's folder; default: the nearest that holds contract/")
    options = parser.parse_args(arguments)
    root = options.root or find_root(Path.cwd()) or find_root(Path(__file__).resolve())
    if root is None or not root.is_dir():
        sys.stderr.write("No repository found here. Name its folder with --root.\n")
        return 2
    if not options.check:
        for path in write(root):
            sys.stdout.write(f"{path}\n")
        return 0
    wrong = differing(root)
    for path in wrong:
        sys.stderr.write(f"{path} differs from the models.\n")
    if wrong:
        sys.stderr.write("Run `python -m hanzo_live.protocol.generate` and commit what it writes.\n")
    return 1 if wrong else 0


def _json(value: JsonObject) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _left_over(root: Path, wanted: dict[Path, str]) -> set[Path]:
    present = {path.relative_to(root) for path in (root / FIXTURES).glob("*.json")}
    return present - set(wanted)


if __name__ == "__main__":
    sys.exit(main())
