"""`hanzo-live restore FILE`: a backup in the place of what is there. The server must not run."""

from __future__ import annotations

import shutil
import tarfile
import tempfile
from argparse import Namespace
from pathlib import Path

from hanzolive.cli.archive import DATABASE, DRAFTS, MANIFEST, MEDIA, Manifest, load_database, load_drafts, redis_of
from hanzolive.cli.beside import configuration_of, require_database, set_up_django
from hanzolive.cli.errors import OperatorError
from hanzolive.cli.places import DataFolder


def run(args: Namespace) -> int:
    """Checks all that can be checked, then puts database, drafts and pictures in their places. Raises OperatorError."""
    configuration = configuration_of(args)
    folder = DataFolder(configuration.folder)  # refused where a server runs on it
    try:
        set_up_django(configuration)
        require_database(configuration)
        with tempfile.TemporaryDirectory(prefix="hanzo-live-restore.") as place:
            parts = _unpacked(Path(args.file), Path(place))
            manifest = Manifest.read(parts / MANIFEST)
            _require_fitting(manifest)
            if not args.force:
                _require_empty()
            with redis_of(configuration, served=False) as client:
                load_database(parts / DATABASE)
                drafts = load_drafts(client, (parts / DRAFTS).read_text("utf-8"))
            _put_media(parts / MEDIA)
    finally:
        folder.release()
    from hanzolive.cli.prepare import migrate

    migrate()
    print(f"Restored what version {manifest.version} had at {manifest.created}, with {drafts} entries of drafts.")
    return 0


def _unpacked(file: Path, place: Path) -> Path:
    try:
        with tarfile.open(file, "r:gz") as archive:
            archive.extractall(place, filter="data")  # no path out of `place`, no devices, no links out
    except (OSError, tarfile.TarError, EOFError) as error:
        raise OperatorError(f"{file} cannot be read as a backup: {error}") from error
    return place


def _require_fitting(manifest: Manifest) -> None:
    from django.db import connection
    from django.db.migrations.loader import MigrationLoader

    if manifest.vendor != connection.vendor:
        raise OperatorError(
            f"This backup is of {manifest.vendor}, and the database here is {connection.vendor}. Name one of the same kind with --database-url."
        )
    known = MigrationLoader(connection).disk_migrations
    if unknown := [f"{app}.{name}" for app, name in manifest.migrations.items() if (app, name) not in known]:
        raise OperatorError(
            f"This backup is of a newer version ({manifest.version}; {unknown[0]}). Install that one, then restore."
        )


def _require_empty() -> None:
    from django.db import connection

    if "live_sessions_user" not in connection.introspection.table_names():
        return
    from sessions.models import User

    if count := User.objects.count():
        raise OperatorError(
            f"There are {count} accounts in this database. With --force the backup takes the place of all that is there."
        )


def _put_media(source: Path) -> None:
    from django.conf import settings

    target = Path(settings.MEDIA_ROOT)
    shutil.rmtree(target, ignore_errors=True)
    if source.is_dir():
        shutil.copytree(source, target)
