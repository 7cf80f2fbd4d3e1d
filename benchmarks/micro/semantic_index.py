"""`python -m benchmarks.micro.semantic_index [entries]`: a search of the cache's index, beside comparing every vector."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np

from benchmarks import measure
from streaming.cache.semantic.embedding import SIZE
from streaming.cache.semantic.index import Index, Vector

CLUSTERS = 200  # questions are not spread evenly: many are about the same
SEARCHES = 200
KIND = b"k"


def vectors(count: int) -> Vector:
    dice = np.random.default_rng(1)
    centers = dice.standard_normal((CLUSTERS, SIZE)).astype(np.float32)
    made = dice.standard_normal((count, SIZE)).astype(np.float32) + 0.8 * centers[np.arange(count) % CLUSTERS]
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    return made


def timed(search: Callable[[Vector], object], asked: Vector) -> list[float]:
    times = []
    for vector in asked:
        began = time.perf_counter()
        search(vector)
        times.append((time.perf_counter() - began) * 1000)
    return times


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    made = vectors(count)
    index = Index(count)
    for number, vector in enumerate(made):
        index.add(KIND, str(number), "", vector)
    asked = made[:: max(1, count // SEARCHES)]
    print(f"{count:,} vectors of {SIZE}, {len(asked)} searches")
    every = timed(lambda vector: np.flatnonzero(made @ vector >= 0.95), asked)
    print(
        f"comparing all     p50 {measure.percentile(every, 0.5):6.2f} ms  p99 {measure.percentile(every, 0.99):6.2f} ms"
    )
    for threshold in (0.95, 0.9, 0.8):
        times = timed(lambda vector, least=threshold: index.search(KIND, vector, least, 20), asked)  # type: ignore[misc]
        p50, p99 = measure.percentile(times, 0.5), measure.percentile(times, 0.99)
        print(f"the index at {threshold:.2f} p50 {p50:6.2f} ms  p99 {p99:6.2f} ms")


if __name__ == "__main__":
    main()
