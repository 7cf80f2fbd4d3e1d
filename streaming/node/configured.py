"""The nodes that an operator names: read from JSON or a configuration file, checked, and refused in words.

Values only. Keys are secrets: no message and no `repr` shows one.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Sequence
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, TypeAdapter, ValidationError, model_validator

from hanzo_live.protocol.errors import ErrorCode, LiveError

from .http import base_url
from .models import is_hanzo_cloud
from .types import NodeConfig, NodeKind, NodeTimeouts

MAX_NODES = 100
LOCAL_SUFFIXES = (".local", ".internal", ".localhost", ".lan")
# Faults that one message names: an operator mends them one after the other.
MAX_FAULTS = 5
# What clients call the node on their own machine.
DEFAULT_URL = "http://localhost:8080"

Where = Literal["local", "cloud"]
ModelName = Annotated[str, Field(min_length=1, max_length=200)]


class NodesError(ValueError):
    """What is wrong with a list of nodes, in words."""


class ConfiguredNode(BaseModel):
    """One node. `models` maps names that people ask for to what the node calls them; with `only` it has no others.

    Of two nodes that could answer, one of twice the `weight` carries twice as many streams. One that `wants_thoughts`
    refuses a tool's result without what the model thought before it called the tool.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,39}$")]
    url: Annotated[str, Field(min_length=1, max_length=2000)]
    kind: NodeKind = NodeKind.AUTO
    key: Annotated[SecretStr, Field(max_length=4000)] = SecretStr("")
    models: Annotated[dict[ModelName, ModelName], Field(max_length=500)] = Field(default_factory=dict)
    only: bool = False
    weight: Annotated[float, Field(gt=0, le=1000)] = 1.0
    where: Where | None = None
    wants_thoughts: bool = False

    @model_validator(mode="after")
    def _goes_together(self) -> ConfiguredNode:
        try:
            base_url(self.url)
        except LiveError:
            raise ValueError("its `url` is no address: one looks like http://localhost:8080") from None
        if urlsplit(self.url).username is not None:
            raise ValueError("its `url` holds a user name: a credential belongs into `key`")
        if self.only and not self.models:
            raise ValueError("`only` leaves it without a model: name some in `models`")
        if self.where == "local" and (self.kind == NodeKind.HANZO_CLOUD or is_hanzo_cloud(self.url)):
            raise ValueError("Hanzo cloud is not local: leave `where` out")
        return self

    @property
    def is_local(self) -> bool:
        """Whether it is the operator's own; what is not said to be and not surely is, is not."""
        if self.kind == NodeKind.HANZO_CLOUD:
            return False  # behind whatever address
        return (self.where or where_is(self.url)) == "local"

    def config(self, timeouts: NodeTimeouts) -> NodeConfig:
        """What a client of it needs. A proxy for the outside world is not told what is for a local node."""
        return NodeConfig(self.url, self.kind, self.key.get_secret_value(), timeouts=timeouts, direct=self.is_local)


_NODES = TypeAdapter(list[ConfiguredNode])


def where_is(url: str) -> Where:
    """Whether a node is the operator's own. A promise of privacy hangs on it: what is not surely local is cloud."""
    host = urlsplit(url).hostname or ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "local" if "." not in host or host.endswith(LOCAL_SUFFIXES) else "cloud"
    return "local" if address.is_private or address.is_loopback else "cloud"


def local_node_at(url: str, nodes: Sequence[ConfiguredNode]) -> ConfiguredNode:
    """The local node of that address; the first one where it is said to be on this machine.

    Raises LiveError `forbidden`: a caller chooses among the operator's nodes, and has no other address asked.
    """
    local = [node for node in nodes if node.is_local]
    wanted = url.rstrip("/").removesuffix("/v1").rstrip("/")
    named = [node for node in local if base_url(node.url) == wanted]
    if not named and wanted == DEFAULT_URL:
        named = local[:1]
    if not named:
        raise LiveError(
            ErrorCode.FORBIDDEN,
            "`route.local_node_url` names no local node of this server's operator. Leave it out.",
            field="route.local_node_url",
        )
    return named[0]


def read_nodes(value: object) -> tuple[ConfiguredNode, ...]:
    """The nodes of a JSON text, or of a list as a configuration file holds it. Raises NodesError."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise NodesError('is not JSON: it looks like [{"name": "gpu", "url": "http://gpu.lan:8000"}].') from None
    if not isinstance(value, list) or not value:
        raise NodesError("must be a list of at least one node.")
    if len(value) > MAX_NODES:
        raise NodesError(f"names {len(value)} nodes; there may be {MAX_NODES}.")
    try:
        nodes = _NODES.validate_python(value)
    except ValidationError as error:
        raise NodesError(_in_words(error, value)) from None
    names = [node.name for node in nodes]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise NodesError(f"names more than one node {', '.join(repeated)}: each needs a name of its own.")
    return tuple(nodes)


def embeddings_node(nodes: Sequence[ConfiguredNode], name: str) -> ConfiguredNode:
    """The node of that name, where prompts may be sent to be embedded; without a name the first local one. Raises NodesError."""
    found = next((node for node in nodes if node.name == name or (not name and node.is_local)), None)
    if found is None:
        raise NodesError(f"names none of the nodes: there is no {name!r}." if name else "has no local node to choose.")
    if not found.is_local:
        raise NodesError(f"must be a local node, so that no prompt leaves your machines: {found.name!r} is not one.")
    return found


def write_nodes(nodes: Sequence[ConfiguredNode]) -> str:
    """The JSON text, keys included, that `read_nodes` reads."""
    return json.dumps(
        [node.model_dump(mode="json", exclude_defaults=True) | _key_of(node) for node in nodes], separators=(",", ":")
    )


def _key_of(node: ConfiguredNode) -> dict[str, str]:
    key = node.key.get_secret_value()
    return {"key": key} if key else {}


def _in_words(error: ValidationError, value: list[object]) -> str:
    """Which node and which field is at fault; never what was given, which may be a key."""
    faults = []
    for fault in error.errors(include_input=False, include_url=False, include_context=False)[:MAX_FAULTS]:
        place, *rest = fault["loc"]
        entry = value[place] if isinstance(place, int) else None
        name = entry.get("name") if isinstance(entry, dict) else None
        shown = f"{name[:40]!r}" if isinstance(name, str) else f"number {int(place) + 1}"
        fields = ".".join(map(str, rest))
        faults.append(f"of node {shown}{f', {fields}' if fields else ''}: {fault['msg'].removeprefix('Value error, ')}")
    return "is wrong; " + "; ".join(faults) + "."
