"""`python -m tests.chaos`: so many rounds of chaos, and how to repeat the one that went wrong."""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
import tempfile
from importlib import import_module
from pathlib import Path


def main() -> int:
    """The exit code: 1 if a round went wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="how many (default: 20; the nightly form has 200)")
    parser.add_argument("--seed", type=int, default=None, help="of the run that is to be repeated")
    parser.add_argument("--only", type=int, default=None, metavar="N", help="the round of that number alone")
    arguments = parser.parse_args()
    seed = secrets.randbelow(1_000_000) if arguments.seed is None else arguments.seed
    numbers = range(arguments.rounds) if arguments.only is None else [arguments.only]
    # Django's settings are those of the tests; what needs them is imported after them.
    import_module("tests.conftest")
    rounds = import_module("tests.chaos.rounds")
    with tempfile.TemporaryDirectory(prefix="hanzo-live-chaos.") as place:
        return int(asyncio.run(rounds.run(seed, numbers, Path(place))))


if __name__ == "__main__":
    sys.exit(main())
