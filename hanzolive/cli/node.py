"""The inference node for `serve`: the operator's, one found on port 8080, or the demo model as a child of ours."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping

from hanzo_live.protocol.errors import LiveError
from hanzolive.cli.child import Program
from hanzolive.cli.configuration import DEFAULT_NODE_URL, Configuration
from hanzolive.cli.errors import OperatorError
from streaming.node import NodeClient, NodeConfig, NodeModel, NodeTimeouts

POLL_SECONDS = 0.2


def demo_model(port: int, environment: Mapping[str, str]) -> Program:
    return Program(
        name="model",
        command=[sys.executable, "-m", "hanzolive.nodes.local", "--port", str(port)],
        environment=environment,
        ready=lambda: _answers(f"http://127.0.0.1:{port}"),
        ready_within=120,
        stop_within=0.5,
    )


async def found_on_default_port() -> bool:
    """Whether a node answers where one is looked for when none is named."""
    try:
        await models(DEFAULT_NODE_URL, seconds=1)
    except LiveError:
        return False
    return True


async def require(configuration: Configuration) -> None:
    """Return when the operator's node answers. Raises OperatorError with a sentence when it does not in START_TIMEOUT."""
    deadline = asyncio.get_running_loop().time() + configuration["START_TIMEOUT"]
    config = NodeConfig(
        configuration.node_url,
        configuration["NODE_KIND"],
        configuration["NODE_API_KEY"],
        timeouts=NodeTimeouts(connect=3),
    )
    async with NodeClient(config) as client:
        while not (health := await client.health()).ok:
            if asyncio.get_running_loop().time() > deadline:
                raise OperatorError(
                    f"The node at {config.url} does not answer as one: {health.message} "
                    "Start it, name another with --node-url, or leave --node-url out to get the demo model."
                )
            await asyncio.sleep(POLL_SECONDS)


async def models(url: str, key: str = "", seconds: float = 5) -> list[NodeModel]:
    """The node's models. Raises LiveError."""
    timeouts = NodeTimeouts(connect=seconds, first_byte=seconds, idle=seconds)
    async with NodeClient(NodeConfig(url, api_key=key, timeouts=timeouts)) as client:
        return await client.models()


async def model_name(configuration: Configuration) -> str:
    """What people see as the model: the one that is configured, else the node's first."""
    if configuration["NODE_MODEL"]:
        return str(configuration["NODE_MODEL"])
    try:
        offered = await models(configuration.node_url, configuration["NODE_API_KEY"])
    except LiveError as error:
        return f"unknown ({error.message})"
    return offered[0].name if offered else "none: the node offers no model yet"


async def _answers(url: str) -> None:
    async with NodeClient(NodeConfig(url, timeouts=NodeTimeouts(connect=1, first_byte=2, idle=2))) as client:
        while True:
            if (await client.health()).ok:
                return
            await asyncio.sleep(POLL_SECONDS)
