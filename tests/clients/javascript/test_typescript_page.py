"""`docs/typescript.md` is true: each block runs against a real server as it stands, and says what it should."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.clients.javascript.project import JS, project
from tests.clients.javascript.snippets import Snippet, at, scripts, snippets, stripped
from tests.integration.stack import Stack
from tests.streaming.tools.mcp_house import Served, time_server

pytestmark = pytest.mark.timeout(180)

PAGE = Path(__file__).parents[3] / "docs" / "typescript.md"
SNIPPETS = snippets(PAGE)

LISTENING = """
const client = new HanzoLiveClient({ url: 'ws://localhost:3001', model: 'script-fast' })
"""
ASK_TWICE = """
await client.chat({ content: 'Hello' }).text()
await client.chat({ content: 'Hello', model: 'script-error-midway' }).text().catch(() => undefined)
"""
UNTIL_COMPLETE = "await new Promise((resolve) => eventSource.addEventListener('complete', resolve))"

# What `tsc --strict` refuses in the snippets as they stand, and how docs/seed-coverage.md says to write it.
REFUSED = {
    "Streaming with Error Recovery": ["TS18046"],  # `error` is unknown there
}


@pytest.fixture(scope="module")
def mcp() -> Iterator[Served]:
    served = Served(time_server, "http")
    yield served
    served.stop()


@pytest.fixture(scope="module")
def stack(start: Callable[..., Stack], mcp: Served) -> Stack:
    return start(people=("Olga",), MCP_ALLOW=mcp.origin)


@pytest.fixture
def run(tmp_path: Path, stack: Stack, mcp: Served) -> Callable[..., list[str]]:
    """Runs a snippet; gives what each of its parts printed."""
    here = project(tmp_path)

    def running(name: str, *, before: str = "", after: str = "", **environment: str) -> list[str]:
        said = []
        for number, script in enumerate(scripts(SNIPPETS[name], before=before, after=after)):
            placed = at(script, stack.url).replace("http://localhost:8081", mcp.origin)
            file = tmp_path / f"part-{number}.mjs"
            file.write_text(stripped(placed))
            said.append(here.run(file, OLGA=stack.people["Olga"].token, **environment))
        return said

    return running


Run = Callable[..., list[str]]


def test_an_answer(run: Run, stack: Stack) -> None:
    assert run("Streaming with TypeScript SDK") == [stack.node.said("Explain quantum computing")]


def test_aborted(run: Run, stack: Stack) -> None:
    slow = "const asked = HanzoLiveClient.prototype.chat\nHanzoLiveClient.prototype.chat = function (request) { return asked.call(this, { ...request, model: 'script-slow' }) }\n"
    (said,) = run("aborted", before=slow)
    text, _, end = said.rpartition("Long enough.")
    assert end == "\n"
    assert stack.node.said("Write a novel").startswith(text)


def test_many_at_once(run: Run, stack: Stack) -> None:
    (said,) = run("Multiplexed Streams")
    assert sorted(said.splitlines()) == [f"Stream {n}: {stack.node.said(f'Query {n}')}" for n in (1, 2, 3)]


def test_error_recovery(run: Run, stack: Stack) -> None:
    assert run("Streaming with Error Recovery") == [stack.node.said("Hello")]


def test_reading_on(run: Run, stack: Stack) -> None:
    assert run("read on") == [stack.node.said("What is a tide?")]


def test_disconnections(run: Run) -> None:
    connected = "await client.connect()\nconsole.log(client.connectionState.status)"
    here = (
        ";(globalThis as Record<string, unknown>).location = { origin: 'ws://localhost:3001'.replace('ws', 'http') }\n"
    )
    assert run("2. Handle Disconnections Gracefully", before=here, after=connected) == ["live\n", "live\n"]


def test_buffer_sizes(run: Run, stack: Stack) -> None:
    here = (
        ";(globalThis as Record<string, unknown>).location = { origin: 'ws://localhost:3001'.replace('ws', 'http') }\n"
    )
    after = "process.stdout.write(await client.chat({ content: 'Buffered', model: 'script-fast' }).text())"
    assert run("3. Use Appropriate Buffer Sizes", before=here, after=after) == [stack.node.said("Buffered")]


def test_caching(run: Run, stack: Stack) -> None:
    (said,) = run("Streaming with Caching")
    text = "".join(said.split("\n"))
    once = stack.node.said("What is 2+2?").replace("\n", "")
    assert text == once * 2
    # The second came from the cache: the node was asked once.
    assert len(stack.node.requests("What is 2+2?")) == 1


def test_local_nodes(run: Run, stack: Stack) -> None:
    after = "process.stdout.write(await stream.text())"
    assert run("With Hanzo Node (Local Streaming)", after=after) == [stack.node.said("Sensitive data query")]


def test_tools(run: Run) -> None:
    before = "const make = HanzoLiveClient.prototype.stream as any\nHanzoLiveClient.prototype.stream = function (this: any, request: any) { return make.call(this, { ...request, model: 'script-tools@tool=get_current_time' }) } as any\n"
    (said,) = run("With Hanzo MCP (Tool Streaming)", before=before)
    assert "Tool: get_current_time" in said
    assert "Result: " in said
    assert "".join(re.findall(r"^Token: (.*)$", said, re.MULTILINE)).startswith("The tool said: ")


def test_server_sent_events(run: Run, stack: Stack) -> None:
    (said,) = run("Server-Sent Events Alternative", after=UNTIL_COMPLETE)
    tokens = re.findall(r"^Token: (.*)$", said, re.MULTILINE)
    assert "".join(tokens) == stack.node.said("Hello")
    assert said.endswith("Stream complete\n")


def test_sessions(run: Run, stack: Stack) -> None:
    with stack.rest(stack.people["Olga"]) as rest:
        session = rest.post("/v1/sessions", json={}).json()["id"]
    (said,) = run("sessions", SESSION=session)
    assert said.startswith("1 members\n")
    assert stack.node.said("What do we know?") in said
    assert said.endswith("Invited: true\n")


def test_analytics(run: Run) -> None:
    (said,) = run("Custom Analytics", before=LISTENING, after=ASK_TWICE)
    started, complete, *_, failed = said.splitlines()
    assert started == 'Stream Started {"model":"script-fast","userId":null}'
    assert re.fullmatch(r'Stream Complete \{"duration":\d+,"tokens":256,"tokensPerSecond":[\d.]+\}', complete)
    assert re.match(r'Stream Error \{"error":\{.*"code":"\w+".*\},"model":"script-error-midway"\}', failed)


def test_cleaning_up(run: Run) -> None:
    assert run("5. Clean Up Resources") == [""]


def test_figures(run: Run, stack: Stack) -> None:
    after = "process.stdout.write(await client.chat({ content: 'Counted', model: 'script-fast' }).text())"
    assert run("Real-Time Metrics", after=after) == [stack.node.said("Counted")]


def test_each_block_of_the_page_is_run() -> None:
    tests = Path(__file__).read_text()
    assert [name for name in SNIPPETS if f'run("{name}"' not in tests] == []


def test_the_compiler_refuses_what_is_listed_and_nothing_else(tmp_path: Path) -> None:
    here = project(tmp_path)
    (tmp_path / "node_modules" / "@types").symlink_to(JS / "node_modules" / "@types")
    (tmp_path / "node_modules" / "undici-types").symlink_to(JS / "node_modules" / "undici-types")
    names = {}
    for name, snippet in SNIPPETS.items():
        before = LISTENING if name == "Custom Analytics" else ""
        for script in scripts(Snippet(name, snippet.text), before=before):
            file = f"snippet-{len(names)}.mts"
            names[file] = name
            (tmp_path / file).write_text(script)
    flags = ["--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext", "--target", "es2022", "--types", "node"]
    tsc = [JS / "node_modules" / ".bin" / "tsc", *flags, "--lib", "es2023,dom,dom.iterable", *names]
    done = subprocess.run(tsc, cwd=here.folder, capture_output=True, text=True, timeout=100, check=False)
    refused: dict[str, list[str]] = {}
    for file, code in re.findall(r"^(\S+?)\(\d+,\d+\): error (TS\d+)", done.stdout, re.MULTILINE):
        refused.setdefault(names[file], []).append(code)
    assert refused == REFUSED, done.stdout
