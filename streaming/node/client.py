"""The node client: asks an inference node over the OpenAI API and gives back normal events.

One `NodeClient` a node and an event loop; any number of answers at a time. It stores nothing and knows no session.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

import httpx

from hanzo_live.protocol.errors import ErrorCode, LiveError

from .chat import ChatStream, Manners
from .http import NodeHTTP
from .models import KindFinder, check_health, continuation, list_models, probe_timeouts
from .types import ChatRequest, NodeConfig, NodeHealth, NodeKind, NodeModel, NodeTimeouts


class NodeClient:
    """Talks to one node. `async with` it, or `aclose` it; both end its connections.

    Raises LiveError: node_unavailable, node_timeout, node_error, stream_interrupted, context_length,
    content_filtered, rate_limited.
    """

    def __init__(self, config: NodeConfig, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.config = config
        self._http = NodeHTTP(config, transport)
        self._probes = probe_timeouts(config.timeouts)
        try:
            self._kind = KindFinder(self._http, config.kind, self._probes)
        except ValueError:
            kinds = ", ".join(NodeKind)
            raise LiveError(
                ErrorCode.NODE_ERROR, f"No such kind of node: {config.kind!r}. There are {kinds}.", retryable=False
            ) from None
        self._manners = Manners(self._kind)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._http.aclose()

    @property
    def keeps_alive(self) -> bool:
        """False once the node broke a kept connection: from then on each request has a connection of its own."""
        return self._http.keep_alive

    def chat(self, request: ChatRequest, timeouts: NodeTimeouts | None = None) -> ChatStream:
        """The answer, as an async iterator of `NodeEvent`; nothing is sent before it is read.

        Leave it by the end, by `aclose()`, by its `async with` or by cancelling the reading task: each closes the
        node's connection at once. A bare `break` leaves that to the garbage collector.
        """
        return ChatStream(
            self._http,
            self._manners,
            request,
            timeouts or self.config.timeouts,
            lambda: self._continuation(request.model),
        )

    async def kind(self) -> NodeKind:
        """Which engine it is; asked once."""
        return await self._kind()

    async def models(self) -> list[NodeModel]:
        """The models it offers, with the context one request has where the node tells."""
        models, kind = await list_models(self._http, self._probes)
        if self._kind.known is None:
            self._kind.known = kind
        return models

    async def health(self) -> NodeHealth:
        """Whether it answers; never raises for a node that does not."""
        return await check_health(self._http, self._kind.known, self._probes)

    async def can_continue(self, model: str) -> bool:
        """Whether `ChatRequest.continue_text` works here. False where it is not known to: a prefix that the engine
        ignored would double the text."""
        return continuation(await self._kind(), model) is not None

    async def _continuation(self, model: str) -> dict[str, Any]:
        fields = continuation(await self._kind(), model)
        if fields is None:
            raise LiveError(
                ErrorCode.NODE_ERROR,
                "This node is not known to continue a text: start the answer again.",
                retryable=False,
            )
        return fields
