"""The process that carries mails and beats, started as the supervisor starts it, with a schedule that does not take minutes."""

from __future__ import annotations

import shelve
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from hanzolive.cli.child import tethered
from hanzolive.cli.places import free_port
from hanzolive.cli.programs import CELERY, housekeeper, worker_command
from hanzolive.counting import VARIABLE
from hanzolive.queues import MAILS, STREAMS
from streaming.schedule import TRIM_LOGS
from tests.cli.processes import COMMAND, clean_environment, until
from tests.valkey import Valkey, start_valkey

pytestmark = pytest.mark.timeout(150)

QUEUE = f"hanzo-live:celery:{STREAMS}"
SCRIPT = """
import sys
from hanzolive.celery import app
app.conf.beat_schedule["trim-logs"]["schedule"] = 0.05
app.worker_main(sys.argv[1:])
"""


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    valkey = start_valkey(tmp_path)
    yield valkey
    valkey.stop()


def started(command: list[str], place: Path, valkey: Valkey) -> subprocess.Popen[bytes]:
    arguments = command[len(CELERY) :]
    environment = clean_environment(
        DATA_DIR=str(place), REDIS_URL=valkey.url, DJANGO_SETTINGS_MODULE="hanzolive.settings"
    )
    return subprocess.Popen(tethered([sys.executable, "-c", SCRIPT, *arguments]), env=environment)


def figures(port: int) -> str:
    """What is told at the port; "" while nobody listens there."""
    try:
        return httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text
    except httpx.TransportError:
        return ""


def test_it_tells_the_workers_what_recurs_and_ends_when_asked(tmp_path: Path, valkey: Valkey) -> None:
    process = started(list(housekeeper({}).command), tmp_path, valkey)
    try:
        with valkey.client() as client:
            until(lambda: client.llen(QUEUE) >= 2, "what recurs is sent", 60)
            assert TRIM_LOGS.encode() in client.lindex(QUEUE, 0)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
    with shelve.open(str(tmp_path / "beat-schedule")) as kept:  # by which the next one knows when it is time
        assert kept["entries"]["trim-logs"].total_run_count >= 2


def test_it_runs_by_itself_too_and_tells_its_figures(tmp_path: Path, valkey: Valkey) -> None:
    command = [*COMMAND, "housekeeper", "--data-dir", str(tmp_path / "new"), "--redis", valkey.url]
    port = free_port()
    environment = clean_environment(METRICS_PORT=str(port))
    environment.pop(VARIABLE, None)
    process = subprocess.Popen(tethered(command), env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        assert process.stdout.readline() == f"Keeping house for {valkey.url}. Stop with Ctrl-C.\n"
        with valkey.client() as client:
            until(lambda: client.smembers(f"hanzo-live:celery:_kombu.binding.{MAILS}"), "it listens", 60)
        until(lambda: "hanzo_live_streams_active" in figures(port), "it tells its figures")
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        assert list((tmp_path / "new").glob("beat-schedule*"))
    finally:
        process.kill()
        process.communicate()


def test_it_ends_by_itself_when_it_cannot_beat(tmp_path: Path, valkey: Valkey) -> None:
    for name in ("beat-schedule", "beat-schedule.dat", "beat-schedule.db"):  # where the schedule would be kept
        (tmp_path / name).mkdir()
    process = started(list(housekeeper({}).command), tmp_path, valkey)
    try:
        assert process.wait(40) is not None
    finally:
        process.kill()
        process.wait()


def test_a_worker_of_streams_does_not_beat(tmp_path: Path, valkey: Valkey) -> None:
    carrying, keeping = worker_command("worker-1", 1), list(housekeeper({}).command)
    assert STREAMS in carrying
    assert STREAMS not in keeping
    process = started(carrying, tmp_path, valkey)
    try:
        with valkey.client() as client:
            until(lambda: client.smembers(f"hanzo-live:celery:_kombu.binding.{STREAMS}"), "it listens", 60)
        assert not list(tmp_path.glob("beat-schedule*"))
    finally:
        process.kill()
        process.wait()
