"""`docs/routing.md` is true: its configuration serves, and its commands are answered as it says.

Scripted nodes stand for the three engines; where the page names their addresses and models, theirs are put in.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.processes import Serve, clean_environment, hanzo_live, scripted_node, serving, until

pytestmark = pytest.mark.timeout(180)

PAGE = (Path(__file__).parents[2] / "docs" / "routing.md").read_text()
CONFIGURATION = re.search(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = re.search(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
ADDRESSES = {"gpu": "http://gpu.lan:8000", "desk": "http://desk.lan:11434", "hanzo": "https://api.hanzo.ai/v1"}
MODELS = {
    "meta-llama/Meta-Llama-3-8B-Instruct": "script-echo",
    "llama3:8b": "script-fast",
    "llama-3.1-8b": "script-thoughts",
    "qwen-3-235b": "script-slow@rate=0,tokens=8",
}
KEY = "hk-your-key"


@dataclass(frozen=True)
class Served:
    serve: Serve
    place: Path
    nodes: dict[str, ExitStack]

    def run(self, command: str) -> str:
        """What the page's command prints."""
        done = subprocess.run(
            ["bash", "-euc", command],
            env=clean_environment(URL=self.serve.url),
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return done.stdout

    def ready(self) -> Any:
        return httpx.get(f"{self.serve.url}/ready", timeout=20).json()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    place = tmp_path_factory.mktemp("routing")
    assert CONFIGURATION is not None
    configuration = CONFIGURATION[1]
    nodes: dict[str, ExitStack] = {}
    with ExitStack() as running:
        for name, address in ADDRESSES.items():
            nodes[name] = running.enter_context(ExitStack())
            assert f'"url": "{address}"' in configuration
            configuration = configuration.replace(address, nodes[name].enter_context(scripted_node()))
        for theirs, ours in MODELS.items():
            assert f'"{theirs}"' in configuration
            configuration = configuration.replace(f'"{theirs}"', f'"{ours}"')
        (place / "hanzo-live.config.json").write_text(configuration)
        serve = running.enter_context(serving(place / "data", place / "output"))
        yield Served(serve, place, nodes)


def started(events: str) -> tuple[str, str]:
    """Where the answer came from, and its last event's type."""
    told = [json.loads(line.removeprefix("data: ")) for line in events.splitlines() if line.startswith("data: ")]
    return f"{told[0]['node']} {told[0]['model']}", told[-1].get("code") or told[-1]["type"]


def test_the_pages_configuration_and_commands_do_what_it_says(served: Served) -> None:
    assert COMMANDS is not None
    local, cloud, refused, models, ready = re.split(r"\n(?=curl|# )", re.sub(r"^# .*\n", "", COMMANDS[1], flags=re.M))
    assert started(served.run(local)) == ("local script-echo", "complete")
    assert started(served.run(cloud)) == ("cloud script-slow@rate=0,tokens=8", "complete")
    told = served.run(refused)
    assert started(told)[1] == "local_only"
    assert "llama-3-8b" in told
    ids = [model["id"] for model in json.loads(served.run(models))["data"]]
    assert ids[0] == "llama-3-8b"
    assert ids.count("llama-3-8b") == ids.count("large") == 1
    until(lambda: json.loads(served.run(ready))["status"] == "ready", "all is ready")


def test_check_finds_every_node(served: Served) -> None:
    found = hanzo_live("check", "--data-dir", str(served.place / "data"), where=served.place)
    for name in ADDRESSES:
        assert re.search(rf"^ok +Node {name} +http", found.stdout, re.MULTILINE), found.stdout


def test_a_key_is_neither_printed_nor_logged_nor_served(served: Served) -> None:
    assert KEY in (served.place / "hanzo-live.config.json").read_text()
    said = [served.serve.text, *(log.read_text() for log in (served.place / "data" / "logs").iterdir())]
    said += [httpx.get(f"{served.serve.url}{path}", timeout=20).text for path in ("/ready", "/v1/models", "/metrics")]
    assert not any(KEY in text for text in said)


def test_a_node_that_ends_is_named_and_its_streams_go_elsewhere(served: Served) -> None:
    served.nodes["gpu"].close()
    told = until(lambda: (told := served.ready())["status"] == "degraded" and told, "it is noticed")
    assert told["checks"]["node"] == {
        "ok": False,
        "message": "gpu does not answer; 2 of 3 nodes do. Check NODES and that node.",
    }
    ask = {"content": "Hello", "model": "llama-3-8b", "route": {"force_local": True}}

    def where() -> str:
        told = httpx.post(
            f"{served.serve.url}/v1/streams", json=ask, headers={"Accept": "text/event-stream"}, timeout=30
        )
        return " ".join(started(told.text))

    until(lambda: where() == "local script-fast complete", "its streams go to the other local node")
