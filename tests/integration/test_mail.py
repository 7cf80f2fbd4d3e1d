"""Mails on their way out of a whole server, beside everything else that it does."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hanzolive.cli.child import tethered
from hanzolive.cli.programs import worker_command
from tests.cli.processes import clean_environment, until
from tests.integration.client import live
from tests.integration.conftest import make_room
from tests.integration.letters import newest_to
from tests.integration.stack import Stack

pytestmark = pytest.mark.timeout(150)


@contextmanager
def worker_with_one_slot(stack: Stack, folder: Path) -> Iterator[None]:
    environment = clean_environment(
        DATA_DIR=str(stack.serve.data), NODE_URL=stack.node.url, EMAIL_FOLDER=str(folder), PYTHONUNBUFFERED="1"
    )
    process = subprocess.Popen(tethered(worker_command("narrow", slots=1)), env=environment)
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


async def test_a_mail_goes_out_while_streams_take_all_slots(
    start: Callable[..., Stack], tmp_path: Path, prompt: str
) -> None:
    stack = start(WORKERS="0", EMAIL_FOLDER=str(tmp_path))
    room, other = make_room(stack), make_room(stack)
    with worker_with_one_slot(stack, tmp_path):
        async with live(stack, room.olga) as olga:
            watched = await olga.watch(room.log)
            running = await olga.prompt(room.session, prompt, "script-slow@rate=50,tokens=100000")
            await olga.has_words(watched, running, 2)
            waiting = await olga.prompt(other.session, f"{prompt} too", "script-echo")
            await olga.ask("session.invite", session=room.session, email="late@example.com", role="viewer")
            until(lambda: newest_to(tmp_path, "late@example.com"), "the mail")
            with stack.rest(room.olga) as rest:
                assert rest.get(f"/v1/streams/{waiting}").json()["status"] == "queued"
                assert rest.get(f"/v1/streams/{running}").json()["status"] == "running"
            await olga.ask("stream.stop", stream=running)
            await olga.end_of(watched, running)
