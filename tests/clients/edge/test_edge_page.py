"""`docs/edge.md` is true: its Worker runs in workerd before a real server, and the clients work through it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.clients.edge.conftest import AtTheEdge
from tests.clients.edge.edge import SHIPPED, edge
from tests.clients.javascript.project import JS, project
from tests.clients.javascript.snippets import snippets

pytestmark = pytest.mark.timeout(180)

PAGE = Path(__file__).parents[3] / "docs" / "edge.md"
SCRIPTS = Path(__file__).parents[1] / "javascript" / "scripts"
SNIPPETS = snippets(PAGE)
WORKER = SNIPPETS["Edge Deployment (Cloudflare Workers)"].text + SNIPPETS["The class of the objects"].text


@pytest.fixture(scope="module")
def origin(stack: AtTheEdge, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The seed's Worker, to the letter."""
    with edge(tmp_path_factory.mktemp("page"), WORKER, stack.url) as origin:
        yield origin


def test_the_client_reads_answers_through_it(origin: str, stack: AtTheEdge, tmp_path: Path) -> None:
    said = project(tmp_path).run(SCRIPTS / "answers.mjs", URL=origin, OLGA=stack.people["Olga"].token)
    assert said == stack.node.said("What is light?")


def test_people_share_a_session_through_it(origin: str, stack: AtTheEdge, tmp_path: Path) -> None:
    """REST goes to the server itself."""
    script = (SCRIPTS / "session.mjs").read_text().replace("LiveClient({ url,", "LiveClient({ url: process.env.EDGE,")
    (tmp_path / "at-the-edge.mjs").write_text(script)
    people = {name.upper(): stack.people[name].token for name in ("Olga", "Tariq")}
    project(tmp_path).run(tmp_path / "at-the-edge.mjs", URL=stack.url, EDGE=origin, **people)


def test_what_is_no_socket_is_the_workers(origin: str) -> None:
    assert httpx.get(origin, trust_env=False).text == "Hanzo Live Edge"


def test_an_inference_node_alone_is_refused_in_one_sentence(stack: AtTheEdge, tmp_path: Path) -> None:
    with edge(tmp_path, WORKER, stack.node.url) as lost:
        upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
        key = {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
        refused = httpx.get(f"{lost}/v1/live", headers=upgrade | key, trust_env=False)
    assert (refused.status_code, refused.json()["code"]) == (502, "node_error")
    assert refused.json()["message"].endswith("set nodeUrl to the origin of one, not of an inference node.")


def test_the_files_that_ship_are_the_pages(tmp_path: Path) -> None:
    toml = re.search(r"^```toml\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert toml
    assert toml[1] == (SHIPPED / "wrangler.toml").read_text()
    body = SNIPPETS["Edge Deployment (Cloudflare Workers)"].text.split("export default", 1)[1]
    assert (SHIPPED / "worker.ts").read_text().endswith(body)


def test_tsc_takes_the_worker_that_ships(tmp_path: Path) -> None:
    place = project(tmp_path).folder
    (place / "node_modules" / "@hanzo" / "live-edge").symlink_to(JS / "live-edge")
    (place / "worker.ts").write_text((SHIPPED / "worker.ts").read_text())
    options = [
        "--strict",
        "--noEmit",
        "--module",
        "esnext",
        "--moduleResolution",
        "bundler",
        "--lib",
        "es2022,dom,dom.iterable,dom.asynciterable",
    ]
    done = subprocess.run(
        [str(JS / "node_modules" / ".bin" / "tsc"), *options, "worker.ts"],
        cwd=place, capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")
