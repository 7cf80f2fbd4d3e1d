"""`hanzo-live user create` without a server: it makes the database it needs, and never asks where it was told."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tests.cli.processes import hanzo_live


def create(data: Path, *arguments: str) -> tuple[int, str, str]:
    ended = hanzo_live("user", "create", *arguments, "--data-dir", str(data))
    return ended.returncode, ended.stdout, ended.stderr


def test_it_makes_accounts_and_tokens(tmp_path: Path) -> None:
    code, out, _ = create(tmp_path, "Ada", "--token")
    assert code == 0
    assert out.splitlines()[-1].startswith("hl_")
    code, again, _ = create(tmp_path, "Ada", "--token")
    assert code == 0
    assert again.splitlines()[-1] != out.splitlines()[-1]
    code, out, _ = create(
        tmp_path, "Grace", "--email", "grace@example.com", "--password", "nanoseconds 11.8", "--admin"
    )
    assert (code, out) == (0, "Made the account Grace with the login grace@example.com, an admin.\n")
    with sqlite3.connect(tmp_path / "db.sqlite3") as database:
        users = dict(database.execute("SELECT email, is_superuser FROM live_sessions_user"))
    assert users == {"ada@localhost": 0, "grace@example.com": 1}


def test_it_refuses_in_one_sentence(tmp_path: Path) -> None:
    assert create(tmp_path, "Ada", "--password", "nanoseconds 11.8")[0] == 0
    code, _, said = create(tmp_path, "Ada", "--password", "nanoseconds 11.8")
    assert (code, said) == (
        2,
        "hanzo-live: There is an account with the e-mail ada@localhost already. Give another with --email.\n",
    )
    code, _, said = create(tmp_path, "Bob", "--password", "123")
    assert code == 2
    assert "This password is too short." in said
    code, _, said = create(tmp_path, "Bob", "--email", "nowhere", "--token")
    assert (code, said) == (2, "hanzo-live: nowhere is not an e-mail address. Give one with --email.\n")
    code, _, said = create(tmp_path, "Bob")
    assert code == 2
    assert "There is no terminal to ask for a password." in said
