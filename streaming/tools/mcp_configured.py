"""The MCP servers that the operator configured (MCP_SERVERS), and the addresses that clients may name (MCP_ALLOW).

MCP_SERVERS is a JSON object by name, in the form that other MCP clients take:

    {"time": {"command": "mcp-server-time"}, "docs": {"url": "https://mcp.example.com/mcp", "ask_first": ["delete"]}}
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, TypeAdapter, ValidationError, model_validator

from hanzo_live.protocol.errors import ErrorCode, LiveError

NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$")
DEFAULT_PORTS = {"http": 80, "https": 443}


class McpServer(BaseModel):
    """One server: a `url` (Streamable HTTP or SSE), or a `command` that speaks MCP on its standard input and output.

    `tools` limits which of its tools are offered; `ask_first` names those that a person has to approve, or all.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = ""
    headers: dict[str, SecretStr] = Field(default_factory=dict)
    transport: Literal["auto", "http", "sse"] = "auto"
    command: str = ""
    args: tuple[str, ...] = ()
    env: dict[str, SecretStr] = Field(default_factory=dict)
    tools: tuple[str, ...] | None = None
    ask_first: bool | tuple[str, ...] = False
    timeout: float | None = Field(None, gt=0)

    @model_validator(mode="after")
    def _has_one_way(self) -> McpServer:
        if bool(self.url) == bool(self.command):
            raise ValueError("needs either `url` or `command`")
        if self.url:
            parts_of(self.url)
        return self

    def asks_first(self, tool: str) -> bool:
        return self.ask_first if isinstance(self.ask_first, bool) else tool in self.ask_first

    @property
    def place(self) -> str:
        """Where it is, for people: without a query, which may hold a key."""
        return self.url.partition("?")[0] or self.command


@dataclass(frozen=True, slots=True)
class NamedServer:
    """`named_by_caller`: it is none of the operator's own; its address was allowed."""

    name: str
    server: McpServer
    named_by_caller: bool = False


_SERVERS = TypeAdapter(dict[str, McpServer])


def configured_servers(text: str) -> tuple[NamedServer, ...]:
    """The servers of MCP_SERVERS. Raises ValueError with a sentence for the operator."""
    if not text.strip():
        return ()
    try:
        servers = _SERVERS.validate_json(text)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(step) for step in fault["loc"])
        raise ValueError(f"MCP_SERVERS cannot be used: {place + ': ' if place else ''}{fault['msg']}.") from None
    for name in servers:
        if not NAME.match(name):
            raise ValueError(f"MCP_SERVERS names a server {name!r}: use letters, digits, `_` and `-`, at most 32.")
    return tuple(NamedServer(name, server) for name, server in servers.items())


def require_allowed(urls: Iterable[str], allowed: Iterable[str], configured: Iterable[NamedServer]) -> None:
    """Raises LiveError `forbidden` for an address that the operator did not allow."""
    allowed, configured = tuple(allowed), tuple(configured)
    for url in urls:
        if not is_allowed(url, allowed) and not any(each.server.url == url for each in configured):
            raise LiveError(
                ErrorCode.FORBIDDEN,
                "This server may not be asked to use that MCP server. Its operator can allow it with MCP_ALLOW.",
                field="mcp.servers",
            )


def is_allowed(url: str, allowed: Iterable[str]) -> bool:
    """Whether `url` is below one of these: an origin allows every path there, an address only itself."""
    try:
        asked = parts_of(url)
    except ValueError:
        return False
    for each in allowed:
        try:
            known = parts_of(each)
        except ValueError:
            continue
        if _origin(known) == _origin(asked) and (known.path in ("", "/") or known.path == asked.path):
            return True
    return False


def servers_of(
    urls: Iterable[str], allowed: Iterable[str], configured: Iterable[NamedServer]
) -> tuple[NamedServer, ...]:
    """The servers at these addresses, with what the operator configured of them. Raises LiveError `forbidden`."""
    urls, configured = tuple(dict.fromkeys(urls)), tuple(configured)
    require_allowed(urls, allowed, configured)
    known = {each.server.url: each for each in configured if each.server.url}
    return tuple(known.get(url) or NamedServer(_name_of(url), McpServer(url=url), True) for url in urls)


def parts_of(url: str) -> SplitResult:
    """The parts of an address of HTTP. Raises ValueError for any other, and for one with a name or password in it."""
    parts = urlsplit(url)
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        raise ValueError("is no address of HTTP")
    if parts.username is not None or parts.password is not None:
        raise ValueError("has a name or password in it: use `headers`")
    parts.port  # noqa: B018  # raises for a port that is none
    return parts


def _origin(parts: SplitResult) -> tuple[str, str | None, int]:
    return parts.scheme, parts.hostname, parts.port or DEFAULT_PORTS[parts.scheme]


def _name_of(url: str) -> str:
    parts = parts_of(url)
    return re.sub(r"[^A-Za-z0-9]+", "-", f"{parts.hostname}-{parts.port or ''}").strip("-")[:32]
