"""What a worker knows of one node: what it offers, whether it answers, how busy it is, how it did lately.

Which node a stream goes to is `routing`'s.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from hanzo_live.protocol.errors import ErrorCode, LiveError
from streaming import metrics
from streaming.node import NodeClient, NodeKind, NodeModel
from streaming.node.configured import ConfiguredNode, Where
from streaming.node.refusals import AccountRefused
from streaming.runner.breaker import LONGEST_S, Breaker

logger = logging.getLogger(__name__)

# How long a list of models is used without asking; a known model is served from an older list while it is asked again.
FRESH_S = 30.0

DEMO = "(demo model)"

# Failures that are the node's, not the request's.
FAULTS = (ErrorCode.NODE_UNAVAILABLE, ErrorCode.NODE_TIMEOUT, ErrorCode.NODE_ERROR, ErrorCode.STREAM_INTERRUPTED)


@dataclass(frozen=True, slots=True)
class Offer:
    """A model of a node, by the node's own name. `context`: tokens one request may use, None where it does not tell."""

    model: str
    context: int | None = None


class FleetNode:
    """One node, for all streams of a worker process. Used from the worker's loop alone."""

    def __init__(self, config: ConfiguredNode, client: NodeClient, clock: Callable[[], float] = time.monotonic) -> None:
        self.config = config
        self.client = client
        self.breaker = Breaker(clock)
        self.models: list[NodeModel] = []
        self.refusal: LiveError | None = None  # of its list of models, the last time
        self.asked = False  # whether a list was ever asked for, whatever came of it
        self.has_list: bool | None = None  # None: it was never reached
        self.healthy = True  # until something says otherwise
        self.here = 0  # streams of this process on it
        self.elsewhere = 0  # those of other workers, as of their last sign of life
        self.chosen_at = 0
        self._clock = clock
        self._asked_at = float("-inf")
        self._asking: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        return self.config.name

    @property
    def where(self) -> Where:
        return "local" if self.config.is_local else "cloud"

    @property
    def weight(self) -> float:
        return self.config.weight

    @property
    def running(self) -> int:
        return self.here + self.elsewhere

    @property
    def does_well(self) -> bool:
        return self.healthy and self.breaker.allows

    # What it offers ------------------------------------------------------------------------------------------------

    def offer(self, requested: str, aliases: Mapping[str, str], default: str) -> Offer | None:
        """Its model for a name that somebody asks for ("": any); None where it has none, as far as is known."""
        wanted = self._own_name(requested, aliases, default)
        if wanted is None or self.has_list is None:
            return None
        if not self.has_list:
            return Offer(wanted) if wanted else None  # it will say itself what it does not know
        model = self._find(wanted)
        if model is None:
            return None
        # A scripted model's parameters follow its name.
        return Offer(wanted if wanted.partition("@")[0] == model.id else model.id, model.context_length)

    async def stand_in(self, default: str) -> Offer | None:
        """What a demo or scripted node answers unknown names with; None of a real one."""
        if not self.models or self.config.only:
            return None
        model = self._find(self.config.models.get(default, default)) or self.models[0]
        if DEMO in model.name or await self.client.kind() == NodeKind.SCRIPTED:
            return Offer(model.id, model.context_length)
        return None

    def offered(self) -> list[NodeModel]:
        """The models by the names that can be asked for here: the operator's first, then the node's own."""
        mapped = [
            replace(model, id=name, name=model.name if model.name != model.id else name)
            for name, own in self.config.models.items()
            if (model := self._find(own)) is not None
        ]
        names = {model.id for model in mapped}
        return mapped + [model for model in self.models if not self.config.only and model.id not in names]

    def _own_name(self, requested: str, aliases: Mapping[str, str], default: str) -> str | None:
        mapped = self.config.models
        if requested in mapped:
            return mapped[requested]
        wanted = aliases.get(requested, requested)
        if not wanted:
            wanted = default or (next(iter(mapped)) if self.config.only else "")
        return mapped.get(wanted, None if self.config.only else wanted)

    def _find(self, wanted: str) -> NodeModel | None:
        if not wanted:
            return self.models[0] if self.models else None
        name = wanted.partition("@")[0]
        return next((model for model in self.models if model.id in (wanted, name) or model.name == wanted), None)

    # Asking for it -------------------------------------------------------------------------------------------------

    async def ask(self) -> None:
        """Ask anew what it offers, together with whoever asks now. What came of it is in `has_list` and `refusal`."""
        self.ask_in_background()
        assert self._asking is not None
        await asyncio.shield(self._asking)

    def ask_if_stale(self) -> None:
        if self._clock() - self._asked_at > FRESH_S:
            self.ask_in_background()

    def ask_in_background(self) -> None:
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._refresh())

    async def _refresh(self) -> None:
        before = self.refusal
        try:
            self.models, self.has_list, self.refusal = await self.client.models(), True, None
        except LiveError as error:
            self.refusal = error
            if error.code == ErrorCode.NODE_ERROR:  # it answers, but keeps no list
                self.has_list = bool(self.models)
            if before is None:
                logger.warning("The models of node %s could not be listed: %s", self.name, error)
        else:
            self._asked_at = self._clock()
        self.asked = True

    async def look(self) -> None:
        """Ask whether it answers, and what it offers where that is not fresh. Never raises LiveError."""
        health = await self.client.health()
        if health.ok != self.healthy:
            logger.warning(
                "Node %s %s", self.name, "answers again." if health.ok else f"does not answer: {health.message}"
            )
        self.healthy = health.ok
        metrics.NODE_UP.labels(self.name).set(health.ok)
        metrics.NODE_CIRCUIT_OPEN.labels(self.name).set(not self.breaker.allows)
        if health.ok:
            self.ask_if_stale()

    # Being asked ---------------------------------------------------------------------------------------------------

    @contextmanager
    def carrying(self) -> Iterator[None]:
        """Around one request: it counts as busy meanwhile, and how it went is remembered."""
        self.here += 1
        self.breaker.begin()
        try:
            yield
        except LiveError as error:
            self._judge(error)
            raise
        except BaseException:  # also whoever asked going away: it says nothing of the node, and may be its trial
            self.breaker.abandoned()
            raise
        else:
            self.breaker.succeeded()
        finally:
            self.here -= 1

    def _judge(self, error: LiveError) -> None:
        if error.retry_after is not None:
            self.breaker.refused(error.retry_after)
        elif isinstance(error, AccountRefused):
            self.breaker.refused(LONGEST_S)
        elif error.code in FAULTS and error.retryable:
            self.breaker.failed()
        else:
            self.breaker.succeeded()
