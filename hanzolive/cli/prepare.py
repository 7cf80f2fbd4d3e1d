"""Run by `serve` as a child before anything else needs the database: migrates it, and makes the first admin's link.

Prints one JSON object: `{"setup_token": …}` (null once there are users) or `{"error": a sentence}`.
"""

from __future__ import annotations

import json

import django
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import DatabaseError, connection

# Any number that is ours: replicas that start together must not migrate one PostgreSQL at the same time.
MIGRATION_LOCK = 0x48_4C_49_56_45


def main() -> None:
    try:
        django.setup()
        connection.ensure_connection()
    except (DatabaseError, ImproperlyConfigured, OSError) as error:
        print(json.dumps({"error": " ".join(str(error).split())}))
        return
    migrate()
    print(json.dumps({"setup_token": setup_token()}))


def migrate() -> None:
    """Bring the database to this version's tables; nothing happens to one that has them."""
    if connection.vendor != "postgresql":
        call_command("migrate", verbosity=0, interactive=False)
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        try:
            call_command("migrate", verbosity=0, interactive=False)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATION_LOCK])


def setup_token() -> str | None:
    """A one-time token that makes the first admin; None once there are users."""
    from sessions.accounts import new_setup_token
    from sessions.models import User

    return None if User.objects.exists() else new_setup_token()


if __name__ == "__main__":
    main()
