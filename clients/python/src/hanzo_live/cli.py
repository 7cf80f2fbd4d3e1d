"""The command `hanzo-live`: `chat`, `version`, and whatever installed packages add in the entry-point group below.

Each entry point is a callable `register(subparsers)`, whose parsers set `run`: a callable that takes the parsed
arguments and returns the exit code. No command of the server lives here, and the chat is `chat.py`'s.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from importlib import import_module, metadata
from typing import Any, NoReturn, Protocol, TypeAlias

from hanzo_live import __version__
from hanzo_live.addresses import DEFAULT_URL
from hanzo_live.errors import HanzoLiveError
from hanzo_live.protocol import SUBPROTOCOL, ErrorCode, LiveError

GROUP = "hanzo_live.commands"

EXIT_OK, EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 0, 1, 2, 130

Subparsers: TypeAlias = "argparse._SubParsersAction[Any]"
Register: TypeAlias = Callable[[Subparsers], None]


class Extension(Protocol):
    """An entry point, as far as it is needed here."""

    @property
    def name(self) -> str: ...

    def load(self) -> Register: ...


class _Parser(argparse.ArgumentParser):
    """Says a usage error in one sentence instead of a page of usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(EXIT_USAGE, f"{_sentence(message)} See `{self.prog} --help`.\n")


def main(arguments: Sequence[str] | None = None, *, extensions: Iterable[Extension] | None = None) -> int:
    """Run one command; returns its exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    found = metadata.entry_points(group=GROUP) if extensions is None else extensions
    parser = _parser(found)
    try:
        options = parser.parse_args(arguments)
    except SystemExit as end:
        # argparse leaves by exception after --help and after a usage error.
        return end.code if isinstance(end.code, int) else EXIT_OK
    if not hasattr(options, "run"):
        parser.print_help(sys.stderr)
        return EXIT_USAGE
    try:
        code: int = options.run(options)
    except LiveError as error:
        sys.stderr.write(f"{_sentence(error.message)}\n")
        return EXIT_USAGE if error.code is ErrorCode.BAD_REQUEST else EXIT_FAILED
    except HanzoLiveError as error:
        sys.stderr.write(f"{_sentence(error.message)}\n")
        return EXIT_USAGE if error.code == "BAD_REQUEST" else EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    return code


def _parser(extensions: Iterable[Extension]) -> argparse.ArgumentParser:
    parser = _Parser(prog="hanzo-live", description="Open, self-hosted real-time AI streaming.")
    parser.add_argument("--version", action="version", version=_versions())
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND")
    subparsers.add_parser("version", help="print the versions of what is installed").set_defaults(run=_version)
    _add_chat(subparsers)
    for extension in sorted(extensions, key=lambda each: each.name):
        try:
            extension.load()(subparsers)
        except Exception as error:  # a broken extension must not take the other commands with it
            reason = _sentence(f"{type(error).__name__}: {error}")
            sys.stderr.write(f"The commands of `{extension.name}` cannot be loaded: {reason} Reinstall that package.\n")
    return parser


def _add_chat(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser(
        "chat", help="talk with a model in the terminal", description="Ctrl-C stops an answer, Ctrl-D ends."
    )
    parser.add_argument("prompt", nargs="*", metavar="PROMPT", help="Ask this alone, and end.")
    parser.add_argument("--url", default=DEFAULT_URL, help="The server (default: %(default)s).")
    parser.add_argument("--model", help="The model to ask. Default: the session's or the server's.")
    parser.add_argument("--token", help="An API token. Default: HANZO_LIVE_TOKEN in the environment.")
    parser.add_argument("--session", metavar="ID", help="Talk in this session, by id or slug.")
    parser.add_argument("--tools", action="store_true", help="Let the model call the tools that the server offers.")
    parser.add_argument("--no-thoughts", action="store_true", help="Do not show the model's thoughts.")
    parser.set_defaults(run=_chat)


def _chat(options: argparse.Namespace) -> int:
    # What it draws with need not be installed, and takes a while to load.
    code: int = import_module("hanzo_live.chat").run(options)
    return code


def _version(options: argparse.Namespace) -> int:
    print(_versions())
    return EXIT_OK


def _versions() -> str:
    parts = [f"hanzo-live {__version__}"]
    with suppress(metadata.PackageNotFoundError):  # the client alone is a whole installation
        parts.append(f"hanzo-live-server {metadata.version('hanzo-live-server')}")
    return ", ".join([*parts, f"protocol {SUBPROTOCOL}"])


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


if __name__ == "__main__":
    sys.exit(main())
