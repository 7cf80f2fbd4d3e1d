"""What machines are told: alive, ready, metrics."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.test import AsyncClient, Client
from django.utils import timezone
from pytest_django import Settings

from hanzolive import health
from sessions.authentication import create_token
from sessions.models import User
from streaming.models import Worker
from streaming.node.configured import read_nodes


class Node(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def node(settings: Settings) -> Iterator[None]:
    """A node that answers."""
    health._silent_nodes.cache_clear()
    with HTTPServer(("127.0.0.1", 0), Node) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        settings.NODE_URL = f"http://127.0.0.1:{server.server_port}/v1"
        yield
        server.shutdown()
        thread.join()
    health._silent_nodes.cache_clear()


@pytest.fixture
def no_node(settings: Settings) -> None:
    health._silent_nodes.cache_clear()
    settings.NODE_URL = "http://127.0.0.1:9"


@pytest.mark.parametrize("path", ["/health", "/healthz"])
def test_it_is_alive_under_any_host_name_and_without_a_database(path: str) -> None:
    response = Client().get(path, headers={"host": "10.1.2.3:3001"})
    assert (response.status_code, response.json()) == (200, {"status": "alive"})


@pytest.mark.parametrize("path", ["/ready", "/readyz"])
def test_it_is_ready_when_all_is_there(db: None, node: None, path: str) -> None:
    Worker.objects.create(id="w", seen_at=timezone.now())
    response = Client().get(path, headers={"host": "10.1.2.3:3001"})
    assert response.status_code == 200
    body = response.json()
    assert body["status"] == "ready"
    assert {name: check["ok"] for name, check in body["checks"].items()} == dict.fromkeys(
        ("database", "redis", "node", "worker"), True
    )


def test_without_node_and_worker_it_is_degraded_and_says_what_to_do(db: None, no_node: None) -> None:
    Worker.objects.create(id="w", seen_at=timezone.now() - 2 * health.WORKER_SEEN_WITHIN)
    response = Client().get("/ready")
    assert response.status_code == 200
    body = response.json()
    assert body["status"] == "degraded"
    assert not body["checks"]["node"]["ok"]
    assert "hanzo-live worker" in body["checks"]["worker"]["message"]


def test_it_names_the_nodes_that_are_down(db: None, node: None, settings: Settings) -> None:
    health._silent_nodes.cache_clear()
    settings.NODES = read_nodes(
        [{"name": "near", "url": settings.NODE_URL}, *({"name": name, "url": "http://127.0.0.1:9"} for name in "ab")]
    )
    Worker.objects.create(id="w", seen_at=timezone.now())
    response = Client().get("/ready")
    assert (response.status_code, response.json()["status"]) == (200, "degraded")
    assert response.json()["checks"]["node"] == {
        "ok": False,
        "message": "a, b do not answer; 1 of 3 nodes does. Check NODES and those nodes.",
    }


def test_without_redis_it_gets_no_traffic(db: None, no_node: None, settings: Settings) -> None:
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    health._redis.cache_clear()
    try:
        response = Client().get("/ready")
    finally:
        health._redis.cache_clear()
    assert response.status_code == 503
    assert response.json()["status"] == "unavailable"
    assert "REDIS_URL" in response.json()["checks"]["redis"]["message"]


def test_without_a_database_it_gets_no_traffic(db: None, no_node: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import OperationalError, connection

    def fail() -> None:
        raise OperationalError

    with monkeypatch.context() as patch:
        patch.setattr(connection, "cursor", fail)
        response = Client().get("/ready")
    assert response.status_code == 503
    assert "DATABASE_URL" in response.json()["checks"]["database"]["message"]


def test_while_it_drains_it_gets_no_traffic(db: None, node: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_draining", threading.Event())
    health.start_draining()
    response = Client().get("/ready")
    assert (response.status_code, response.json()["status"]) == (503, "draining")
    assert Client().get("/health").status_code == 200


def test_metrics_are_for_this_machine_and_for_admins(
    owner: User, make_user: Callable[..., User], signed_in: Callable[..., Client]
) -> None:
    admin = make_user("Ada", is_staff=True)
    assert b"django_http_requests" in Client().get("/metrics").content
    away = {"REMOTE_ADDR": "10.1.2.3"}
    assert Client().get("/metrics", **away).status_code == 401
    assert Client().get("/metrics", headers={"X-Forwarded-For": "10.1.2.3"}).status_code == 401
    assert signed_in(owner).get("/metrics", **away).status_code == 401
    assert signed_in(admin).get("/metrics", **away).status_code == 200
    for user, status in ((owner, 401), (admin, 200)):
        raw = create_token(user, "prometheus")[1]
        assert Client().get("/metrics", headers={"Authorization": f"Bearer {raw}"}, **away).status_code == status
    assert Client().get("/metrics", headers={"Authorization": "Bearer wrong"}, **away).status_code == 401


def test_metrics_are_for_who_has_their_token(db: None, settings: Settings) -> None:
    def status(token: str) -> int:
        headers = {"Authorization": f"Bearer {token}"}
        return Client().get("/metrics", headers=headers, REMOTE_ADDR="10.1.2.3").status_code

    assert status("figures") == 401
    settings.METRICS_TOKEN = "figures"
    assert (status("figures"), status("figure"), status("")) == (200, 401, 401)
    assert Client().get("/v1/me", headers={"Authorization": "Bearer figures"}).status_code == 401, (
        "it opens nothing else"
    )


@pytest.mark.django_db(transaction=True)
async def test_they_answer_in_the_asgi_chain_too(no_node: None) -> None:
    client = AsyncClient()
    assert (await client.get("/health")).status_code == 200
    assert (await client.get("/ready")).json()["status"] == "degraded"
    assert (await client.get("/v1/me")).status_code == 401
    assert (await client.get("/v1/me", headers={"origin": "https://evil.example"})).status_code == 403
