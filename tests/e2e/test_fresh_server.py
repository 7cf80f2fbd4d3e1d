"""A server as `make run` starts it: nothing given, nobody there yet, and the real small model behind it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from tests.cli.processes import Serve, serving
from tests.e2e.person import PASSWORD, Person


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    place = tmp_path_factory.mktemp("fresh")
    with serving(place / "data", place / "output") as serve:
        yield serve


def test_its_link_makes_the_first_admin_once(fresh: Serve, arrive: Callable[..., Person]) -> None:
    link = re.search(r"(http\S+/setup/\S+)", fresh.text)
    assert link, fresh.text
    ada = arrive("Ada", new=True, url=fresh.url)
    ada.page.goto(link[1])
    ada.photograph("first-admin")
    ada.page.get_by_label("Name").fill("Ada")
    ada.page.get_by_label("E-mail").fill("ada@example.com")
    ada.page.get_by_label("Password").fill(PASSWORD)
    ada.page.get_by_role("button", name="Make the account").click()
    expect(ada.page.get_by_role("heading", name="Start your first session")).to_be_visible()
    ada.page.goto("/admin/")
    expect(ada.page.get_by_role("heading", name="Dashboard")).to_be_visible()

    late = arrive("Late", new=True, url=fresh.url)
    late.expect_problem("404")
    late.page.goto(link[1])
    expect(late.page.get_by_role("heading", name="This link does not work")).to_be_visible()
    late.photograph("first-admin-again")


@pytest.mark.real_model
def test_the_real_model_answers_a_new_person_and_is_named_as_a_demo(
    fresh: Serve, arrive: Callable[..., Person]
) -> None:
    nora = arrive("Nora", new=True, url=fresh.url)
    nora.sign_up()
    nora.page.get_by_label("Title").fill("Geography")
    nora.page.get_by_role("button", name="Create session").click()
    expect(nora.page.get_by_text("SmolLM2 135M (demo model)").first).to_be_visible()
    nora.sees_live()
    nora.ask("What is the capital of France? Answer in one sentence.")
    nora.sees_end()
    # What so small a model says is not for a test to hold it to; that it speaks is.
    assert nora.words() > 0
    # Eight tokens may take less than the tenth of a second from which on a speed is told: only their number is sure.
    expect(nora.answer).to_contain_text("tokens")
    expect(nora.answer).to_contain_text("SmolLM2 135M (demo model)")
    nora.photograph("real-model")

    shown = nora.answer_text()
    nora.ask("Write a long story about a river.")
    nora.sees_more_than(3)
    nora.page.reload()
    nora.sees_more_than(3)
    nora.stop_button.click()
    nora.sees_end()
    expect(nora.page.get_by_role("article", name="Answer").first).to_contain_text(shown)
