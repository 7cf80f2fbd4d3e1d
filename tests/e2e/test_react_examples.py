"""The examples of the React packages, built and opened as their readers would, against a real server."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.cli.processes import serving
from tests.e2e.built_page import built
from tests.e2e.stack import ScriptedNode

# What the names in the examples mean here.
MODELS = {"qwen-2-7b": "script-thoughts", "gpt-4": "script-tools", "llama-3-70b": "script-slow@rate=50,tokens=40"}


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the built page of examples."""
    place = tmp_path_factory.mktemp("examples")
    node = ScriptedNode()
    nodes = json.dumps([{"name": "script", "url": node.url, "models": MODELS}])
    try:
        with serving(place / "data", place / "output", NODES=nodes) as serve:
            server = serve.url.replace("http", "ws", 1)
            with built("examples", place / "page", HANZO_LIVE_URL=server) as url:
                yield url
    finally:
        node.stop()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def ask(page: Page, examples: str, name: str) -> None:
    page.goto(f"{examples}/?show={name}")
    page.get_by_role("button", name="Ask").click()


def test_a_conversation(examples: str, page: Page) -> None:
    page.goto(f"{examples}/?show=ChatApp")
    page.get_by_label("Message").fill("Rivers and lakes")
    page.get_by_label("Message").press("Enter")
    expect(page.get_by_text("user: Rivers and lakes")).to_be_visible()
    expect(page.get_by_text("assistant: Rivers and lakes")).to_be_visible()
    expect(page.get_by_text("AI is typing...")).to_have_count(0)


def test_a_completion(examples: str, page: Page) -> None:
    ask(page, examples, "StreamingChat")
    expect(page.locator(".content")).to_have_text("Tell me about rivers")
    expect(page.locator(".metrics")).to_have_count(0)


def test_thoughts(examples: str, page: Page) -> None:
    ask(page, examples, "ThoughtfulChat")
    expect(page.locator(".thought").first).to_contain_text("Step 1:")
    expect(page.locator(".answer")).to_contain_text("Answer:")
    expect(page.locator(".loader")).to_have_count(0)


def test_a_tool_of_the_page(examples: str, page: Page) -> None:
    ask(page, examples, "ToolAwareChat")
    expect(page.locator(".tool-name")).to_have_text("search_web")
    expect(page.locator(".tool-args")).to_have_text('{"query":"rivers"}')
    expect(page.locator(".tool-result")).to_have_text("Found: rivers")
    expect(page.get_by_role("img", name="Done")).to_be_visible()
    expect(page.locator(".answer")).to_contain_text("Found: rivers")


def test_progress(examples: str, page: Page) -> None:
    ask(page, examples, "ProgressiveChat")
    expect(page.get_by_role("progressbar")).to_have_attribute("value", "100")
    expect(page.locator(".stats")).to_contain_text("40 / 40 tokens")


def test_components(examples: str, page: Page) -> None:
    page.goto(f"{examples}/?show=App")
    page.get_by_label("Message").fill("Rivers and lakes")
    page.get_by_label("Message").press("Enter")
    expect(page.get_by_role("article", name="Answer")).to_have_text("Rivers and lakes")
    expect(page.locator(".hl-streaming-text")).to_have_text("Rivers and lakes")
