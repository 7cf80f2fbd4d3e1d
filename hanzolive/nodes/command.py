"""`hanzo-live node`: the scripted node from the command line."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from .script import SCRIPTS


def register(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Adds `node` to the `hanzo-live` command (entry point group `hanzo_live.commands`)."""
    parser = subparsers.add_parser(
        "node",
        help="run the scripted node: an OpenAI-compatible server for tests and demos, without a model",
        description="Models: " + ", ".join(SCRIPTS) + ". Parameters follow the name: script-slow@rate=50,tokens=200.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8090, help="port, 0 for any free one (default: %(default)s)")
    parser.add_argument("--api-key", default="", help="ask for this bearer token under /v1")
    parser.add_argument(
        "--alias", action="append", default=[], metavar="NAME=MODEL", help="serve MODEL under another name as well"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """The exit code: 2 where the address cannot be used or an alias cannot be read."""
    from .serve import PortInUse
    from .serve import run as serve

    aliases = dict(pair.partition("=")[::2] for pair in options.alias)
    wrong = [f"{name}={model}" for name, model in aliases.items() if model.partition("@")[0] not in SCRIPTS]
    if wrong:
        print(f"--alias {wrong[0]}: no such scripted model. There are {', '.join(SCRIPTS)}.", file=sys.stderr)
        return 2
    try:
        serve(options.host, options.port, api_key=options.api_key, aliases=aliases, say=lambda s: print(s, flush=True))
    except PortInUse as error:
        print(error, file=sys.stderr)
        return 2
    return 0
