"""`hanzo-live serve` as its operator meets it: real processes, a scripted node, a private Redis."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import httpx
import pytest

from tests.cli.processes import Serve, hanzo_live, serving, session_members, until

pytestmark = pytest.mark.timeout(150)

WORKER = "worker-1@"
WEB = "hanzolive.cli.web"
REDIS = "redis.sock"
HOUSEKEEPER = "housekeeper@"


@pytest.fixture(scope="module")
def served(node_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    place = tmp_path_factory.mktemp("serve")
    with serving(place / "data", place / "output", "--node-url", node_url) as serve:
        yield serve


def is_healthy(serve: Serve) -> bool:
    try:
        return httpx.get(f"{serve.url}/health", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def test_it_prints_one_page_with_all_one_needs(served: Serve, node_url: str) -> None:
    assert served.text.count("Hanzo Live ") == 1
    assert f"at {node_url}" in served.text
    assert f"{served.url}/setup/" in served.text
    assert str(served.data) in served.text
    assert "Ctrl-C" in served.text
    assert is_healthy(served)


def test_its_setup_link_opens_the_first_admins_page(served: Serve) -> None:
    link = next(word for word in served.text.split() if "/setup/" in word)
    assert httpx.get(link, follow_redirects=True).status_code == 200


def test_an_api_token_made_while_it_runs_is_the_last_line_and_works(served: Serve) -> None:
    made = hanzo_live("user", "create", "Ada Lovelace", "--token", "--data-dir", str(served.data))
    assert made.returncode == 0, made.stderr
    token = made.stdout.splitlines()[-1]
    me = httpx.get(f"{served.url}/v1/me", headers={"Authorization": f"Bearer {token}"})
    assert me.status_code == 200
    assert me.json()["email"] == "ada-lovelace@localhost"


def test_check_finds_nothing_wrong(served: Serve, node_url: str) -> None:
    until(lambda: " alive" in hanzo_live("check", "--data-dir", str(served.data)).stdout, "a worker is alive")
    found = hanzo_live("check", "--data-dir", str(served.data))
    assert found.returncode == 0, found.stdout
    assert "wrong" not in found.stdout
    assert "warning" not in found.stdout
    assert f"{node_url} offers" in found.stdout
    assert f"{served.url} answers" in found.stdout


def test_a_second_one_on_the_same_folder_is_refused(served: Serve) -> None:
    refused = hanzo_live("serve", "--port", "0", "--data-dir", str(served.data))
    assert refused.returncode == 2
    assert refused.stderr.strip() == (
        f"hanzo-live: The data folder {served.data} is served already at {served.url}. "
        "Stop that one, or give this one a folder of its own with --data-dir."
    )


@pytest.mark.parametrize(
    ("words", "name"), [(WEB, "Web"), (WORKER, "Worker 1"), (HOUSEKEEPER, "Housekeeper"), (REDIS, "Redis")]
)
def test_it_restarts_a_child_that_is_killed_and_says_so(served: Serve, words: str, name: str) -> None:
    before = served.child(words)
    assert before is not None
    lines = served.text.count(f"{name} runs again")
    os.kill(before, signal.SIGKILL)
    until(lambda: served.text.count(f"{name} runs again") > lines, f"{name} runs again", 60)
    assert f"{name} was ended by SIGKILL. Restarting now." in served.text
    assert served.child(words) not in (None, before)
    until(lambda: is_healthy(served), "the server answers")


def test_sigterm_leaves_nothing_running_also_with_uvicorn_a_long_folder_name_and_no_housekeeper(
    node_url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = tmp_path_factory.mktemp("long")
    data = place / ("a folder with a long name " * 4).strip()
    with serving(data, place / "output", "--node-url", node_url, "--server", "uvicorn", HOUSEKEEPER="false") as serve:
        assert is_healthy(serve)
        assert {1 for line in serve.processes().values() if WORKER in line}
        assert serve.child(HOUSEKEEPER) is None
        took = serve.end(signal.SIGTERM)
        assert serve.process.returncode == 0
        assert took < 10
        assert serve.processes() == {}
        assert serve.text.splitlines()[-1].endswith("Stopped.")


def test_sigkill_leaves_nothing_running(node_url: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    place = tmp_path_factory.mktemp("killed")
    with serving(place / "data", place / "output", "--node-url", node_url) as serve:
        assert len(serve.processes()) == 5
        serve.end(signal.SIGKILL)
        until(lambda: session_members(serve.process.pid) == {}, "nothing runs any more", 5)
