"""The commands that the server adds to `hanzo-live` (entry points `hanzo_live.commands`): their flags and their words.

What a command needs is imported when it runs, so that `hanzo-live --help` stays quick.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace, _SubParsersAction
from collections.abc import Callable
from importlib import import_module
from typing import TypeAlias

from hanzolive.cli.configuration import add_flags
from hanzolive.cli.errors import in_words

Subparsers: TypeAlias = "_SubParsersAction[ArgumentParser]"

SERVE_FLAGS = (
    *("HOST", "PORT", "NODE_URL", "REDIS_URL", "DATABASE_URL", "DATA_DIR"),
    *("WORKERS", "SERVER", "ALLOW_ANONYMOUS"),
)
WHERE = ("DATA_DIR", "DATABASE_URL", "REDIS_URL")


def register_serve(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser(
        "serve",
        help="run everything: web server, worker, and what you do not have (Redis, a model)",
        epilog="Each flag can also be set in the environment or in hanzo-live.config.json; see docs/configuration.md.",
    )
    add_flags(parser, *SERVE_FLAGS)
    parser.add_argument("--open", action="store_true", help="Open the page in your browser once it is there.")
    parser.set_defaults(run=_lazily("hanzolive.cli.serve"))


def register_worker(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("worker", help="run one more Celery worker, on this machine or another")
    add_flags(parser, "NODE_URL", *WHERE)
    parser.set_defaults(run=_lazily("hanzolive.cli.worker"))


def register_check(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser(
        "check", help="say what is reachable and what is wrong; exit code 1 when something is"
    )
    add_flags(parser, "HOST", "PORT", "NODE_URL", *WHERE)
    parser.add_argument("--deploy", action="store_true", help="Also what does not do where strangers come.")
    parser.set_defaults(run=_lazily("hanzolive.cli.check"))


def register_migrate(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser(
        "migrate", help="bring the database to this version's tables, as `serve` does when it starts"
    )
    add_flags(parser, "DATA_DIR", "DATABASE_URL")
    parser.set_defaults(run=_lazily("hanzolive.cli.migrate"))


def register_housekeeper(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser(
        "housekeeper",
        help="run what sends mails and tells workers of what recurs, beside servers with HOUSEKEEPER=false",
    )
    add_flags(parser, *WHERE)
    parser.set_defaults(run=_lazily("hanzolive.cli.housekeeper"))


def register_backup(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("backup", help="write everything that cannot be made again into one file")
    parser.add_argument("file", metavar="FILE", help="A new file (.tar.gz).")
    add_flags(parser, *WHERE)
    parser.set_defaults(run=_lazily("hanzolive.cli.backup"))


def register_restore(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("restore", help="put a backup in the place of what is there")
    parser.add_argument("file", metavar="FILE", help="What `hanzo-live backup` wrote.")
    parser.add_argument("--force", action="store_true", help="Also where there are accounts already: they are lost.")
    add_flags(parser, *WHERE)
    parser.set_defaults(run=_lazily("hanzolive.cli.restore"))


def register_static(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("static", help="write the pages' files for nginx, or another server, to serve")
    parser.add_argument("folder", metavar="FOLDER", help="Where to. It is made where it is not there.")
    add_flags(parser, "DATA_DIR")
    parser.set_defaults(run=_lazily("hanzolive.cli.static"))


def register_user(subparsers: Subparsers) -> None:
    user = subparsers.add_parser("user", help="make accounts")
    verbs = user.add_subparsers(dest="verb", required=True)
    parser = verbs.add_parser("create", help="make an account, or a new API token for one that is there")
    parser.add_argument("name", metavar="NAME", help="What others see; also the login, where it is an e-mail address.")
    parser.add_argument("--email", help="The login. Default: NAME@localhost.")
    parser.add_argument("--password", help="Asked for when neither this nor --token is given.")
    parser.add_argument("--admin", action="store_true", help="May use the admin pages.")
    parser.add_argument("--token", action="store_true", help="Print a new API token, alone on the last line.")
    add_flags(parser, *WHERE)
    parser.set_defaults(run=_lazily("hanzolive.cli.user"))


def _lazily(module: str) -> Callable[[Namespace], int]:
    def run(args: Namespace) -> int:
        code: int = import_module(module).run(args)
        return code

    return in_words(run)
