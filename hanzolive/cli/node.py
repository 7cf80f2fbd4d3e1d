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
from streaming.node.configured import ConfiguredNode

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
        await models(ConfiguredNode(name="default", url=DEFAULT_NODE_URL), seconds=1)
    except LiveError:
        return False
    return True


async def require(configuration: Configuration) -> None:
    """Return when one of the operator's nodes answers. Raises OperatorError when none does in START_TIMEOUT."""
    waiting = {
        asyncio.ensure_future(_require(node, configuration["START_TIMEOUT"])): node for node in configuration.nodes
    }
    pending = set(waiting)
    try:
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            if any(task.exception() is None for task in done):
                return
    finally:
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
    if (error := next(iter(waiting)).exception()) is not None:  # the first node's: each says as much
        raise error


async def _require(node: ConfiguredNode, seconds: float) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    async with _client(node, 3) as client:
        while not (health := await client.health()).ok:
            if asyncio.get_running_loop().time() > deadline:
                raise OperatorError(
                    f"The node at {node.url} does not answer as one: {health.message} "
                    "Start it, name another with --node-url, or leave --node-url out to get the demo model."
                )
            await asyncio.sleep(POLL_SECONDS)


def _client(node: ConfiguredNode, connect: float) -> NodeClient:
    return NodeClient(node.config(NodeTimeouts(connect=connect)))


async def models(node: ConfiguredNode, seconds: float = 5) -> list[NodeModel]:
    """The node's models. Raises LiveError."""
    timeouts = NodeTimeouts(connect=seconds, first_byte=seconds, idle=seconds)
    async with NodeClient(node.config(timeouts)) as client:
        return await client.models()


async def model_name(configuration: Configuration) -> str:
    """What people see as the model: the one that is configured, else the first of the first node that has one."""
    if configuration["NODE_MODEL"]:
        return str(configuration["NODE_MODEL"])
    said = "none: the node offers no model yet"
    for node in configuration.nodes:
        try:
            offered = await models(node)
        except LiveError as error:
            said = f"unknown ({error.message})"
            continue
        if offered:
            return offered[0].name
    return said


async def _answers(url: str) -> None:
    async with NodeClient(NodeConfig(url, timeouts=NodeTimeouts(connect=1, first_byte=2, idle=2))) as client:
        while True:
            if (await client.health()).ok:
                return
            await asyncio.sleep(POLL_SECONDS)
