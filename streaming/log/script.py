"""What the log's commands look like on the way to Redis and back: pure, shared by the asyncio and the blocking log.

Keys of one log share a hash tag, so that they live in one slot of a Redis Cluster.
"""

from __future__ import annotations

import hashlib
import itertools
import secrets
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgpack
import orjson

PREFIX = "live"
WORKERS_GROUP = "workers"
# One XRANGE answer of this size is some hundred kilobytes; longer logs are read in several.
READ_PAGE = 5_000

Command = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Script:
    source: str
    sha: str


def _script(name: str) -> Script:
    source = (Path(__file__).parent / "lua" / f"{name}.lua").read_text("utf-8")
    return Script(source, hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest())


APPEND = _script("append")
READ = _script("read")


class LogUnavailable(Exception):
    """Redis did not answer. Whether the append happened is unknown: try again with the same batch or key."""


class LogFenced(Exception):
    """A newer owner carries this stream, or it has ended: stop writing."""


class LogBehind(Exception):
    """Redis lost batches of this stream: append again from `last + 1`, with the same numbers."""

    def __init__(self, last: int) -> None:
        super().__init__(f"the log holds batches up to {last}")
        self.last = last


@dataclass(frozen=True, slots=True)
class Entry:
    """What a writer appends. `body` is every field of the event that has no place of its own here."""

    type: str
    stream: str = ""
    data: str = ""
    n: int = 0
    step: int = 0
    body: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Appended:
    """`stopping`: somebody asked for this stream to be stopped. `duplicate`: the log had it already."""

    epoch: str
    seq: int
    duplicate: bool
    stopping: bool


@dataclass(frozen=True, slots=True)
class Head:
    """`first` is the oldest seq that can still be read; 0 where nothing can."""

    epoch: str
    seq: int
    first: int


@dataclass(slots=True)
class LogEvent:
    """An event as the log holds it. `ts` in milliseconds since 1970."""

    seq: int
    ts: int
    type: str
    stream: str = ""
    data: str = ""
    n: int = 0
    step: int = 0
    body: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page:
    head: Head
    events: list[LogEvent]


def group_of(log: str) -> str:
    """The channel-layer group of a log (Channels refuses `:` in group names)."""
    return log.replace(":", ".")


def group_channel(group: str) -> str:
    """Where the channel layer publishes to a group (channels_redis' own naming)."""
    return f"{PREFIX}__group__{group}"


def keys_of(log: str) -> tuple[str, str, str]:
    tag = f"{PREFIX}:{{{log}}}"
    return f"{tag}:meta", f"{tag}:events", f"{tag}:seen"


def fixed(command: Command, run_id: str) -> Command:
    """For commands that are the same on whatever server the connection reached."""
    return command


class Epochs:
    """Candidates for epochs, never the same twice."""

    def __init__(self) -> None:
        self._nonce = secrets.token_hex(4)
        self._count = itertools.count()

    def next(self) -> str:
        return f"{self._nonce}{next(self._count):x}"


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def append_command(
    run_id: str, epoch: str, keep_s: int, log: str, entry: Entry, batch: int, fence: int, key: str, ts: int
) -> Command:
    return (
        "EVALSHA", APPEND.sha, 3, *keys_of(log),
        run_id, epoch, ts, keep_s, group_channel(group_of(log)), log,
        entry.type, entry.stream, entry.data.encode("utf-8", "replace"), entry.n, entry.step,
        b"" if entry.body is None else orjson.dumps(entry.body), batch, fence, key,
    )  # fmt: skip


def appended(reply: list[Any]) -> Appended:
    """Raises LogFenced, LogBehind."""
    status, epoch, seq, stopping = reply
    if status == 2:
        raise LogFenced
    if status == 3:
        raise LogBehind(seq)
    return Appended(epoch.decode(), seq, status == 1, bool(stopping))


def read_command(run_id: str, epoch: str, keep_s: int, log: str, after: int, upto: int | None, count: int) -> Command:
    last = "+" if upto is None else upto
    return ("EVALSHA", READ.sha, 2, *keys_of(log)[:2], run_id, epoch, after, last, count, keep_s)


def page(log: str, reply: list[Any]) -> Page:
    epoch, seq, first, entries = reply
    own_stream = log.removeprefix("stream:") if log.startswith("stream:") else ""
    return Page(Head(epoch.decode(), seq, first), [_event(own_stream, entry) for entry in entries])


def _event(own_stream: str, entry: list[Any]) -> LogEvent:
    id, raw = entry
    fields = dict(zip(raw[::2], raw[1::2], strict=True))
    return LogEvent(
        seq=int(id.partition(b"-")[0]),
        ts=int(fields[b"t"]),
        type=fields[b"k"].decode(),
        stream=fields[b"s"].decode() if b"s" in fields else own_stream,
        data=fields.get(b"d", b"").decode("utf-8", "replace"),
        n=int(fields.get(b"n", 0)),
        step=int(fields.get(b"p", 0)),
        body=orjson.loads(fields[b"b"]) if b"b" in fields else {},
    )


def published(message: dict[str, Any]) -> LogEvent:
    """The event of a `log.event` message from the group."""
    body = message.get("b")
    return LogEvent(
        message["q"], message["t"], message["k"], message.get("s", ""), message.get("d", ""),
        message.get("n", 0), message.get("p", 0), orjson.loads(body) if body else {},
    )  # fmt: skip


def raise_fence_commands(log: str, stream: str, fence: int) -> list[Command]:
    meta = keys_of(log)[0]
    return [("HSET", meta, f"f:{stream}", fence), ("HGET", meta, f"b:{stream}")]


def starts_command(log: str, streams: Sequence[str]) -> Command:
    return ("HMGET", keys_of(log)[0], *(f"a:{stream}" for stream in streams))


def stop_commands(log: str, stream: str) -> list[Command]:
    return [
        ("HSET", keys_of(log)[0], f"s:{stream}", 1),
        publish_command(WORKERS_GROUP, {"type": "stream.stop", "stream": stream}),
    ]


def publish_command(group: str, message: dict[str, Any]) -> Command:
    """`message` for everybody in the group; it says which one."""
    return ("PUBLISH", group_channel(group), msgpack.packb({"group": group, **message}))


def note(log: str, type: str, body: dict[str, Any]) -> dict[str, Any]:
    """An ephemeral event for everyone in a log; it is not kept."""
    return {"type": "log.note", "l": log, "k": type, "b": orjson.dumps({**body, "ts": now_ms()})}


def noted(message: dict[str, Any]) -> dict[str, Any]:
    """The wire's ephemeral event of a `log.note` message from the group."""
    return {"type": message["k"], "log": message["l"], **orjson.loads(message["b"])}


def trim_command(log: str, before: int) -> Command:
    return ("XTRIM", keys_of(log)[1], "MINID", f"{before}-0")


def run_id_of(info: Iterable[bytes]) -> str:
    """The `run_id` in the lines of `INFO server`."""
    for line in info:
        if line.startswith(b"run_id:"):
            return line.removeprefix(b"run_id:").strip().decode()
    raise LogUnavailable("This Redis does not tell its run id (INFO server).")
