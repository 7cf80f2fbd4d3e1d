"""Reads what Yjs sends, update format 1, and lets through what a shared plain text consists of; nothing else.

The library behind the document is not asked before this has looked: it takes any content and any number, and deletes
other characters than a browser does where half a surrogate pair is named.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from hanzo_live.protocol.errors import ErrorCode, LiveError

ROOT = "text"
MAX_UPDATE_BYTES = 64 * 1024
MAX_CLIENTS = 2_000
# A person's edits in one draft: each character written is one.
MAX_CLOCK = 10_000_000
MAX_UINT = 2**53 - 1

_GC, _DELETED, _STRING, _SKIP = 0, 1, 4, 10
_HAS_ORIGIN, _HAS_RIGHT_ORIGIN, _HAS_KEY, _CONTENT = 0x80, 0x40, 0x20, 0x1F

State: TypeAlias = dict[int, int]
"""How much one has of each client's edits: the clock after the last."""

Point: TypeAlias = tuple[int, int]
"""A place between two of a client's UTF-16 units: client, clock of the second."""


@dataclass(slots=True)
class Contents:
    """What an update holds. `cuts`: where it takes text apart; `pairs`: the middles of surrogate pairs in its text."""

    starts: State = field(default_factory=dict)
    ends: State = field(default_factory=dict)
    deleted: State = field(default_factory=dict)
    cuts: set[Point] = field(default_factory=set)
    pairs: set[Point] = field(default_factory=set)


def refused(why: str) -> LiveError:
    return LiveError(ErrorCode.BAD_REQUEST, f"This is not an update of a shared text: {why}", field="update")


def missing() -> LiveError:
    return LiveError(
        ErrorCode.CONFLICT, "Edits before this one are missing here. Send `draft.sync`, then what it lacks.",
        field="update",
    )  # fmt: skip


def read_update(update: bytes, max_bytes: int = MAX_UPDATE_BYTES) -> Contents:
    """Raises LiveError: `too_large`, or `bad_request` for what is no update of the draft's text."""
    if len(update) > max_bytes:
        raise LiveError(
            ErrorCode.TOO_LARGE,
            f"An update may have {max_bytes // 1024} KiB. Paste long text in parts.",
            field="update",
        )
    reader = Reader(update)
    contents = Contents()
    for _ in range(reader.uint(MAX_CLIENTS)):
        _read_structs(reader, contents)
    for _ in range(reader.uint(MAX_CLIENTS)):
        client = reader.uint()
        for _ in range(reader.uint()):
            start, end = reader.range()
            contents.cuts |= {(client, start), (client, end)}
            contents.deleted[client] = max(end, contents.deleted.get(client, 0))
    reader.finish()
    return contents


def read_state(state: bytes) -> State:
    """A state vector. Raises LiveError `bad_request`."""
    reader = Reader(state)
    found = {reader.uint(): reader.uint(MAX_CLOCK) for _ in range(reader.uint(MAX_CLIENTS))}
    reader.finish()
    return found


def _read_structs(reader: Reader, contents: Contents) -> None:
    count = reader.uint()
    client = reader.uint()
    clock = reader.uint(MAX_CLOCK)
    if client in contents.ends:
        raise refused("a client is in it twice.")
    contents.starts[client] = clock
    contents.cuts.add((client, clock))
    for _ in range(count):
        clock += _read_struct(reader, contents, client, clock)
        if clock > MAX_CLOCK:
            raise refused("it counts too far.")
    contents.cuts.add((client, clock))
    contents.ends[client] = clock


def _read_struct(reader: Reader, contents: Contents, client: int, clock: int) -> int:
    """The number of clocks that the next struct takes."""
    info = reader.byte()
    if info in (_GC, _SKIP):
        if info == _SKIP:
            raise missing()
        return reader.length()
    if info & _HAS_KEY:
        raise refused("it has keys.")
    if info & _HAS_ORIGIN:
        contents.cuts.add((reader.uint(), reader.uint(MAX_CLOCK) + 1))
    if info & _HAS_RIGHT_ORIGIN:
        contents.cuts.add((reader.uint(), reader.uint(MAX_CLOCK)))
    if not info & (_HAS_ORIGIN | _HAS_RIGHT_ORIGIN) and (reader.uint() != 1 or reader.string() != ROOT):
        raise refused(f"it changes something else than the shared type `{ROOT}`.")
    kind = info & _CONTENT
    if kind == _DELETED:
        return reader.length()
    if kind != _STRING:
        raise refused("it holds something else than plain text.")
    written = reader.string()
    if not written or "\0" in written:
        raise refused("its text is empty or has NUL characters.")
    if max(written) <= "\uffff":
        return len(written)
    units = 0
    for character in written:
        units += 1
        if character > "\uffff":
            contents.pairs.add((client, clock + units))
            units += 1
    return units


class Reader:
    """Yjs' numbers and texts, one after the other. Raises LiveError `bad_request` where they end or make no sense."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def byte(self) -> int:
        if self._at >= len(self._data):
            raise refused("it is cut off.")
        self._at += 1
        return self._data[self._at - 1]

    def uint(self, limit: int = MAX_UINT) -> int:
        number = shift = 0
        while True:
            byte = self.byte()
            number |= (byte & 0x7F) << shift
            if number > limit or shift > 56:
                raise refused("a number in it is too large.")
            if byte < 0x80:
                return number
            shift += 7

    def length(self) -> int:
        """Of something that is there: never 0."""
        return self.uint(MAX_CLOCK) or _nothing()

    def range(self) -> tuple[int, int]:
        start = self.uint(MAX_CLOCK)
        return start, start + self.length()

    def bytes(self) -> bytes:
        length = self.uint()
        if length > len(self._data) - self._at:
            raise refused("it is cut off.")
        self._at += length
        return self._data[self._at - length : self._at]

    def string(self) -> str:
        try:
            return self.bytes().decode()
        except UnicodeDecodeError:
            raise refused("its text is not UTF-8.") from None

    def finish(self) -> None:
        if self._at != len(self._data):
            raise refused("something follows its end.")


def _nothing() -> int:
    raise refused("it holds something of no length.")
