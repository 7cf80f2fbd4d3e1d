"""`hanzo-live migrate`, with the database's address in a file, as containers have it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.cli.processes import hanzo_live


def test_it_makes_the_tables_and_finds_nothing_to_do_the_second_time(tmp_path: Path) -> None:
    (tmp_path / "database-url").write_text(f"sqlite:///{tmp_path}/live.sqlite3\n")
    where = {"DATABASE_URL_FILE": str(tmp_path / "database-url"), "DATA_DIR": str(tmp_path / "data")}
    for _ in range(2):
        ended = hanzo_live("migrate", **where)
        assert ended.returncode == 0, ended.stderr
        assert ended.stdout == f"The database sqlite:///{tmp_path}/live.sqlite3 is up to date.\n"
    with closing(sqlite3.connect(tmp_path / "live.sqlite3")) as database:
        assert database.execute("SELECT count(*) FROM django_migrations").fetchone()[0] > 10
