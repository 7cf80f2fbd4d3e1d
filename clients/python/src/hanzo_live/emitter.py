"""Listeners by the name of what they listen for."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable
from typing import Any, Literal, TypeAlias, get_args

logger = logging.getLogger("hanzo_live")

ClientEvent: TypeAlias = Literal[
    "connection", "error", "reconnect", "reconnected", "stream_start", "stream_complete", "stream_error"
]
Listener: TypeAlias = Callable[..., object]


class Emitter:
    """Nobody has to listen, and no listener can break what it listens to."""

    def __init__(self) -> None:
        self._listeners: defaultdict[str, list[Listener]] = defaultdict(list)

    def on(self, event: ClientEvent, listener: Listener) -> Callable[[], None]:
        """Call `listener` at each `event`; the result stops that. Raises ValueError for an event there is not."""
        if event not in get_args(ClientEvent):
            raise ValueError(f"There is no event {event!r}. There are: {', '.join(get_args(ClientEvent))}.")
        self._listeners[event].append(listener)

        def off() -> None:
            if listener in self._listeners[event]:
                self._listeners[event].remove(listener)

        return off

    def emit(self, event: ClientEvent, *arguments: Any) -> None:
        for listener in list(self._listeners[event]):
            try:
                listener(*arguments)
            except Exception:
                logger.exception("A listener for %r of the Hanzo Live client failed.", event)
