"""The frames of the order test: the same for every server, client and run."""

import random
from collections.abc import Iterator

COUNT = 3_000
_EDGES = (0, 1, 125, 126, 127, 65_535, 65_536, 65_537, 200 * 1024)
_LETTERS = "the quick brown fox 0123456789 äöü ß € 漢字 🦊🌍"


def payloads(count: int = COUNT) -> Iterator[bytes]:
    """UTF-8 texts of 0 to 200 KiB; the edges of the header's three forms first, each whole characters."""
    chance = random.Random(20_25)
    text = "".join(chance.choices(_LETTERS, k=4096)).encode() * 48
    for number in range(count):
        if number < len(_EDGES):
            size = _EDGES[number]
        else:
            size = chance.choices(
                (chance.randrange(400), chance.randrange(8_192), chance.randrange(204_800)), (90, 8, 2)
            )[0]
        start = chance.randrange(4096)
        whole = text[start : start + size].decode(errors="ignore").encode()
        yield whole + b"." * (size - len(whole))
