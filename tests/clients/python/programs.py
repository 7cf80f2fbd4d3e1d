"""Programs that serve with `HanzoLiveServer`, as a user starts them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cli.processes import START_SECONDS, Serve, clean_environment, until

PAGE_RUNNER = Path(__file__).with_name("page.py")
STANDINS = Path(__file__).with_name("standins")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def example(place: Path, source: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """One example, run to its end."""
    file = place / "example.py"
    file.write_text(source)
    return subprocess.run(
        [sys.executable, str(PAGE_RUNNER), str(file)],
        env=clean_environment(**environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def heed_interrupts() -> None:
    """In a child, before it begins: a shell makes what it runs in the background deaf to SIGINT, and children inherit it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def program(place: Path, source: str, **environment: str) -> Iterator[Serve]:
    """The program `source`, with top-level await, once its server serves."""
    file, output = place / "program.py", place / "output"
    file.write_text(source)
    values = {"DATA_DIR": str(place / "data"), "PYTHONPATH": str(STANDINS), "ALLOW_ANONYMOUS": "1", **environment}
    with output.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, str(PAGE_RUNNER), str(file)],
            cwd=place,
            env=clean_environment(**values),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            preexec_fn=heed_interrupts,
        )
    serve = Serve(process, output, place / "data")
    try:
        until(lambda: "  Stop " in serve.text or process.poll() is not None, "the page", START_SECONDS)
        assert process.poll() is None, serve.text
        yield serve
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(30)
        finally:
            for pid in serve.processes():
                os.kill(pid, signal.SIGKILL)
