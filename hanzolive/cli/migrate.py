"""`hanzo-live migrate`: the database's tables, for whoever brings them up to date before the new version starts."""

from __future__ import annotations

from argparse import Namespace

from hanzolive.cli.beside import configuration_of, require_database, set_up_django


def run(args: Namespace) -> int:
    """Applies what is missing; several that start together wait for one another. Raises OperatorError."""
    configuration = configuration_of(args)
    set_up_django(configuration)
    require_database(configuration)
    from hanzolive.cli.prepare import migrate

    migrate()
    print(f"The database {configuration.database_name} is up to date.")
    return 0
