"""Server-sent events out of raw bytes, split by hand: no lines as strings, no object an event.

It knows nothing of JSON or of chat. Reads may be cut anywhere, in a character or between CR and LF.
"""

from __future__ import annotations

MAX_EVENT_BYTES = 1 << 20

_BOM = b"\xef\xbb\xbf"


class EventTooLarge(Exception):
    """An event, or a line without an end, grew over the limit."""


class SSESplitter:
    """`feed` bytes as they come, get the whole events they end: (name, data) pairs, name "" where none was given.

    More tolerant than the standard where nodes are: a line that starts with a brace is data, and so is the value of
    a field called `error` (older llama.cpp), under that name.
    """

    __slots__ = ("_data", "_data_size", "_limit", "_name", "_parts", "_size", "_skip_lf", "_started")

    def __init__(self, limit: int = MAX_EVENT_BYTES) -> None:
        self._limit = limit
        self._parts: list[bytes] = []  # pieces of a line whose end has not come
        self._size = 0  # bytes held for the event that is being read
        self._data: list[bytes] = []
        self._data_size = 0
        self._name = b""
        self._skip_lf = False  # the last read ended in CR: an LF now belongs to it
        self._started = False

    def feed(self, chunk: bytes) -> list[tuple[str, bytes]]:
        """The events completed by `chunk`. Raises EventTooLarge."""
        if not chunk:
            return []
        if self._skip_lf or b"\r" in chunk:
            chunk = self._with_lf_only(chunk)
        self._size += len(chunk)
        if b"\n" not in chunk:
            self._parts.append(chunk)
            self._check_size()
            return []
        lines = chunk.split(b"\n")
        if self._parts:
            self._parts.append(lines[0])
            lines[0] = b"".join(self._parts)
            self._parts.clear()
        rest = lines.pop()
        if rest:
            self._parts.append(rest)
        if not self._started:
            self._started = True
            lines[0] = lines[0].removeprefix(_BOM)
        events: list[tuple[str, bytes]] = []
        for line in lines:
            if line:
                self._take(line)
            else:
                self._dispatch(events)
        self._size = len(rest) + self._data_size
        self._check_size()
        return events

    def end(self) -> list[tuple[str, bytes]]:
        """What was begun and never ended with a blank line. It may be cut: the caller judges."""
        if self._parts:
            self._take(b"".join(self._parts))
            self._parts.clear()
        events: list[tuple[str, bytes]] = []
        self._dispatch(events)
        return events

    def _with_lf_only(self, chunk: bytes) -> bytes:
        if self._skip_lf and chunk.startswith(b"\n"):
            chunk = chunk[1:]
            self._skip_lf = False
        if chunk:
            self._skip_lf = chunk.endswith(b"\r")
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _take(self, line: bytes) -> None:
        if line.startswith(b"data:"):
            self._add(line[6:] if line.startswith(b"data: ") else line[5:])
        elif line.startswith(b":"):
            return
        elif line.startswith(b"event:"):
            self._name = line[6:].strip()
        elif line.startswith(b"{"):
            self._add(line)
        elif line.startswith(b"error:"):
            self._name = b"error"
            self._add(line[6:].strip())

    def _add(self, data: bytes) -> None:
        self._data.append(data)
        self._data_size += len(data) + 1

    def _dispatch(self, events: list[tuple[str, bytes]]) -> None:
        if self._data:
            data = self._data[0] if len(self._data) == 1 else b"\n".join(self._data)
            events.append((self._name.decode("utf-8", "replace") if self._name else "", data))
            self._data.clear()
            self._data_size = 0
        self._name = b""

    def _check_size(self) -> None:
        if self._size > self._limit:
            raise EventTooLarge
