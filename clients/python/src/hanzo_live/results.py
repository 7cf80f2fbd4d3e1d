"""What the client's calls give back, and what its listeners are told."""

from __future__ import annotations

from dataclasses import dataclass

from hanzo_live.errors import HanzoLiveError


@dataclass(frozen=True, slots=True)
class Sent:
    """A message was posted; `stream` answers it, where a model was asked."""

    message: str
    stream: str | None


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation and its link, which is shown this once."""

    invitation: str
    url: str


@dataclass(frozen=True, slots=True)
class StreamStarted:
    """A model begins to answer. `user_id` is None for an anonymous caller."""

    stream: str
    model: str
    user_id: str | None


@dataclass(frozen=True, slots=True)
class StreamCompleted:
    """An answer has ended. `duration` is in ms, `total_tokens` are those generated."""

    stream: str
    duration: float
    total_tokens: int
    tokens_per_second: float


@dataclass(frozen=True, slots=True)
class StreamFailed:
    """An answer failed, or could not be started (`stream` is None) or read to its end."""

    stream: str | None
    error: HanzoLiveError
    model: str | None
