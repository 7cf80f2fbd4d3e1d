"""What the core wants done by whoever holds the socket."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Connect:
    """Open a socket, then say `opened`, or `lost` if it cannot be had."""


@dataclass(frozen=True, slots=True)
class Send:
    """Send one text frame on the open socket."""

    text: str


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Close the socket, if there is one. What it still says must not be handed in."""


Action: TypeAlias = Connect | Send | Disconnect
