"""Which model a stream runs on, and where: the operator's nodes, asked for what they offer.

Names that a node knows are used as they are; the operator may map others, for one node or all. A demo or scripted node
serves an unknown name with its default, a real one refuses it in words. A stream that must stay local is routed, and
asked, on local nodes alone: both are checked, here and nowhere else.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count

from hanzo_live.protocol.errors import ErrorCode, LiveError
from hanzo_live.protocol.options import RouteOptions
from streaming.node import ChatRequest, ChatStream, NodeClient, NodeModel
from streaming.node.configured import ConfiguredNode, Where, local_node_at
from streaming.runner.choosing import Wish, best
from streaming.runner.fleet import FleetNode, Offer

# How often a node among several is asked whether it answers.
LOOK_S = 5.0
# How long the other nodes' lists are waited for once one node is known to have the model.
LISTS_S = 2.0
NAMED = 5
ANYWHERE = RouteOptions.model_validate({})


@dataclass(frozen=True, slots=True)
class Route:
    """A model on a node. `context`: tokens one request may use, None where the node does not tell.

    `must_stay_local` is the promise that was given to the stream.
    """

    model: str
    context: int | None
    on: FleetNode
    must_stay_local: bool = False

    @property
    def node(self) -> Where:
        """Where that is, as people are told."""
        return self.on.where

    @property
    def name(self) -> str:
        """Which node it is, as the operator knows it."""
        return self.on.name

    @property
    def wants_thoughts(self) -> bool:
        """Whether its API asks for what was thought before a tool was called."""
        return self.on.config.wants_thoughts

    @asynccontextmanager
    async def chat(self, request: ChatRequest) -> AsyncIterator[ChatStream]:
        """The node's answer, as `NodeClient.chat`; meanwhile the node counts as busy with it. Raises LiveError."""
        if self.must_stay_local and self.on.where != "local":
            raise _stays_local("this node is not one")
        with self.on.carrying():
            async with self.on.client.chat(request) as chat:
                yield chat

    async def can_continue(self) -> bool:
        """Whether the node is known to go on after a text; False also while it does not answer."""
        try:
            return await self.on.client.can_continue(self.model)
        except LiveError:
            return False


class Router:
    """Routes to `nodes`. `default` is the model for requests that name none; `aliases` maps names on all nodes."""

    def __init__(
        self,
        nodes: Sequence[tuple[ConfiguredNode, NodeClient]],
        *,
        default: str = "",
        aliases: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.nodes = [FleetNode(config, client, clock) for config, client in nodes]
        self._default = default
        self._aliases = dict(aliases or {})
        self._choices = count(1)

    @property
    def where(self) -> Where:
        """Where a stream that reaches no node would have run."""
        return "local" if any(node.where == "local" for node in self.nodes) else "cloud"

    async def route(
        self,
        requested: str,
        options: RouteOptions = ANYWHERE,
        *,
        began_on: str = "",
        avoid: Collection[str] = (),
    ) -> Route:
        """Where a request for that model (or "" for any) runs. Raises LiveError.

        `began_on` is the node whose text is gone on with, `avoid` those that failed this stream: asked last.
        """
        allowed = self._allowed(options)
        offers = await self._offers(allowed, requested)
        if not offers:
            offers = await self._stand_ins(allowed)
        if not offers:
            raise self._refusal(allowed, requested, options)
        local_first = options.prefer_local or options.fallback_to_cloud
        if options.prefer_local and not options.fallback_to_cloud:
            offers = self._without_fallback(allowed, offers)
        node = best(offers, Wish(local_first, began_on, avoid))
        node.chosen_at = next(self._choices)
        offer = offers[node]
        return Route(offer.model, offer.context, node, options.force_local)

    async def models(self) -> list[NodeModel]:
        """What the nodes offer now, each name once. Raises LiveError where none of them tells."""
        await asyncio.gather(*(node.ask() for node in self.nodes))
        if (refusal := self.nodes[0].refusal) is not None and not any(node.has_list for node in self.nodes):
            raise refusal
        found: dict[str, NodeModel] = {}
        for node in self.nodes:
            for model in node.offered():
                found.setdefault(model.id, model)
        return list(found.values())

    async def look(self) -> None:
        """Ask every node whether it answers: for the choice among several, and for whoever watches over one alone."""
        await asyncio.gather(*(node.look() for node in self.nodes))

    def busy(self) -> dict[str, int]:
        """How many streams of this process are on each node."""
        return {node.name: node.here for node in self.nodes if node.here}

    def told(self, elsewhere: Mapping[str, int]) -> None:
        """How many streams of other workers are on each node."""
        for node in self.nodes:
            node.elsewhere = elsewhere.get(node.name, 0)

    def _allowed(self, options: RouteOptions) -> list[FleetNode]:
        allowed = self.nodes
        if options.local_node_url is not None:
            named = local_node_at(options.local_node_url, [node.config for node in self.nodes])
            allowed = [node for node in self.nodes if node.config is named]
        if options.force_local:
            allowed = [node for node in allowed if node.where == "local"]
            if not allowed:
                raise _stays_local("none is configured. Ask the operator for one")
        return allowed

    async def _offers(self, allowed: Sequence[FleetNode], requested: str) -> dict[FleetNode, Offer]:
        """Each node that has the model. Only where none is known to, or some were never asked, are they asked first."""
        offers = self._known(allowed, requested)
        unasked = [node for node in allowed if not node.asked]
        if offers and unasked:
            await asyncio.wait([asyncio.ensure_future(node.ask()) for node in unasked], timeout=LISTS_S)
            offers = self._known(allowed, requested)
        elif not offers:
            await asyncio.gather(*(node.ask() for node in allowed))
            offers = self._known(allowed, requested)
        for node in allowed:
            node.ask_if_stale()
        return offers

    def _known(self, allowed: Sequence[FleetNode], requested: str) -> dict[FleetNode, Offer]:
        return {
            node: offer
            for node in allowed
            if (offer := node.offer(requested, self._aliases, self._default)) is not None
        }

    async def _stand_ins(self, allowed: Sequence[FleetNode]) -> dict[FleetNode, Offer]:
        return {node: offer for node in allowed if (offer := await node.stand_in(self._default)) is not None}

    def _without_fallback(self, allowed: Sequence[FleetNode], offers: dict[FleetNode, Offer]) -> dict[FleetNode, Offer]:
        """The cloud only for what no local node has: that one cannot be reached does not mean that it has it not."""
        local = {node: offer for node, offer in offers.items() if node.where == "local"}
        unknown = [node for node in allowed if node.where == "local" and node.has_list is None]
        if not local and unknown:
            raise LiveError(
                ErrorCode.NODE_UNAVAILABLE,
                "No local node answers, and this answer may not come from the cloud instead: "
                "try again, or allow it with `fallback_to_cloud`.",
            )
        return local or offers

    def _refusal(self, allowed: Sequence[FleetNode], requested: str, options: RouteOptions) -> LiveError:
        """Why no node can take it."""
        wanted = self._aliases.get(requested, requested) or self._default
        if (
            lost := next((node.refusal for node in allowed if node.has_list is None and node.refusal), None)
        ) is not None:
            return lost
        names = list(dict.fromkeys(model.id for node in allowed for model in node.offered()))
        if not wanted:
            refused = next((node.refusal for node in allowed if node.refusal is not None), None)
            return refused or LiveError(
                ErrorCode.NODE_ERROR, "The node offers no model. Load one there, or set NODE_MODEL.", retryable=False
            )
        known = ", ".join(names[:NAMED]) or "none"
        if options.force_local and self._known([node for node in self.nodes if node.where != "local"], requested):
            return _stays_local(f"none has the model {wanted}. They have: {known}. Choose one of these")
        whose = "The node has" if len(allowed) == 1 else "The nodes have"
        return LiveError(
            ErrorCode.BAD_REQUEST,
            f"{whose} no model named {wanted}. {'It has' if len(allowed) == 1 else 'There are'}: {known}. "
            "Choose one of these.",
            field="model",
        )


def _stays_local(why: str) -> LiveError:
    return LiveError(ErrorCode.LOCAL_ONLY, f"This stream may only run on a local node, and {why}.")
