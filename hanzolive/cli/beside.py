"""What the commands beside `serve` (worker, user, check) need: its configuration where it runs, and Django set up."""

from __future__ import annotations

import os
from argparse import Namespace

import django
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection

from hanzolive.cli.configuration import Configuration, configure
from hanzolive.cli.errors import OperatorError
from hanzolive.cli.places import serving


def configuration_of(args: Namespace) -> Configuration:
    """This call's configuration; what it leaves open is taken from the `serve` that runs on the same data folder."""
    configuration = configure(args)
    told = serving(configuration.folder) or {}
    for name, instead in (("NODES", "NODE_URL"), ("NODE_URL", "NODES")):
        if name in configuration.given:
            told.pop(instead, None)
    return configuration.having(
        **{
            name: value
            for name, value in told.items()
            if name in configuration.values and name not in configuration.given
        }
    )


def make_folder(configuration: Configuration) -> None:
    """Make the data folder where there is none yet. Raises OperatorError when that cannot be done."""
    try:
        configuration.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise OperatorError(
            f"The data folder {configuration.folder} cannot be written ({error.strerror}). Give a folder of yours with --data-dir."
        ) from error


def set_up_django(configuration: Configuration) -> None:
    """Load the settings of this configuration into this process. Raises OperatorError for settings Django refuses."""
    environment = configuration.environment()
    for name in os.environ.keys() - environment.keys():  # files whose secrets have been read
        del os.environ[name]
    os.environ.update(environment)
    make_folder(configuration)
    try:
        django.setup()
    except ImproperlyConfigured as error:
        raise OperatorError(f"The settings cannot be used: {error}") from error


def require_database(configuration: Configuration) -> None:
    """Connect to the database. Raises OperatorError with a sentence when it cannot be reached."""
    try:
        connection.ensure_connection()
    except DatabaseError as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise OperatorError(
            f"The database {configuration.database_name} cannot be used: {reason}. Start it, or name another with --database-url."
        ) from error
