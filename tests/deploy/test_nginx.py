"""The project's nginx configuration in a real nginx, before two web processes."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import socket
import ssl
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from hanzolive.folder import redis_url
from tests.cli.processes import Serve, hanzo_live, scripted_node, serving
from tests.deploy.nginx import Nginx, nginx
from tests.integration.client import Live, Watched, live
from tests.integration.stack import PASSWORD, Person, Stack, stack

pytestmark = pytest.mark.timeout(150)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("nginx")


@pytest.fixture(scope="module")
def behind(place: Path) -> Iterator[tuple[Stack, Serve]]:
    """Two web processes that know their proxy."""
    options = {"TRUSTED_PROXIES": "127.0.0.1", "HTTPS_ONLY": "true", "ALLOWED_HOSTS": "localhost"}
    for folder in ("first", "second", "proxy"):
        (place / folder).mkdir()
    with scripted_node() as node_url, stack(place / "first", node_url, people=("Olga",), **options) as first:
        shared = {
            "REDIS_URL": redis_url(first.serve.data),
            "DATABASE_URL": f"sqlite:///{first.serve.data}/db.sqlite3",
            "SECRET_KEY": (first.serve.data / "secret-key").read_text(),
        }
        with serving(
            place / "second" / "data", place / "second" / "output",
            "--node-url", node_url, "--workers", "0", **shared, **options,
        ) as second:  # fmt: skip
            yield first, second


@pytest.fixture(scope="module")
def static(place: Path) -> Path:
    written = hanzo_live("static", str(place / "static"))
    assert written.returncode == 0, written.stderr
    return place / "static"


@pytest.fixture(scope="module")
def proxy(place: Path, behind: tuple[Stack, Serve], static: Path) -> Iterator[Nginx]:
    ports = [int(url.rpartition(":")[2]) for url in (behind[0].url, behind[1].url)]
    with nginx(place / "proxy", ports, static) as running:
        yield running


@pytest.fixture
def olga(behind: tuple[Stack, Serve]) -> Person:
    return behind[0].people["Olga"]


def rest(proxy: Nginx, person: Person | None = None, **options: Any) -> httpx.Client:
    headers = person.headers if person else {}
    return httpx.Client(base_url=proxy.url, headers=headers, verify=proxy.tls, trust_env=False, timeout=30, **options)


async def watching(proxy: Nginx, client: Live, session: str) -> Watched:
    return await client.watch(f"session:{session}")


def a_session(proxy: Nginx, person: Person) -> str:
    with rest(proxy, person) as client:
        return str(client.post("/v1/sessions", json={"title": "Behind nginx"}).json()["id"])


def socket_options(proxy: Nginx) -> dict[str, Any]:
    return {"url": proxy.url.replace("http", "ws", 1) + "/v1/live", "ssl": proxy.tls}


def test_plain_http_only_says_where_to_go(proxy: Nginx) -> None:
    answer = httpx.get(f"http://localhost:{proxy.plain}/s/plan?x=1", trust_env=False)
    assert (answer.status_code, answer.headers["location"]) == (308, "https://localhost/s/plan?x=1")


def test_old_tls_is_refused(proxy: Nginx) -> None:
    old = ssl.create_default_context(cafile=str(proxy.certificate))
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError), socket.create_connection(("localhost", proxy.port)) as raw:
        old.wrap_socket(raw, server_hostname="localhost")


def test_http_2_is_spoken(proxy: Nginx) -> None:
    offered = ssl.create_default_context(cafile=str(proxy.certificate))
    offered.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection(("localhost", proxy.port)) as raw,
        offered.wrap_socket(raw, server_hostname="localhost") as wrapped,
    ):
        assert wrapped.selected_alpn_protocol() == "h2"


def test_pages_have_the_security_headers_once_and_cookies_go_by_https_only(proxy: Nginx) -> None:
    with rest(proxy) as client:
        page = client.get("/accounts/signup/")
    assert page.status_code == 200
    for header in (
        "content-security-policy",
        "strict-transport-security",
        "x-content-type-options",
        "x-frame-options",
        "referrer-policy",
    ):
        assert len(page.headers.get_list(header)) == 1, header
    assert "max-age=31536000" in page.headers["strict-transport-security"]
    assert "server" not in page.headers or re.fullmatch("nginx", page.headers["server"])
    cookies = page.headers.get_list("set-cookie")
    assert cookies
    assert all("; Secure" in cookie and "; SameSite=" in cookie for cookie in cookies)


def test_somebody_signs_in_over_it(proxy: Nginx, behind: tuple[Stack, Serve]) -> None:
    with rest(proxy, follow_redirects=False) as browser:
        browser.headers["Origin"] = proxy.url
        browser.get("/accounts/signup/")
        form = {
            "name": "Nadja", "email": "nadja@example.com", "password1": PASSWORD,
            "csrfmiddlewaretoken": browser.cookies["csrftoken"],
        }  # fmt: skip
        signed_up = browser.post("/accounts/signup/", data=form, headers={"Referer": proxy.url})
        assert signed_up.status_code == 302, signed_up.text
        assert browser.get("/v1/me").json()["name"] == "Nadja"


def test_static_files_come_from_nginx_compressed_and_for_long(proxy: Nginx, static: Path) -> None:
    (asset,) = (path for path in (static / "app" / "assets").glob("app-*.js"))
    with rest(proxy) as client:
        answer = client.get(f"/static/app/assets/{asset.name}", headers={"Accept-Encoding": "gzip"})
        plain = client.get("/static/favicon.svg")
        gone = client.get("/static/../../etc/passwd")
    assert answer.content == asset.read_bytes()
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "javascript" in answer.headers["content-type"]
    assert plain.headers["cache-control"] == "public, max-age=3600"
    for served in (answer, plain):
        assert served.headers["x-content-type-options"] == "nosniff"
    assert gone.status_code == 404


def test_figures_stay_inside(proxy: Nginx, olga: Person) -> None:
    with rest(proxy, olga) as client:
        assert client.get("/metrics").status_code == 404
        assert client.get("/health").status_code == 200


def test_what_is_too_large_is_refused_in_words(proxy: Nginx, olga: Person) -> None:
    with rest(proxy, olga) as client:
        refused = client.post("/v1/sessions", content=b"x" * (5 * 1024 * 1024))
    assert (refused.status_code, refused.headers["content-type"]) == (413, "application/json")
    assert refused.json()["code"] == "too_large"


def test_the_servers_hear_the_callers_address_whatever_the_caller_claims(
    proxy: Nginx, behind: tuple[Stack, Serve], olga: Person
) -> None:
    """Told apart by the limit on wrong tokens, which is per address: a caller who names others is one caller all the same."""
    limit = 0
    with rest(proxy) as client:
        for n in range(200):
            headers = {
                "Authorization": f"Bearer wrong-{n}",
                "X-Forwarded-For": f"203.0.113.{n}",
                "Forwarded": f"for=203.0.113.{n}",
            }
            if client.get("/v1/me", headers=headers).status_code == 429:
                limit = n
                break
    assert limit, "as many addresses as were claimed were believed"
    # The real caller is counted, not nginx: who is elsewhere is not held back.
    direct = httpx.get(
        f"{behind[0].url}/v1/me",
        headers={"Authorization": "Bearer wrong", "X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"},
        trust_env=False,
    )
    assert direct.status_code == 401


async def test_tokens_come_over_a_socket_and_over_server_sent_events_one_by_one(
    proxy: Nginx, behind: tuple[Stack, Serve], olga: Person
) -> None:
    session, prompt = a_session(proxy, olga), f"What is {secrets.token_hex(6)}?"
    pieces: list[str] = []
    async with live(behind[0], olga, **socket_options(proxy)) as client:
        watched = await watching(proxy, client, session)
        async with (
            httpx.AsyncClient(base_url=proxy.url, headers=olga.headers, verify=proxy.tls, trust_env=False) as events,
            events.stream("GET", f"/v1/sessions/{session}/events", headers={"Accept": "text/event-stream"}) as answer,
        ):
            stream = await client.prompt(session, prompt, "script-slow@rate=20,tokens=20")
            async for piece in answer.aiter_text():
                pieces.append(piece)
                if "event: complete" in piece:
                    break
        await client.end_of(watched, stream)
    said = behind[0].node.said(prompt)
    assert watched.text(stream) == said
    tokens = [piece for piece in pieces if "event: token" in piece]
    # A buffer would bring them as one.
    assert len(tokens) > 8
    data = [
        json.loads(line.removeprefix("data: "))
        for piece in pieces
        for line in piece.split("\n")
        if line.startswith("data: ")
    ]
    assert "".join(event["data"] for event in data if event["type"] == "token") == said


async def test_it_is_reloaded_without_a_lost_token(proxy: Nginx, behind: tuple[Stack, Serve], olga: Person) -> None:
    session, prompt = a_session(proxy, olga), f"What is {secrets.token_hex(6)}?"
    async with live(behind[0], olga, **socket_options(proxy)) as client:
        watched = await watching(proxy, client, session)
        stream = await client.prompt(session, prompt, "script-slow@rate=40,tokens=120")
        await client.has_words(watched, stream, 10)
        await asyncio.to_thread(proxy.reload)
        async with live(behind[0], olga, **socket_options(proxy)) as later:
            seen = await watching(proxy, later, session)
            await later.end_of(seen, stream)
        await client.end_of(watched, stream)
    said = behind[0].node.said(prompt)
    assert (watched.text(stream), seen.reply(stream)["content"], watched.gaps) == (said, said, 0)


def test_who_dawdles_over_the_head_of_a_request_reaches_no_web_process(proxy: Nginx) -> None:
    """nginx gives up; the web processes hear nothing, for nothing is passed on in parts."""
    with (
        socket.create_connection(("localhost", proxy.port)) as raw,
        proxy.tls.wrap_socket(raw, server_hostname="localhost") as slow,
    ):
        slow.settimeout(30)
        slow.sendall(b"GET /health/slowly HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        assert slow.recv(100) == b""
    assert '"GET /health/slowly HTTP/1.1" 408' in proxy.log


def test_the_log_has_no_credentials(proxy: Nginx, olga: Person) -> None:
    with rest(proxy, olga) as client:
        client.get("/v1/invitations/hzi_abcdefghijklmnopqrstuvwxyz")
        client.get("/setup/abcdefghijklmnop")
        client.get("/v1/models?ticket=hlt_abcdefghijklmnopqrstuvwxyz")
    assert "abcdefghij" not in proxy.log
    assert "/v1/invitations/-" in proxy.log
    assert "/setup/-" in proxy.log
    assert olga.token not in proxy.log


async def test_a_web_process_that_is_restarted_costs_its_viewers_no_token_and_others_nothing(
    proxy: Nginx, behind: tuple[Stack, Serve], olga: Person
) -> None:
    """Last in this file: it ends one of the two, as a rolling restart does."""
    session, prompt = a_session(proxy, olga), f"What is {secrets.token_hex(6)}?"
    logs: list[dict[str, Watched]] = [{} for _ in range(40)]
    async with AsyncExitStack() as sockets:
        viewers = [
            await sockets.enter_async_context(live(behind[0], olga, logs=known, **socket_options(proxy)))
            for known in logs
        ]
        watched = [await watching(proxy, viewer, session) for viewer in viewers]
        stream = await viewers[0].prompt(session, prompt, "script-slow@rate=50,tokens=400")
        await viewers[0].has_words(watched[0], stream, 20)
        await asyncio.to_thread(behind[1].end)
        # Told to come back, each at a moment of its own; then closed.
        moved = [viewer for viewer in viewers if viewer.goaway is not None]
        assert 10 <= len(moved) <= 30, "nginx spreads them evenly"
        assert len({viewer.goaway["reconnect_after_ms"] for viewer in moved if viewer.goaway}) > len(moved) // 2
        await asyncio.gather(*(viewer.closed() for viewer in moved))

        async def follow(known: dict[str, Watched]) -> None:
            async with live(behind[0], olga, logs=known, **socket_options(proxy)) as again:
                (log,) = known
                await again.watch(log, resume=True)
                await again.end_of(known[log], stream)

        await asyncio.gather(
            *(follow(viewer.logs) for viewer in moved),
            *(
                viewer.end_of(seen, stream)
                for viewer, seen in zip(viewers, watched, strict=True)
                if viewer not in moved
            ),
        )
    said = behind[0].node.said(prompt)
    assert {seen.text(stream) for seen in watched} == {said}
    assert sum(seen.gaps for seen in watched) == 0
    assert {len(seen.of_type("complete", "error")) for seen in watched} == {1}
    with rest(proxy, olga) as client:
        assert {client.get("/v1/me").status_code for _ in range(20)} == {200}
