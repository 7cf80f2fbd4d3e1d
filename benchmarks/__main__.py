"""`python -m benchmarks` (what `make bench` runs): the figures of TARGETS, bounded in time, on loopback only.

QUICK=1 in the environment is the same as --quick. Full results go to benchmarks/results, quick ones aside.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import machine, p1, p2, p4, p5, p7, p8, p10, p11, process, report
from benchmarks.run import Plan, Result

PARTS: dict[str, Callable[[Plan], Result]] = {
    "p1": p1.run,
    "p2": p2.run,
    "p4": p4.run,
    "p5": p5.run,
    "p7": p7.run,
    "p8": p8.run,
    "p10": p10.run,
    "p11": p11.run,
}
RESULTS = Path(__file__).with_name("results")
PAGE = process.ROOT / "docs" / "benchmarks.md"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)} (default: all)")
    parser.add_argument("--quick", action="store_true", default=os.environ.get("QUICK", "0") not in ("", "0"))
    parser.add_argument("--target", action="append", default=[], help="only this target (its short name); repeatable")
    parser.add_argument("--minutes", type=float, help="begin nothing that would end later (default: 20, quick 6)")
    parser.add_argument("--out", type=Path, help="where results go")
    parser.add_argument("--write-docs", action="store_true", help="put the saved full results into docs/benchmarks.md")
    given = parser.parse_args()
    if unknown := set(given.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}: there are {', '.join(PARTS)}")
    return given


def main() -> int:
    """The exit code: 0 also where a target was left out or missed; these are figures, not tests."""
    given = _arguments()
    if given.write_docs:
        page = report.with_figures(PAGE.read_text(), report.load(RESULTS), "../benchmarks/results")
        PAGE.write_text(page)
        print(f"{PAGE.relative_to(process.ROOT)} has the figures of {RESULTS.relative_to(process.ROOT)}")
        return 0
    out = given.out or (RESULTS / "raw" / "quick" if given.quick else RESULTS)
    minutes = given.minutes or (6 if given.quick else 20)
    process.raise_file_limit()
    started = time.monotonic()
    plan = Plan(given.quick, started + minutes * 60, frozenset(given.target), lambda text: print(text, flush=True))
    facts = machine.facts(machine.command_line())
    print(f"{facts['cores']} cores of {facts['cpu']}, load {facts['load before']}; at most {minutes:g} minutes")
    for name in given.parts or PARTS:
        print(f"\n{name.upper()}", flush=True)
        result = PARTS[name](plan)
        if result.rows:
            report.save(out, result, facts)
        print("\n" + report.markdown(result, facts), flush=True)
    print(f"Written to {out} in {time.monotonic() - started:.0f} s")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
