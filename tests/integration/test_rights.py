"""What one may not see looks as if it were not there; and a right that ends, ends at once."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.cli.processes import clean_environment
from tests.integration.client import Refused, live
from tests.integration.conftest import Room
from tests.integration.stack import PASSWORD, Person, Stack

pytestmark = pytest.mark.timeout(150)


Refs = Callable[[str, str], dict[str, Any]]


async def test_to_a_non_member_a_session_looks_like_one_that_does_not_exist(room: Room, prompt: str) -> None:
    async with live(room.stack, room.olga) as olga, live(room.stack, room.otto) as otto:
        watched = await olga.watch(room.log)
        running = await olga.prompt(room.session, prompt, "script-slow@rate=50,tokens=100000")
        await olga.has_words(watched, running, 2)
        nothing = str(uuid4())
        commands: list[Refs] = [
            lambda ref, _: {"type": "subscribe", "log": f"session:{ref}"},
            lambda ref, _: {"type": "subscribe", "log": f"session:{ref}", "epoch": "e", "seq": 3},
            lambda ref, _: {"type": "unsubscribe", "log": f"session:{ref}"},
            lambda ref, _: {"type": "message.send", "session": ref, "content": "Hello"},
            lambda ref, _: {"type": "stream.start", "session": ref, "content": "Hello"},
            lambda _, stream: {"type": "stream.stop", "stream": stream},
            lambda ref, _: {"type": "presence.set", "session": ref, "typing": True},
            lambda _, stream: {"type": "subscribe", "log": f"stream:{stream}"},
        ]
        for make in commands:
            there = await otto.send({"id": 1, **make(room.session, running)})
            absent = await otto.send({"id": 1, **make(nothing, nothing)})
            assert there == absent
            assert there["code"] == "not_found"
        assert not watched.ended(running)
        await olga.ask("stream.stop", stream=running)
        await olga.end_of(watched, running)


async def test_over_rest_and_sse_as_well(room: Room, prompt: str) -> None:
    stack, nothing = room.stack, str(uuid4())
    with stack.rest(room.olga) as rest:
        sent = rest.post(f"/v1/sessions/{room.session}/messages", json={"content": prompt, "model": "script-echo"})
        theirs = sent.json()["stream"]
        alone = rest.post("/v1/streams", json={"content": prompt, "model": "script-echo"}).json()["stream"]
    with stack.rest(room.otto) as rest:
        for method, address, body in (
            ("GET", "/v1/sessions/{}", None),
            ("PATCH", "/v1/sessions/{}", {"title": "Mine"}),
            ("DELETE", "/v1/sessions/{}", None),
            ("GET", "/v1/sessions/{}/messages", None),
            ("POST", "/v1/sessions/{}/messages", {"content": "Hello"}),
            ("GET", "/v1/sessions/{}/members", None),
            ("POST", "/v1/sessions/{}/members", {"user": room.otto.id, "role": "owner"}),
            ("GET", "/v1/sessions/{}/transcript", None),
            ("GET", "/v1/sessions/{}/streams", None),
            ("GET", "/v1/sessions/{}/events", None),
        ):
            assert_same(rest, method, address, body, room.session, nothing)
        for stream in (theirs, alone):
            for method, address in (("GET", ""), ("GET", "/events"), ("POST", "/stop")):
                assert_same(rest, method, f"/v1/streams/{{}}{address}", None, stream, nothing)
            with stack.rest(Accept="text/event-stream") as anonymous:
                assert_same(anonymous, "GET", "/v1/streams/{}/events", None, stream, nothing)


def assert_same(rest: httpx.Client, method: str, address: str, body: Any, there: str, absent: str) -> None:
    answers = [rest.request(method, address.format(id), json=body) for id in (there, absent)]
    first, second = (
        (each.status_code, each.json(), {**each.headers, "date": "", "x-request-id": ""}) for each in answers
    )
    assert first == second, (method, address)
    assert (answers[0].status_code, answers[0].json()["code"]) == (404, "not_found")


async def test_another_ones_private_stream_is_not_there(stack: Stack, prompt: str) -> None:
    async with live(stack, stack.people["Olga"]) as olga, live(stack, stack.people["Otto"]) as otto, live(stack) as who:
        stream, watched = await olga.start(prompt, "script-slow@rate=100,tokens=50")
        for client in (otto, who):
            for command in ({"type": "subscribe", "log": "stream:{}"}, {"type": "stream.stop", "stream": "{}"}):
                there, absent = [
                    await client.send({"id": 1, **{name: value.format(id) for name, value in command.items()}})
                    for id in (stream, str(uuid4()))
                ]
                assert there == absent
                assert there["code"] == "not_found"
        await olga.end_of(watched, stream)


async def test_a_removed_member_hears_of_it_and_then_nothing_more(each_room: Room, prompt: str) -> None:
    room = each_room
    async with live(room.stack, room.olga) as olga, live(room.stack, room.vera) as vera:
        of_olga, of_vera = await olga.watch(room.log), await vera.watch(room.log)
        stream = await olga.prompt(room.session, prompt, "script-slow@rate=100,tokens=150")
        await vera.has_words(of_vera, stream, 10)
        async with room.stack.rest_soon(room.olga) as rest:
            removed = await rest.delete(f"/v1/sessions/{room.session}/members/{room.vera.id}")
            assert removed.status_code == 204
        await vera.until(lambda: of_vera.frames[-1]["type"] == "unsubscribed", "the end of the subscription")
        await olga.end_of(of_olga, stream)
        # Frames are in order on a socket: were there any more, they would have come before this answer.
        await vera.ask("ping")
        with pytest.raises(Refused) as refused:
            await vera.watch(room.log, resume=True)
        assert refused.value.code == "not_found"
    *_, member, unsubscribed = of_vera.frames
    assert (member["type"], member["action"], member["user"]["id"]) == ("member", "removed", room.vera.id)
    assert (unsubscribed["type"], unsubscribed["reason"]) == ("unsubscribed", "removed")
    had = of_vera.text(stream)
    assert room.stack.node.said(prompt).startswith(had)
    assert of_olga.text(stream) == room.stack.node.said(prompt) != had


async def test_a_removed_members_event_stream_ends(room: Room) -> None:
    async with room.stack.rest_soon(room.olga) as olga, room.stack.rest_soon(room.vera) as vera:
        async with vera.stream("GET", f"/v1/sessions/{room.session}/events") as response:
            body = ""
            async for chunk in response.aiter_text():
                if "snapshot" in chunk and "snapshot" not in body:
                    await olga.delete(f"/v1/sessions/{room.session}/members/{room.vera.id}")
                body += chunk
        again = await vera.get(f"/v1/sessions/{room.session}/events")
    assert events_of(body) == ["snapshot", "member", "unsubscribed"]
    assert again.status_code == 404


async def test_a_deleted_session_ends_for_all(room: Room) -> None:
    async with live(room.stack, room.vera) as vera:
        watched = await vera.watch(room.log)
        await vera.until(lambda: watched.frames, "the snapshot")
        async with room.stack.rest_soon(room.olga) as rest:
            assert (await rest.delete(f"/v1/sessions/{room.session}")).status_code == 204
        await vera.until(lambda: watched.frames[-1]["type"] == "unsubscribed", "the end")
    assert watched.frames[-1]["reason"] == "deleted"


async def test_who_becomes_a_viewer_may_not_stop_any_more(room: Room, prompt: str) -> None:
    async with live(room.stack, room.olga) as olga, live(room.stack, room.tariq) as tariq:
        watched = await olga.watch(room.log)
        stream = await olga.prompt(room.session, prompt, "script-slow@rate=50,tokens=100000")
        await olga.has_words(watched, stream, 2)
        async with room.stack.rest_soon(room.olga) as rest:
            changed = await rest.patch(f"/v1/sessions/{room.session}/members/{room.tariq.id}", json={"role": "viewer"})
            assert changed.status_code == 200
        with pytest.raises(Refused) as refused:
            await tariq.ask("stream.stop", stream=stream)
        assert refused.value.code == "forbidden"
        await olga.until(lambda: watched.of_type("member"), "the change of role")
        await olga.ask("stream.stop", stream=stream)
        await olga.end_of(watched, stream)
    assert watched.of_type("member")[-1]["role"] == "viewer"


async def test_a_revoked_token_closes_its_sockets_and_no_others(each_server: Stack) -> None:
    olga = each_server.people["Olga"]
    async with each_server.rest_soon(olga) as rest:
        made = (await rest.post("/v1/tokens", json={"name": "to be revoked"})).json()
        other = Person(olga.name, olga.email, made["token"], olga.id)
        async with live(each_server, other) as closing, live(each_server, olga) as staying:
            assert (await rest.delete(f"/v1/tokens/{made['id']}")).status_code == 204
            assert await closing.closed() == 4401
            assert closing.errors[-1]["code"] == "unauthenticated"
            await staying.ask("ping")
        async with live(each_server, hello=False) as again:
            assert (await again.send({"id": 1, "type": "hello", "token": made["token"]}))["code"] == "unauthenticated"


async def test_signing_out_closes_the_browsers_sockets(stack: Stack) -> None:
    tariq = stack.people["Tariq"]
    with closing(stack.sign_in(tariq)) as browser, closing(stack.sign_in(tariq)) as elsewhere:
        cookies = ["; ".join(f"{n}={v}" for n, v in each.cookies.items()) for each in (browser, elsewhere)]
        async with (
            live(stack, origin=stack.url, headers={"Cookie": cookies[0]}) as leaving,
            live(stack, origin=stack.url, headers={"Cookie": cookies[1]}) as staying,
        ):
            assert leaving.welcome["user"]["name"] == staying.welcome["user"]["name"] == "Tariq"
            browser.post("/accounts/logout/", data={"csrfmiddlewaretoken": browser.cookies["csrftoken"]})
            assert await leaving.closed() == 4401
            await staying.ask("ping")


def form_in(browser: httpx.Client, **fields: str) -> dict[str, str]:
    return {**fields, "csrfmiddlewaretoken": browser.cookies["csrftoken"]}


async def test_a_new_password_ends_what_stood_on_the_old_one_everywhere_else(each_server: Stack) -> None:
    vera = each_server.people["Vera"]
    with closing(each_server.sign_in(vera)) as browser, closing(each_server.sign_in(vera)) as elsewhere:
        cookie = "; ".join(f"{name}={value}" for name, value in elsewhere.cookies.items())
        async with live(each_server, origin=each_server.url, headers={"Cookie": cookie}) as open_page:
            assert open_page.welcome["user"]["name"] == "Vera"
            fields = {"oldpassword": PASSWORD, "password1": f"{PASSWORD} anew", "password2": f"{PASSWORD} anew"}
            changed = browser.post("/accounts/password/change/", data=form_in(browser, **fields))
            assert changed.status_code == 302, changed.text
            try:
                assert await open_page.closed() == 4401
                assert browser.get("/v1/me").status_code == 200
                assert elsewhere.get("/v1/me").status_code == 401
            finally:
                back = {"oldpassword": f"{PASSWORD} anew", "password1": PASSWORD, "password2": PASSWORD}
                assert browser.post("/accounts/password/change/", data=form_in(browser, **back)).status_code == 302


def events_of(body: str) -> list[str]:
    return re.findall(r"^event: (\w+)$", body, re.MULTILINE)


async def events_until(rest: httpx.AsyncClient, address: str, then: Callable[[], Any]) -> str:
    """What an event stream says to its end; `then` is done once it has begun."""
    body = ""
    async with rest.stream("GET", address) as response:
        assert response.status_code == 200
        async for chunk in response.aiter_text():
            if "snapshot" in chunk and "snapshot" not in body:
                await then()
            body += chunk
    return body


async def test_an_event_stream_ends_with_the_token_that_it_stands_on(each_room: Room) -> None:
    stack, olga = each_room.stack, each_room.olga
    async with stack.rest_soon(olga) as rest:
        made = (await rest.post("/v1/tokens", json={"name": "watching"})).json()

        async def revoke() -> None:
            assert (await rest.delete(f"/v1/tokens/{made['id']}")).status_code == 204

        async with stack.rest_soon(Authorization=f"Bearer {made['token']}") as watching:
            body = await events_until(watching, f"/v1/sessions/{each_room.session}/events", revoke)
    assert events_of(body) == ["snapshot", "error"]
    assert '"code":"unauthenticated"' in body


async def test_an_event_stream_ends_with_the_sign_in_that_it_stands_on(each_room: Room) -> None:
    stack = each_room.stack
    with closing(stack.sign_in(each_room.tariq)) as browser:
        cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())

        async def sign_out() -> None:
            answer = browser.post("/accounts/logout/", data=form_in(browser))
            assert answer.status_code == 302

        async with stack.rest_soon(Cookie=cookie) as watching:
            body = await events_until(watching, f"/v1/sessions/{each_room.session}/events", sign_out)
    assert events_of(body) == ["snapshot", "error"]


def switch(stack: Stack, person: Person, *, on: bool) -> None:
    """As an operator does, in a process of its own."""
    script = (
        "import django; django.setup(); from sessions.models import User;"
        f" user = User.objects.get(pk={person.id!r}); user.is_active = {on}; user.save()"
    )
    environment = clean_environment(DATA_DIR=str(stack.serve.data), DJANGO_SETTINGS_MODULE="hanzolive.settings")
    subprocess.run([sys.executable, "-c", script], env=environment, check=True, timeout=60)


async def test_what_ends_in_one_process_ends_in_all(room: Room, other: Stack) -> None:
    address = f"/v1/sessions/{room.session}/events"
    async with (
        live(other, room.vera) as removed,
        live(other, room.tariq) as switched_off,
        room.stack.rest_soon(room.olga) as olga,
        other.rest_soon(room.tariq) as watching,
    ):
        of_vera = await removed.watch(room.log)
        assert (await olga.delete(f"/v1/sessions/{room.session}/members/{room.vera.id}")).status_code == 204
        await removed.until(
            lambda: of_vera.frames and of_vera.frames[-1]["type"] == "unsubscribed", "the end of the subscription"
        )

        async def switch_off() -> None:
            await asyncio.to_thread(switch, room.stack, room.tariq, on=False)

        try:
            body = await events_until(watching, address, switch_off)
            assert events_of(body)[-1] == "error"
            assert await switched_off.closed() == 4401
            assert (await watching.get("/v1/me")).status_code == 401
        finally:
            switch(room.stack, room.tariq, on=True)
