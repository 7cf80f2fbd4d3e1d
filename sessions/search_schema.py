"""The full-text indexes that search stands on: PostgreSQL's own on the two tables, FTS5 beside them on SQLite.

Raw SQL, for the two databases have nothing in common here. On SQLite triggers keep the index; a migration that remakes
one of the tables drops them, so they are looked at after every `migrate`, and the index is built anew where any lacked.
"""

from __future__ import annotations

from typing import Any

# Of a message, so many characters are searched: PostgreSQL refuses a row whose words take more than 1 MB.
SEARCHED = 100_000

POSTGRESQL = [
    f"ALTER TABLE live_sessions_message ADD COLUMN search tsvector"
    f" GENERATED ALWAYS AS (to_tsvector('simple', left(content, {SEARCHED}))) STORED",
    "CREATE INDEX live_sessions_message_search ON live_sessions_message USING gin (search)",
    "ALTER TABLE live_sessions_livesession ADD COLUMN search tsvector"
    " GENERATED ALWAYS AS (setweight(to_tsvector('simple', title), 'A')) STORED",
    "CREATE INDEX live_sessions_livesession_search ON live_sessions_livesession USING gin (search)",
]
POSTGRESQL_BACK = [
    "ALTER TABLE live_sessions_message DROP COLUMN search",
    "ALTER TABLE live_sessions_livesession DROP COLUMN search",
]

# The index keeps no text, only where words are. `entry` gives its rows a number that stays: rowids of tables with
# another key change when the file is vacuumed.
SQLITE_TABLES = [
    "CREATE TABLE IF NOT EXISTS live_sessions_search_entry"
    " (id INTEGER PRIMARY KEY, message_id TEXT UNIQUE, session_id TEXT UNIQUE)",
    "CREATE VIRTUAL TABLE IF NOT EXISTS live_sessions_search"
    " USING fts5(title, content, content='', tokenize='unicode61 remove_diacritics 0')",
]
SQLITE_BACK = ["DROP TABLE live_sessions_search", "DROP TABLE live_sessions_search_entry"]


def _triggers() -> dict[str, str]:
    """CREATE TRIGGER by the trigger's name."""
    made = {}
    for table, key, column, text in (
        ("live_sessions_message", "message_id", "content", f"substr({{row}}.content, 1, {SEARCHED})"),
        ("live_sessions_livesession", "session_id", "title", "{row}.title"),
    ):
        entry = f"(SELECT id FROM live_sessions_search_entry WHERE {key} = {{row}}.id)"
        put = (
            f"INSERT INTO live_sessions_search_entry ({key}) SELECT new.id WHERE new.{column} <> '';"
            f" INSERT INTO live_sessions_search (rowid, {column}) SELECT id, {text.format(row='new')}"
            f" FROM live_sessions_search_entry WHERE {key} = new.id;"
        )
        take = (
            f"INSERT INTO live_sessions_search (live_sessions_search, rowid, {column})"
            f" SELECT 'delete', {entry.format(row='old')}, {text.format(row='old')} WHERE old.{column} <> '';"
            f" DELETE FROM live_sessions_search_entry WHERE {key} = old.id;"
        )
        name = f"{table}_search"
        changed = f"old.{column} IS NOT new.{column}"
        made[f"{name}_insert"] = f"AFTER INSERT ON {table} BEGIN {put} END"
        made[f"{name}_update"] = f"AFTER UPDATE OF {column} ON {table} WHEN {changed} BEGIN {take} {put} END"
        made[f"{name}_delete"] = f"AFTER DELETE ON {table} BEGIN {take} END"
    return {name: f"CREATE TRIGGER {name} {body}" for name, body in made.items()}


SQLITE_TRIGGERS = _triggers()

REBUILD = [
    "INSERT INTO live_sessions_search (live_sessions_search) VALUES ('delete-all')",
    "DELETE FROM live_sessions_search_entry",
    "INSERT INTO live_sessions_search_entry (message_id) SELECT id FROM live_sessions_message WHERE content <> ''",
    "INSERT INTO live_sessions_search_entry (session_id) SELECT id FROM live_sessions_livesession WHERE title <> ''",
    f"INSERT INTO live_sessions_search (rowid, content) SELECT entry.id, substr(message.content, 1, {SEARCHED})"
    " FROM live_sessions_search_entry AS entry JOIN live_sessions_message AS message ON message.id = entry.message_id",
    "INSERT INTO live_sessions_search (rowid, title) SELECT entry.id, session.title"
    " FROM live_sessions_search_entry AS entry"
    " JOIN live_sessions_livesession AS session ON session.id = entry.session_id",
]


def create(connection: Any) -> None:
    """The indexes, holding what is there."""
    if connection.vendor == "postgresql":
        _run(connection, POSTGRESQL)
    elif connection.vendor == "sqlite":
        _run(connection, SQLITE_TABLES)
        repair(connection)


def drop(connection: Any) -> None:
    """As if `create` had not been."""
    if connection.vendor == "postgresql":
        _run(connection, POSTGRESQL_BACK)
    elif connection.vendor == "sqlite":
        _run(connection, [f"DROP TRIGGER IF EXISTS {name}" for name in SQLITE_TRIGGERS])
        _run(connection, SQLITE_BACK)


def repair(connection: Any) -> bool:
    """Put back the triggers that a remade table lost, and the index with them; whether there were any."""
    if connection.vendor != "sqlite":
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'trigger')")
        there = {name for (name,) in cursor.fetchall()}
    missing = [sql for name, sql in SQLITE_TRIGGERS.items() if name not in there]
    if not missing or "live_sessions_search" not in there:
        return False
    _run(connection, missing + REBUILD)
    return True


def _run(connection: Any, statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
