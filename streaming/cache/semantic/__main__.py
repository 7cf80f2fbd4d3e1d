"""`python -m streaming.cache.semantic [threshold]`: what the cache does with the labelled pairs. Fails on a false hit."""

from __future__ import annotations

import sys

from streaming.cache.semantic.embedding import the_model
from streaming.cache.semantic.pairs import measure


def main() -> int:
    threshold = float(sys.argv[1]) if len(sys.argv) > 1 else 0.95
    figures = measure(the_model(), threshold)
    out = sys.stdout.write
    out(f"At a similarity of {threshold:g}:\n")
    out(f"false hits   {len(figures.false_hits)} of {figures.different}")
    out(f" (the embedding alone: {figures.alike})\n")
    out(f"true hits    {figures.hits} of {figures.same}, {figures.hit_share:.0%}\n")
    for pair in figures.false_hits:
        out(f"  FALSE  {pair.one}  |  {pair.other}\n")
    if "-v" in sys.argv:
        for pair in figures.missed:
            out(f"  missed  {pair.one}  |  {pair.other}\n")
    return 1 if figures.false_hits else 0


if __name__ == "__main__":
    sys.exit(main())
