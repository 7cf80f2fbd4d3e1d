"""What goes wrong for an operator: one sentence on standard error, exit code 2, never a traceback."""

from __future__ import annotations

import functools
import sys
from argparse import Namespace
from collections.abc import Callable

from hanzolive.options import OptionError

USAGE = 2


class OperatorError(Exception):
    """Something only the operator can mend; the message says what to do."""


def in_words(run: Callable[[Namespace], int]) -> Callable[[Namespace], int]:
    """`run`, with an operator's errors printed as a sentence and returned as exit code 2."""

    @functools.wraps(run)
    def told(args: Namespace) -> int:
        try:
            return run(args)
        except (OperatorError, OptionError) as error:
            print(f"hanzo-live: {error}", file=sys.stderr)
            return USAGE

    return told
