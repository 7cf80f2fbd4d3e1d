"""Which model a stream runs on, and where: the operator's node, asked for what it offers.

Names the node knows are used as they are; the operator may map others. A demo or scripted node serves an unknown name
with its default, a real one refuses it in words.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from hanzo_live.protocol.errors import ErrorCode, LiveError
from streaming.node import NodeClient, NodeKind, NodeModel

logger = logging.getLogger(__name__)

# How long a list of models is used without asking; a known model is served from an older list while it is asked again.
FRESH_S = 30.0

DEMO = "(demo model)"
LOCAL_SUFFIXES = (".local", ".internal", ".localhost", ".lan")

Where = Literal["local", "cloud"]


@dataclass(frozen=True, slots=True)
class Route:
    """`context`: tokens one request may use, None where the node does not tell."""

    model: str
    node: Where
    context: int | None = None


def where_is(url: str) -> Where:
    """Whether a node is the operator's own. A promise of privacy hangs on it: what is not surely local is cloud."""
    host = urlsplit(url).hostname or ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "local" if "." not in host or host.endswith(LOCAL_SUFFIXES) else "cloud"
    return "local" if address.is_private or address.is_loopback else "cloud"


class Router:
    """Routes to one node. `default` is the model for requests that name none; `aliases` maps names to the node's."""

    def __init__(
        self,
        node: NodeClient,
        *,
        default: str = "",
        aliases: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._node = node
        self._default = default
        self._aliases = dict(aliases or {})
        self._clock = clock
        self._models: list[NodeModel] = []
        self._asked_at = float("-inf")
        self._asking: asyncio.Task[None] | None = None
        self._refusal: LiveError | None = None
        self.where = where_is(node.config.url)

    async def route(self, requested: str, *, force_local: bool = False) -> Route:
        """Where a request for that model (or "" for any) runs. Raises LiveError."""
        if force_local and self.where != "local":
            raise LiveError(
                ErrorCode.LOCAL_ONLY,
                "This stream may only run on a local node, and none is configured. Ask the operator for one.",
            )
        wanted = self._aliases.get(requested, requested) or self._default
        model = self._find(wanted)
        if model is None:
            await self._ask()
            model = self._find(wanted)
        elif self._clock() - self._asked_at > FRESH_S:
            self._ask_in_background()
        if model is None:
            return await self._unknown(wanted)
        # A scripted model's parameters follow its name.
        return Route(wanted if wanted.partition("@")[0] == model.id else model.id, self.where, model.context_length)

    async def models(self) -> list[NodeModel]:
        """What the node offers now. Raises LiveError."""
        await self._ask()
        return self._models

    def _find(self, wanted: str) -> NodeModel | None:
        if not wanted:
            return self._models[0] if self._models else None
        name = wanted.partition("@")[0]
        return next((model for model in self._models if model.id in (wanted, name) or model.name == wanted), None)

    async def _unknown(self, wanted: str) -> Route:
        if not self._models:
            if not wanted and self._refusal is not None:
                raise self._refusal
            if not wanted:
                raise LiveError(
                    ErrorCode.NODE_ERROR,
                    "The node offers no model. Load one there, or set NODE_MODEL.",
                    retryable=False,
                )
            return Route(wanted, self.where)  # the node keeps no list: it will say itself what it does not know
        default = self._find(self._default) or self._models[0]
        if DEMO in default.name or await self._node.kind() == NodeKind.SCRIPTED:
            return Route(default.id, self.where, default.context_length)
        known = ", ".join(model.id for model in self._models[:5])
        raise LiveError(
            ErrorCode.BAD_REQUEST,
            f"The node has no model named {wanted}. It has: {known}. Choose one of these.",
            field="model",
        )

    async def _ask(self) -> None:
        self._ask_in_background()
        assert self._asking is not None
        await asyncio.shield(self._asking)

    def _ask_in_background(self) -> None:
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._refresh())
            self._asking.add_done_callback(_noted)

    async def _refresh(self) -> None:
        try:
            self._models = await self._node.models()
        except LiveError as error:
            if error.code != ErrorCode.NODE_ERROR:
                raise
            self._refusal = error  # it answers, but keeps no list
        self._asked_at = self._clock()


def _noted(asking: asyncio.Task[None]) -> None:
    if not asking.cancelled() and (error := asking.exception()) is not None:
        logger.warning("The node's models could not be listed: %s", error)
