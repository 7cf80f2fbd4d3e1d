"""The harness and its helper processes talk in JSON lines over pipes; this is the harness' end."""

from __future__ import annotations

import asyncio
import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any, Self, cast

from benchmarks.process import Child, TargetUnavailable, Workshop


class Helper:
    """A `python -m benchmarks.<module>` child: it gets its task as the first line and answers with events."""

    def __init__(self, child: Child) -> None:
        self.child = child
        self._pending = b""

    @classmethod
    def start(cls, shop: Workshop, module: str, name: str, task: Mapping[str, Any], env: Mapping[str, str]) -> Self:
        child = shop.start(
            name,
            [sys.executable, "-m", f"benchmarks.{module}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=env,
        )
        helper = cls(child)
        helper.tell(task)
        return helper

    def tell(self, message: Any) -> None:
        """Sends one line."""
        pipe = self.child.guard.stdin
        assert pipe is not None
        try:
            pipe.write(json.dumps(message).encode() + b"\n")
            pipe.flush()
        except BrokenPipeError:
            raise TargetUnavailable(f"{self.child.name} ended early. Its last words:\n{self.child.tail()}") from None

    def hear(self, event: str, seconds: float) -> dict[str, Any]:
        """The next event, which must be `event`; TargetUnavailable with the helper's last words otherwise."""
        line = self._line(seconds)
        message: dict[str, Any] = json.loads(line) if line else {}
        if message.get("event") == "failed":
            raise TargetUnavailable(f"{self.child.name}: {message['why']}")
        if message.get("event") != event:
            raise TargetUnavailable(
                f"{self.child.name} said no '{event}' (up to {seconds:.0f} s were given). Its last words:\n{self.child.tail()}"
            )
        return message

    def _line(self, seconds: float) -> bytes:
        pipe = self.child.guard.stdout
        assert pipe is not None
        deadline = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, selectors.EVENT_READ)
            while b"\n" not in self._pending:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    return b""
                chunk = os.read(pipe.fileno(), 65536)
                if not chunk:
                    return b""
                self._pending += chunk
        line, _, self._pending = self._pending.partition(b"\n")
        return line


async def stdin_speaks() -> None:
    """The helper's end, while it works: returns when the harness sends a line (or is gone)."""
    loop = asyncio.get_running_loop()
    spoken = asyncio.Event()
    loop.add_reader(0, spoken.set)
    try:
        await spoken.wait()
    finally:
        loop.remove_reader(0)


def read_task() -> dict[str, Any]:
    """The helper's task: the first line, read byte by byte so that what follows stays in the pipe."""
    line = b""
    while not line.endswith(b"\n"):
        if not (byte := os.read(0, 1)):
            raise EOFError("the harness ended before it gave a task")
        line += byte
    return cast(dict[str, Any], json.loads(line))


def say(event: str, **fields: Any) -> None:
    """The helper's end: one event to the harness."""
    print(json.dumps({"event": event, **fields}), flush=True)
