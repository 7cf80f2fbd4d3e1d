"""Which MCP servers there are, and which a client may name."""

from __future__ import annotations

import pytest

from hanzo_live.protocol.errors import ErrorCode, LiveError
from streaming.tools.mcp_configured import configured_servers, is_allowed, servers_of

ALLOWED = ("http://localhost:8081", "https://tools.example.com/mcp")


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:8081",
        "http://localhost:8081/sse",
        "http://LOCALHOST:8081/mcp",
        "https://tools.example.com/mcp",
        "https://tools.example.com:443/mcp",
    ],
)
def test_it_lets_clients_name_what_the_operator_allowed(url: str) -> None:
    assert is_allowed(url, ALLOWED)


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:8080/mcp",
        "http://localhost.example.com:8081/",
        "http://127.0.0.1:8081/",
        "https://localhost:8081/",
        "http://user@localhost:8081/",
        "http://localhost:8081@evil.example.com/",
        "http://localhost:99999/",
        "https://tools.example.com/mcp/../admin",
        "https://tools.example.com/admin",
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
    ],
)
def test_it_refuses_every_other_address(url: str) -> None:
    assert not is_allowed(url, ALLOWED)
    with pytest.raises(LiveError) as refusal:
        servers_of([url], ALLOWED, ())
    assert (refusal.value.code, refusal.value.field) == (ErrorCode.FORBIDDEN, "mcp.servers")


def test_it_knows_the_operators_own_by_their_address() -> None:
    servers = configured_servers('{"docs": {"url": "https://mcp.example.com/mcp", "headers": {"authorization": "k"}}}')
    (found,) = servers_of(["https://mcp.example.com/mcp"], (), servers)
    assert found == servers[0]
    assert "k" not in repr(found.server.headers)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{", "Invalid JSON"),
        ('{"a": {}}', "needs either `url` or `command`"),
        ('{"a": {"url": "ftp://x"}}', "is no address of HTTP"),
        ('{"a": {"url": "http://u:p@x"}}', "has a name or password in it"),
        ('{"a": {"command": "x", "colour": 1}}', "Extra inputs"),
        ('{"a b": {"command": "x"}}', "names a server 'a b'"),
    ],
)
def test_it_refuses_a_configuration_that_cannot_be_used(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        configured_servers(text)


def test_it_has_none_where_none_are_configured() -> None:
    assert configured_servers("") == ()
