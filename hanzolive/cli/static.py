"""`hanzo-live static FOLDER`: what pages load, put where a web server before this one can read it."""

from __future__ import annotations

import tempfile
from argparse import Namespace
from pathlib import Path

from hanzolive.cli.beside import configuration_of, set_up_django
from hanzolive.cli.errors import OperatorError


def run(args: Namespace) -> int:
    """Writes the files, each with a compressed copy beside it; what is there already is written over. Raises OperatorError."""
    folder = Path(args.folder).resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OperatorError(f"{folder} cannot be written to: {error.strerror}.") from error
    set_up_django(configuration_of(args))
    from django.core.management import call_command
    from django.test.utils import override_settings
    from whitenoise.compress import Compressor  # type: ignore[import-untyped]

    with override_settings(STATIC_ROOT=str(folder)):
        call_command("collectstatic", interactive=False, verbosity=0)
    compressor = Compressor(quiet=True)
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix not in (".gz", ".br")]
    for path in files:
        if compressor.should_compress(path.name):
            compressor.compress(str(path))
    print(f"{len(files)} files are in {folder}.")
    return 0
