"""`hanzo-live backup FILE`: everything that cannot be made again, in one file. The server may run meanwhile."""

from __future__ import annotations

import os
import tarfile
import tempfile
from argparse import Namespace
from datetime import UTC, datetime
from pathlib import Path

from hanzo_live import __version__
from hanzolive.cli.archive import (
    DATABASE,
    DRAFTS,
    FORMAT,
    MANIFEST,
    MEDIA,
    Manifest,
    dump_database,
    dump_drafts,
    redis_of,
)
from hanzolive.cli.beside import configuration_of, require_database, set_up_django
from hanzolive.cli.errors import OperatorError
from hanzolive.cli.places import serving


def run(args: Namespace) -> int:
    """Writes the file, readable by its owner alone; one that is there is not written over. Raises OperatorError."""
    configuration = configuration_of(args)
    target = Path(args.file).resolve()
    set_up_django(configuration)
    require_database(configuration)
    from django.conf import settings

    with tempfile.TemporaryDirectory(prefix="hanzo-live-backup.") as place:
        parts = Path(place)
        manifest = _manifest()
        (parts / MANIFEST).write_text(manifest.text(), "utf-8")
        dump_database(parts / DATABASE)
        with redis_of(configuration, served=serving(configuration.folder) is not None) as client:
            (parts / DRAFTS).write_text(dump_drafts(client), "utf-8")
        try:
            descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError as error:
            raise OperatorError(f"{target} is there already. Name another file.") from error
        except OSError as error:
            raise OperatorError(f"{target} cannot be written: {error.strerror}.") from error
        with os.fdopen(descriptor, "wb") as file, tarfile.open(fileobj=file, mode="w:gz") as archive:
            for name in (MANIFEST, DATABASE, DRAFTS):
                archive.add(parts / name, name)
            if Path(settings.MEDIA_ROOT).is_dir():
                archive.add(settings.MEDIA_ROOT, MEDIA)
    print(
        f"{target} has the {manifest.vendor} database, the drafts and the pictures ({target.stat().st_size:,} bytes)."
    )
    return 0


def _manifest() -> Manifest:
    from django.db import connection
    from django.db.migrations.recorder import MigrationRecorder

    newest = dict(sorted(MigrationRecorder(connection).applied_migrations()))
    return Manifest(
        format=FORMAT,
        version=__version__,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        vendor=connection.vendor,
        migrations=dict(newest),
    )
