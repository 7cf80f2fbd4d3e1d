"""A backup of a running server, restored elsewhere: accounts, transcripts, the draft and pictures are there again."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest

from tests.cli.processes import hanzo_live, serving
from tests.integration.client import live
from tests.integration.conftest import make_room
from tests.integration.pages import page
from tests.integration.stack import Stack
from tests.postgres import Postgres

pytestmark = pytest.mark.timeout(180)


async def test_what_was_backed_up_while_people_write_is_there_elsewhere(
    stack: Stack, tmp_path: Path, prompt: str
) -> None:
    room = make_room(stack)
    async with live(stack, room.olga) as olga:
        watched = await olga.watch(room.log)
        await olga.end_of(watched, await olga.prompt(room.session, prompt, "script-echo"))
        editor = await page(room, olga)
        await editor.write("half a sentence")
        picture = stack.serve.data / "media" / "avatars" / "olga.webp"
        picture.parent.mkdir(parents=True, exist_ok=True)
        picture.write_bytes(b"a picture")
        file, elsewhere = tmp_path / "live.tar.gz", tmp_path / "elsewhere"
        written = hanzo_live("backup", str(file), "--data-dir", str(stack.serve.data))
    assert written.returncode == 0, written.stderr
    assert file.stat().st_mode & 0o777 == 0o600
    again = hanzo_live("backup", str(file), "--data-dir", str(stack.serve.data))
    assert (again.returncode, "is there already" in again.stderr) == (2, True)
    running = hanzo_live("restore", str(file), "--data-dir", str(stack.serve.data))
    assert (running.returncode, "is served already" in running.stderr) == (2, True)

    restored = hanzo_live("restore", str(file), "--data-dir", str(elsewhere))
    assert restored.returncode == 0, restored.stderr
    refused = hanzo_live("restore", str(file), "--data-dir", str(elsewhere))
    assert (refused.returncode, "With --force" in refused.stderr) == (2, True)
    forced = hanzo_live("restore", str(file), "--data-dir", str(elsewhere), "--force")
    assert forced.returncode == 0, forced.stderr
    assert (elsewhere / "media" / "avatars" / "olga.webp").read_bytes() == b"a picture"
    picture.unlink()
    with serving(elsewhere, tmp_path / "output", "--node-url", stack.node.url) as serve:
        there = Stack(serve, stack.node, stack.people)
        with there.rest(room.olga) as rest:
            messages = rest.get(f"/v1/sessions/{room.session}/messages").json()["results"]
            draft = rest.get(f"/v1/sessions/{room.session}/draft").json()
    assert [message["content"] for message in messages] == [prompt, prompt]
    assert draft["text"] == "half a sentence"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("../../outside", b"x", "cannot be read as a backup"),
        ("manifest.json", b"{}", "its manifest cannot be read"),
        ("manifest.json", json.dumps({"format": 2, "version": "9", "created": "", "vendor": "", "migrations": {}}).encode(), "version 9"),
        (
            "manifest.json",
            json.dumps({"format": 1, "version": "9", "created": "", "vendor": "sqlite", "migrations": {"auth": "9999_later"}}).encode(),
            "of a newer version (9; auth.9999_later)",
        ),
    ],
)  # fmt: skip
def test_what_is_no_backup_of_ours_changes_nothing(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    file, data = tmp_path / "file.tar.gz", tmp_path / "a" / "data"
    with tarfile.open(file, "w:gz") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    refused = hanzo_live("restore", str(file), "--data-dir", str(data))
    assert (refused.returncode, words in refused.stderr) == (2, True), refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (tmp_path / "outside").exists()


def test_a_postgresql_is_backed_up_and_restored(tmp_path: Path) -> None:
    def command(*words: str, database: str) -> str:
        ended = hanzo_live(*words, "--data-dir", str(tmp_path / "data"), "--database-url", database)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    file = tmp_path / "live.tar.gz"
    with Postgres() as first, Postgres() as second:
        command("user", "create", "Olga", "--token", database=first.url)
        command("backup", str(file), database=first.url)
        assert "Restored what version" in command("restore", str(file), database=second.url)
        made = hanzo_live("user", "create", "Olga", "--password", "another, long enough", "--data-dir", str(tmp_path / "data"), "--database-url", second.url)  # fmt: skip
    assert "There is an account with the e-mail olga@localhost already" in made.stderr
