"""Who may open a socket: by address, Origin, Host and credential. A wrong credential is never an anonymous one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from channels.testing import WebsocketCommunicator

from hanzo_live.protocol import DEFAULT_LIMITS
from streaming import consumers
from tests.integration.client import Refused, live
from tests.integration.conftest import Room
from tests.integration.stack import Stack

pytestmark = pytest.mark.timeout(150)


@pytest.fixture(scope="module")
def exposed(start: Callable[..., Stack]) -> Stack:
    """A server that listens on every address, as it is by default there."""
    return start("--host", "0.0.0.0", people=("Olga",), WORKERS="0")


@pytest.fixture(scope="module")
def hospitable(start: Callable[..., Stack]) -> Stack:
    """A server on every address that lets anonymous people in, with little room."""
    limits = {"MAX_CONNECTIONS": "6", "MAX_SOCKETS_PER_USER": "3", "MAX_STREAMS_PER_SOCKET": "2"}
    return start("--host", "0.0.0.0", "--allow-anonymous", people=("Olga",), WORKERS="0", **limits)


async def assert_closes(client: Any, code: int, error: str) -> dict[str, Any]:
    """The server says why, then closes."""
    assert await client.closed() == code
    (said,) = client.errors
    assert (said["type"], said["id"], said["code"]) == ("error", None, error)
    assert said["message"]
    return dict(said)


# Anonymous ----------------------------------------------------------------------------------------------------------


async def test_on_loopback_anonymous_people_may_have_private_streams(each_server: Stack, prompt: str) -> None:
    async with live(each_server) as client:
        assert client.welcome["user"] == {"id": None, "name": "Anonymous", "avatar": None, "anonymous": True}
        stream, watched = await client.start(prompt, "script-echo")
        await client.end_of(watched, stream)
        assert watched.text(stream) == prompt
        with pytest.raises(Refused) as refused:
            await client.watch("session:00000000-0000-4000-8000-000000000000")
        assert refused.value.code == "unauthenticated"
    with each_server.rest() as rest:
        assert rest.get(f"/v1/streams/{stream}").json()["content"] == prompt
        assert rest.get("/v1/sessions").status_code == 401


async def test_elsewhere_they_are_refused(exposed: Stack, prompt: str) -> None:
    async with live(exposed, hello=False) as client:
        refusal = await client.send({"id": 1, "type": "hello", "token": None})
        assert refusal["code"] == "unauthenticated"
        await assert_closes(client, 4401, "unauthenticated")
    async with live(exposed, hello=False) as client:
        early = await client.send({"id": 1, "type": "stream.start", "content": prompt})
        assert early["code"] == "unauthenticated"
    with exposed.rest() as rest:
        for answer in (
            rest.post("/v1/streams", json={"content": prompt}),
            rest.post("/v1/chat/completions", json={"messages": [{"role": "user", "content": prompt}]}),
            rest.get("/v1/models"),
        ):
            assert answer.status_code == 401, answer.url
    async with live(exposed, exposed.people["Olga"]) as client:
        assert client.welcome["user"]["name"] == "Olga"


async def test_elsewhere_the_operator_can_allow_them(hospitable: Stack, prompt: str) -> None:
    async with live(hospitable) as client:
        assert client.welcome["user"]["anonymous"]
        started = await client.ask("stream.start", content=prompt)
        await client.ask("stream.stop", stream=started["stream"])


async def test_a_node_that_the_operator_does_not_have_is_refused_before_a_stream_begins(
    each_room: Room, prompt: str
) -> None:
    stack, asked = each_room.stack, {"content": prompt, "route": {"local_node_url": "http://169.254.169.254"}}
    async with live(stack, each_room.olga) as client:
        for command in ({"type": "stream.start"}, {"type": "message.send", "session": each_room.session}):
            with pytest.raises(Refused) as refused:
                await client.ask(**command, **asked)
            assert (refused.value.code, refused.value.reply["field"]) == ("forbidden", "route.local_node_url")
    with stack.rest(each_room.olga) as rest:
        for path, headers in (
            ("/v1/streams", {}),
            ("/v1/streams", {"Accept": "text/event-stream"}),
            (f"/v1/sessions/{each_room.session}/messages", {}),
        ):
            answer = rest.post(path, json=asked, headers=headers)
            assert (answer.status_code, answer.json()["field"]) == (403, "route.local_node_url")
    assert each_room.messages() == []


# Origin and Host ----------------------------------------------------------------------------------------------------

FOREIGN = ["https://evil.example", "null", "http://127.0.0.1.evil.example", "file://", "http://localhost.evil.example"]


@pytest.mark.parametrize("origin", FOREIGN)
@pytest.mark.parametrize("credential", ["none", "token", "cookie"])
async def test_pages_of_other_sites_are_refused_on_loopback_too(stack: Stack, origin: str, credential: str) -> None:
    headers = {}
    if credential == "token":
        headers = stack.people["Tariq"].headers
    elif credential == "cookie":
        headers = {"Cookie": cookie_of(stack)}
    async with live(stack, hello=False, origin=origin, headers=headers) as client:
        await assert_closes(client, 4403, "forbidden")


async def test_pages_of_other_sites_are_refused_by_each_server(each_server: Stack) -> None:
    async with live(each_server, hello=False, origin=FOREIGN[0]) as client:
        await assert_closes(client, 4403, "forbidden")


@pytest.mark.parametrize("with_token", [False, True])
async def test_a_foreign_host_is_refused(each_server: Stack, with_token: bool) -> None:
    """A name that an attacker lets point to this machine."""
    parts = urlsplit(each_server.url)
    headers = each_server.people["Olga"].headers if with_token else {}
    url = f"ws://evil.example:{parts.port}/v1/live"
    async with live(each_server, hello=False, url=url, headers=headers, host="127.0.0.1", port=parts.port) as client:
        await assert_closes(client, 4403, "forbidden")
    with each_server.rest(Host="evil.example") as rest:
        assert rest.get("/v1/models").status_code == 400


async def test_our_own_pages_and_programs_without_an_origin_may_come(stack: Stack) -> None:
    for origin in (stack.url, None, stack.url.replace("127.0.0.1", "localhost")):
        async with live(stack, stack.people["Olga"], origin=origin) as client:
            assert client.welcome["user"]["name"] == "Olga"


async def test_calls_of_foreign_pages_are_refused_over_rest(stack: Stack, prompt: str) -> None:
    with stack.rest(Origin=FOREIGN[0]) as rest:
        assert rest.post("/v1/streams", json={"content": prompt}).status_code == 403
    assert stack.node.requests(prompt) == []


async def test_there_is_no_other_socket(stack: Stack) -> None:
    from websockets.exceptions import InvalidStatus

    with pytest.raises(InvalidStatus):
        async with live(stack, url=stack.socket_url.replace("/v1/live", "/v1/other")):
            pass


# Credentials --------------------------------------------------------------------------------------------------------


def cookie_of(stack: Stack) -> str:
    browser = stack.sign_in(stack.people["Tariq"])
    return "; ".join(f"{name}={value}" for name, value in browser.cookies.items())


async def test_a_signed_in_browsers_cookie_is_enough(room: Room) -> None:
    stack = room.stack
    headers = {"Cookie": cookie_of(stack)}
    async with live(stack, hello=False, origin=stack.url, headers=headers) as client:
        await client.watch(room.log)
        welcome = await client.ask("hello", token=None)
    assert (welcome["user"]["id"], welcome["user"]["anonymous"]) == (stack.people["Tariq"].id, False)


@pytest.mark.parametrize("header", ["Authorization", "x-api-key", "X-Hanzo-Key", "Ocp-Apim-Subscription-Key"])
async def test_a_token_in_a_header_is_enough(room: Room, header: str) -> None:
    token = room.olga.token
    headers = {header: f"Bearer {token}" if header == "Authorization" else token}
    async with live(room.stack, hello=False, headers=headers) as client:
        await client.watch(room.log)


async def test_a_wrong_token_is_never_anonymous(each_server: Stack, prompt: str) -> None:
    wrong = {"Authorization": "Bearer hl_wrong"}
    async with live(each_server, hello=False, headers=wrong) as client:
        await assert_closes(client, 4401, "unauthenticated")
    async with live(each_server, hello=False) as client:
        refusal = await client.send({"id": "h", "type": "hello", "token": "hl_wrong"})
        assert (refusal["id"], refusal["code"]) == ("h", "unauthenticated")
        await assert_closes(client, 4401, "unauthenticated")
    with each_server.rest(None, **wrong) as rest:
        for answer in (
            rest.post("/v1/streams", json={"content": prompt}),
            rest.get("/v1/models"),
            rest.get("/v1/me"),
            rest.post("/v1/streams", json={"content": prompt}, headers={"Accept": "text/event-stream"}),
        ):
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"].startswith("Bearer")
    assert each_server.node.requests(prompt) == []


async def test_a_token_in_the_address_is_not_looked_at(stack: Stack) -> None:
    token = stack.people["Olga"].token
    async with live(stack, url=f"{stack.socket_url}?token={token}") as client:
        assert client.welcome["user"]["anonymous"]


async def test_a_ticket_opens_one_socket(stack: Stack) -> None:
    with stack.rest(stack.people["Vera"]) as rest:
        ticket = rest.post("/v1/tickets").json()["ticket"]
    async with live(stack, hello=False) as client:
        welcome = await client.ask("hello", token=ticket)
        assert welcome["user"]["name"] == "Vera"
    async with live(stack, hello=False) as client:
        refusal = await client.send({"id": 1, "type": "hello", "token": ticket})
        assert refusal["code"] == "unauthenticated"
        await assert_closes(client, 4401, "unauthenticated")


async def test_of_two_sockets_with_one_ticket_one_gets_in(stack: Stack) -> None:
    with stack.rest(stack.people["Vera"]) as rest:
        ticket = rest.post("/v1/tickets").json()["ticket"]
    async with live(stack, hello=False) as one, live(stack, hello=False) as other:
        hello = {"id": 1, "type": "hello", "token": ticket}
        replies = await asyncio.gather(one.send(hello), other.send(hello))
    assert sorted(reply["type"] for reply in replies) == ["error", "welcome"]


async def test_a_socket_does_not_change_hands(room: Room) -> None:
    async with live(room.stack, room.olga) as client:
        with pytest.raises(Refused) as refused:
            await client.ask("hello", token=room.otto.token)
        assert refused.value.code == "forbidden"
        assert (await client.ask("hello", token=room.olga.token))["user"]["name"] == "Olga"
        await client.watch(room.log)


async def test_a_token_that_may_only_read_starts_and_stops_nothing(room: Room, prompt: str) -> None:
    with room.stack.rest(room.olga) as rest:
        token = rest.post("/v1/tokens", json={"name": "reader", "scope": "read"}).json()["token"]
    reader = replace(room.olga, token=token)
    async with live(room.stack, room.olga) as olga, live(room.stack, reader) as client:
        watched = await client.watch(room.log)
        for command in ({"type": "message.send", "session": room.session}, {"type": "stream.start"}):
            with pytest.raises(Refused) as refused:
                await client.ask(content=prompt, **command)
            assert refused.value.code == "forbidden"
        stream = await olga.prompt(room.session, prompt, "script-slow@rate=100,tokens=50")
        with pytest.raises(Refused) as refused:
            await client.ask("stream.stop", stream=stream)
        assert refused.value.code == "forbidden"
        await client.end_of(watched, stream)
    with room.stack.rest(reader) as rest:
        assert rest.post(f"/v1/sessions/{room.session}/messages", json={"content": prompt}).status_code == 403


async def test_who_does_not_say_hello_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, where ten seconds can be made short."""
    from hanzolive.asgi import application

    monkeypatch.setattr(consumers, "DEFAULT_LIMITS", replace(DEFAULT_LIMITS, hello_timeout_s=0))
    silent = WebsocketCommunicator(application, "/v1/live", headers=[(b"host", b"127.0.0.1")])
    assert (await silent.connect())[0]
    said = await silent.receive_json_from()
    assert (said["type"], said["id"], said["code"]) == ("error", None, "unauthenticated")
    assert "hello" in said["message"]
    assert await silent.receive_output() == {"type": "websocket.close", "code": 4408}
    await silent.disconnect()


# Room ---------------------------------------------------------------------------------------------------------------


async def test_above_its_limits_a_server_says_so_before_it_closes(hospitable: Stack) -> None:
    olga = hospitable.people["Olga"]
    async with live(hospitable, olga), live(hospitable, olga), live(hospitable, olga) as third:
        async with live(hospitable, hello=False, headers=olga.headers) as fourth:
            assert (await assert_closes(fourth, 4429, "rate_limited"))["retry_after"] > 0
        async with live(hospitable), live(hospitable), live(hospitable) as sixth:
            async with live(hospitable, hello=False) as seventh:
                assert (await assert_closes(seventh, 4503, "busy"))["retry_after"] > 0
            await sixth.ask("ping")
        await third.ask("ping")
        async with live(hospitable) as after:
            await after.ask("ping")


async def test_a_socket_may_have_so_many_streams_at_once(hospitable: Stack, prompt: str) -> None:
    """No worker is there: what is started stays open."""
    async with live(hospitable) as client:
        started = [(await client.ask("stream.start", content=prompt))["stream"] for _ in range(2)]
        with pytest.raises(Refused) as refused:
            await client.ask("stream.start", content=prompt)
        assert (refused.value.code, refused.value.reply["retryable"]) == ("busy", True)
        await client.ask("stream.stop", stream=started[0])
        started[0] = (await client.ask("stream.start", content=prompt))["stream"]
        for stream in started:
            await client.ask("stream.stop", stream=stream)


async def test_a_probe_needs_no_credential_and_the_figures_one_off_loopback(exposed: Stack) -> None:
    async with httpx.AsyncClient(base_url=exposed.url, trust_env=False) as rest:
        for address in ("/health", "/healthz", "/ready", "/readyz"):
            assert (await rest.get(address)).status_code == 200
        assert (await rest.get("/metrics", headers={"X-Forwarded-For": "192.0.2.1"})).status_code == 401
