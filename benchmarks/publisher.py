"""The publisher: a process of its own that writes tokens at a steady rate, the way its target documents.

`python -m benchmarks.publisher`, JSON lines on both pipes: task → "ready"; "go" → "sent". The text sent goes to a file,
for the viewers' text to be compared with.
"""

from __future__ import annotations

import asyncio
import importlib
import time
from pathlib import Path
from typing import Any, cast

import uvloop

from benchmarks import tokens
from benchmarks.lines import read_task, say, stdin_speaks
from benchmarks.targets.base import PublisherModule


async def publish(task: dict[str, Any]) -> None:
    """Sends `count` tokens at `rate` a second, one at a time, each stamped when it is handed over.

    A publisher that falls behind its schedule does not skip: it reports by how much, and the harness judges.
    """
    module = cast(PublisherModule, importlib.import_module(task["module"]))
    rate, count = float(task["rate"]), int(task["count"])
    sent: list[str] = []
    latest = 0.0
    async with module.open_publisher(task["config"]) as send:
        say("ready")
        await stdin_speaks()
        started = time.monotonic()
        for number in range(count):
            wait = started + number / rate - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            latest = max(latest, -wait)
            text = tokens.token(number, time.monotonic_ns())
            sent.append(text)
            await send(number, text)
        seconds = time.monotonic() - started
    text = "".join(sent)
    await asyncio.to_thread(Path(task["sent_file"]).write_bytes, text.encode())
    say("sent", count=count, seconds=seconds, late_ms=latest * 1000)


def main() -> None:
    task = read_task()
    try:
        uvloop.run(publish(task))
    except (OSError, ValueError, LookupError) as error:
        say("failed", why=f"the publisher stopped: {type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
