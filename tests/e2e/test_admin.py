"""The admin panel in a browser: what an operator sees there, and what they do while members watch."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.cli.processes import hanzo_live
from tests.e2e.axe import problems
from tests.e2e.person import PASSWORD, Person
from tests.e2e.stack import Stack

ENDLESS = "script-slow@rate=30,tokens=5000"
ADDRESS = "ada@example.com"
DESK: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}


@pytest.fixture(scope="session")
def admin_made(stack: Stack) -> None:
    made = hanzo_live(
        "user", "create", "Ada", "--email", ADDRESS, "--password", PASSWORD, "--admin", "--data-dir", str(stack.serve.data)
    )  # fmt: skip
    assert made.returncode == 0, made.stderr


@pytest.fixture
def come_in(arrive: Callable[..., Person], admin_made: None) -> Callable[..., Page]:
    """Brings Ada into the panel, through the sign-in that everybody uses."""

    def come(theme: str = "dark", size: ViewportSize = DESK) -> Page:
        ada = arrive("Ada", new=True, size=size)
        ada.page.add_init_script(f"localStorage.setItem('adminTheme', '\"{theme}\"')")
        ada.page.goto("/admin/")
        ada.page.get_by_label("E-mail").fill(ADDRESS)
        ada.page.get_by_label("Password").fill(PASSWORD)
        ada.page.get_by_role("button", name="Sign in").click()
        expect(ada.page.get_by_role("heading", name="Dashboard")).to_be_visible()
        return ada.page

    return come


def test_an_operator_sees_a_stream_run_and_stops_it_while_a_member_watches(
    come_in: Callable[..., Page], olga: Person, vera: Person, stack: Stack
) -> None:
    session = olga.make_session("Watched by an operator", ENDLESS, viewer=vera)
    for person in (olga, vera):
        person.go(session)
    olga.ask("Talk until an operator stops you")
    vera.sees_more_than(10)

    page = come_in()
    # By themselves: the page is not loaded again.
    # Streams that earlier tests left running may be among them; those can only end.
    page.wait_for_function("() => Number(document.querySelector('[data-figure=running]').textContent) >= 1")
    page.wait_for_function("() => Number(document.querySelector('[data-figure=speed]').textContent) > 0")
    page.wait_for_function("() => Number(document.querySelector('[data-figure=people]').textContent) >= 2")
    running = int(page.locator("[data-figure=running]").text_content() or "")
    before = page.locator("[data-as-of]").text_content()
    page.wait_for_function("(before) => document.querySelector('[data-as-of]').textContent !== before", arg=before)

    page.get_by_role("link", name="Sessions", exact=True).click()
    page.get_by_role("link", name="Watched by an operator").click()
    page.get_by_role("link", name="Streams", exact=True).last.click()
    page.locator("#result_list tbody a").first.click()
    page.get_by_role("link", name="Stop").click()
    expect(page.get_by_text("Stop this stream?")).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped.")).to_be_visible()
    for person in (olga, vera):
        person.sees_end()
        expect(person.answer).to_contain_text("Stopped by Ada")
    assert stack.node.asked("Talk until an operator stops you", settled=True)[-1]["state"] == "cancelled"

    page.goto("/admin/")
    page.wait_for_function(
        "(running) => Number(document.querySelector('[data-figure=running]').textContent) < running", arg=running
    )
    page.get_by_role("link", name="Audit log").click()
    expect(page.locator("#result_list tbody").first).to_contain_text("Stopped a stream")
    expect(page.locator("#result_list")).to_contain_text("Signed in")


def test_an_operator_reads_a_transcript_and_takes_it_along(come_in: Callable[..., Page], olga: Person) -> None:
    session = olga.make_session("To be read", "script-thoughts")
    olga.go(session)
    olga.ask("<img src=x onerror=alert(1)>")
    olga.sees_end()
    page = come_in()
    page.goto(f"/admin/live_sessions/livesession/{session['id']}/change/")
    page.get_by_role("link", name="Transcript").click()
    expect(page.get_by_text("<img src=x onerror=alert(1)>").first).to_be_visible()
    thought = page.locator("details").first
    expect(thought.locator("div")).to_be_hidden()
    thought.locator("summary").click()
    expect(thought.locator("div")).to_be_visible()
    page.go_back()
    page.get_by_role("link", name="Export").click()
    page.get_by_label("Format").select_option("markdown")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    assert download.value.suggested_filename == f"{session['id']}.md"
    text = download.value.path().read_text("utf-8")
    assert text.startswith("# To be read\n")
    assert "<img src=x onerror=alert(1)>" in text
    page.goto(f"/admin/live_sessions/auditentry/?session={session['id']}")
    for words in ("Read a transcript", "Exported a transcript"):
        expect(page.locator("#result_list")).to_contain_text(words)


def test_rows_are_chosen_and_acted_on_from_a_list(come_in: Callable[..., Page], olga: Person, vera: Person) -> None:
    session = olga.make_session("Chosen on a list", "script-echo", viewer=vera)
    vera.go(session)
    page = come_in()
    page.goto(f"/admin/live_sessions/member/?session__id__exact={session['id']}")
    page.locator("#result_list tr", has_text="Vera").locator("input.action-select").check()
    page.locator("#changelist-actions select").select_option("remove")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_text("Remove this member from the session?")).to_be_visible()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Removed.")).to_be_visible()
    expect(vera.page.get_by_role("heading", name="Access ended")).to_be_visible()


def test_the_filters_are_opened_with_the_keyboard(come_in: Callable[..., Page]) -> None:
    page = come_in()
    page.goto("/admin/live_sessions/livesession/")
    page.get_by_role("button", name="Filters").press("Enter")
    expect(page.get_by_role("button", name="Apply Filters")).to_be_visible()


def test_somebody_who_is_no_operator_is_told_so(vera: Person) -> None:
    vera.expect_problem("403")
    vera.page.goto("/admin/")
    expect(vera.page.get_by_role("heading", name="You may not see this")).to_be_visible()


PAGES = {
    "dashboard": "/admin/",
    "sessions": "/admin/live_sessions/livesession/",
    "session": "/admin/live_sessions/livesession/{session}/change/",
    "transcript": "/admin/live_sessions/livesession/{session}/transcript/",
    "export": "/admin/live_sessions/livesession/{session}/export/",
    "streams": "/admin/streaming/stream/",
    "audit": "/admin/live_sessions/auditentry/",
    "new-user": "/admin/live_sessions/user/add/",
}


@pytest.mark.parametrize(("theme", "size"), [("dark", DESK), ("light", DESK), ("dark", PHONE)])
def test_axe_finds_nothing_serious_and_nothing_scrolls_sideways(
    come_in: Callable[..., Page], olga: Person, theme: str, size: ViewportSize
) -> None:
    session = olga.make_session("A title that is as long as titles are when somebody writes a sentence", "script-echo")
    page = come_in(theme, size)
    found = {}
    for name, path in PAGES.items():
        page.goto(path.format(session=session["id"]))
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        found[name] = problems(page)
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 1, name
    assert found == {name: [] for name in PAGES}
