"""How the connection stands, for people to be shown and for code to wait on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from hanzo_live.errors import HanzoLiveError

Status: TypeAlias = Literal["idle", "connecting", "live", "waiting", "offline", "ended"]


@dataclass(frozen=True, slots=True)
class ConnectionState:
    """`waiting` for the next attempt; `offline`: attempts are spent; `ended`: the server refused, trying is in vain.

    `error` says why, in the last two.
    """

    status: Status
    attempt: int = 0
    error: HanzoLiveError | None = None
