"""A real Prometheus scrapes a real server at work, and is asked what the dashboard asks."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from hanzolive.cli.child import tethered
from tests.deploy.test_monitoring import queries, series_of
from tests.integration.client import live
from tests.integration.conftest import make_room
from tests.integration.stack import Stack, eventually

pytestmark = pytest.mark.timeout(180)

# Nothing of these happens in this test: a rate of what did not happen is 0, but 0 through 0 is no number.
WITHOUT_FIGURES = {"hanzo_live_people_online"}


@pytest.fixture(scope="module")
def prometheus(pair: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of one that scrapes the server twice a second."""
    place: Path = tmp_path_factory.mktemp("prometheus")
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    (place / "prometheus.yml").write_text(
        "global: {scrape_interval: 500ms}\n"
        "scrape_configs:\n"
        f"  - {{job_name: hanzo-live, static_configs: [{{targets: ['{urlsplit(pair.url).netloc}']}}]}}\n"
    )
    command = [
        "prometheus", f"--config.file={place}/prometheus.yml", f"--storage.tsdb.path={place}/data",
        f"--web.listen-address={address}", "--log.level=error",
    ]  # fmt: skip
    process = subprocess.Popen(tethered(command), stdout=subprocess.DEVNULL)
    yield f"http://{address}"
    process.terminate()
    process.wait(20)


async def ask(url: str, query: str) -> list[Any]:
    async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
        answer = await client.get(f"{url}/api/v1/query", params={"query": query})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["data"]["result"])


async def test_every_panel_of_the_dashboard_has_its_figures(pair: Stack, prometheus: str, prompt: str) -> None:
    room = make_room(pair)

    async def scraped() -> bool:
        try:
            return bool(await ask(prometheus, "up == 1"))
        except (httpx.HTTPError, AssertionError):
            return False  # it is starting

    await eventually(scraped, "Prometheus has scraped the server", 60)
    async with live(pair, room.olga) as olga, live(pair, room.vera) as vera:
        watched = await olga.watch(room.log)
        await vera.watch(room.log)
        for number in range(3):
            stream = await olga.prompt(room.session, f"{prompt} {number}", "script-slow@rate=40,tokens=40")
            await olga.end_of(watched, stream)
        asked = queries()
        lacking = set(asked)

        async def all_there() -> bool:
            for query in list(lacking):
                # The page's own step is a minute; here two scrapes are half a second apart.
                found = await ask(prometheus, query.replace("$__rate_interval", "30s"))
                if any(sample["value"][1] != "NaN" for sample in found):
                    lacking.discard(query)
            return not any(series_of(query) - WITHOUT_FIGURES for query in lacking)

        with suppress(AssertionError):
            await eventually(all_there, "figures for every panel", 30)
        assert not {query for query in lacking if series_of(query) - WITHOUT_FIGURES}
        # Each code has its series before it ever happened.
        codes = {each["metric"]["code"] for each in await ask(prometheus, "hanzo_live_errors_total")}
        assert {"node_unavailable", "internal", "rate_limited"} <= codes
        assert {each["metric"]["kind"] for each in await ask(prometheus, "hanzo_live_cache_hits_total")} == {
            "exact", "semantic",
        }  # fmt: skip
        (tokens,) = await ask(prometheus, "sum(hanzo_live_tokens_total)")
        assert float(tokens["value"][1]) >= 120
        (sockets,) = await ask(prometheus, "sum(hanzo_live_sockets)")
        assert float(sockets["value"][1]) >= 2
