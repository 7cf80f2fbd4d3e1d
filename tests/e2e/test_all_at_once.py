"""Everything at once: an owner, an editor and a viewer at work in one session, and somebody who is not let in."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.e2e.person import Person, path_of
from tests.e2e.session_page import (
    carets,
    faces,
    people,
    pointers,
    points_at,
    press_send_at_once,
    queue_of,
    row,
    typing_line,
)

ENDLESS = "script-slow@rate=40,tokens=100000"
TOGETHER = "Which crane winters furthest south?"


def test_three_people_work_in_one_session_while_an_outsider_stays_out(
    olga: Person, tariq: Person, vera: Person, arrive: Callable[..., Person]
) -> None:
    all_three = (olga, tariq, vera)
    session = olga.make_session("All at once", ENDLESS)
    page = olga.go(session)

    # One is invited by a link, one is added by their address; the link of the third is taken back.
    dialog = people(olga)
    dialog.get_by_text("Invite by a link").click()
    dialog.get_by_role("button", name="Make a link").click()
    link = dialog.get_by_label("Link of the invitation")
    tariq.page.goto(link.input_value())
    tariq.page.get_by_role("button", name="Join the session").click()
    tariq.sees_live()
    expect(row(olga, "Tariq").get_by_role("combobox")).to_have_value("editor")
    dialog.get_by_label("Add by e-mail").fill(vera.email)
    dialog.get_by_label("Role", exact=True).select_option("viewer")
    dialog.get_by_role("button", name="Add", exact=True).click()
    expect(row(olga, "Vera").get_by_role("combobox")).to_have_value("viewer")
    dialog.get_by_label("Whoever has it joins as").select_option("viewer")
    dialog.get_by_role("button", name="Make a link").click()
    expect(row(olga, "By a link")).to_contain_text("Viewer")
    revoked = link.input_value()
    row(olga, "By a link").get_by_role("button", name="Revoke").click()
    expect(row(olga, "By a link")).to_have_count(0)
    page.keyboard.press("Escape")
    vera.page.goto("/")
    vera.page.locator(f"a[href='{path_of(session)}']").click()
    vera.sees_live()

    outsider = arrive("Otto")
    outsider.expect_problem(r"\b4\d\d\b")
    outsider.page.goto(path_of(session))
    expect(outsider.page.get_by_role("heading", name="Nothing is here")).to_be_visible()
    outsider.page.goto(revoked)
    expect(outsider.page.get_by_role("heading", level=1)).to_have_text("This invitation was taken back")

    # They see each other, and two of them write the same message.
    expect(faces(vera)).to_have_accessible_name(re.compile("Here now: (Olga, Tariq|Tariq, Olga) and you"))
    olga.composer.press_sequentially("Which crane winters")
    expect(typing_line(vera)).to_have_text("Olga is typing")
    expect(tariq.composer).to_have_value("Which crane winters")
    tariq.composer.press("End")
    tariq.composer.press_sequentially(" south?")
    for person in all_three:
        expect(person.composer).to_have_value("Which crane winters south?")
    olga.composer.press_sequentially(" furthest")
    for person in all_three:
        expect(person.composer).to_have_value(TOGETHER)
    expect(carets(vera)).to_have_count(2)
    expect(carets(olga)).to_have_text("Tariq")
    expect(vera.composer).not_to_be_editable()
    expect(vera.page.get_by_role("button", name="Send")).to_be_disabled()

    # Both send it, and one answer comes to all.
    press_send_at_once(olga, tariq)
    for person in all_three:
        person.sees_more_than(5)
        expect(person.composer).to_have_value("")
        expect(person.page.locator(".prompt-text")).to_have_text([TOGETHER])
    expect(vera.stop_button).to_have_count(0)
    points_at(tariq, tariq.page.locator(".prompt-text"), 0.5, 0.5)
    for person in (olga, vera):
        expect(pointers(person).filter(has_text="Tariq")).to_have_count(1)

    # What they ask meanwhile waits, until it is taken back or its turn comes.
    tariq.ask("Tariq's, taken back")
    expect(queue_of(olga)).to_have_text([re.compile("Tariq's, taken back")])
    expect(olga.composer).to_have_value("")
    olga.ask("And which one furthest north?")
    for person in all_three:
        expect(queue_of(person)).to_have_text([re.compile("Tariq's, taken back"), re.compile("furthest north")])
    tariq.page.get_by_role("button", name=re.compile("Take back")).click()
    for person in all_three:
        expect(queue_of(person)).to_have_text([re.compile("furthest north")])
    tariq.stop_button.click()
    for person in all_three:
        expect(person.page.get_by_text("Stopped by Tariq")).to_be_visible()
        person.sees_more_than(5)

    # While the second answer is written, a viewer becomes an editor, and the editor is removed.
    row(olga, "Vera").get_by_role("combobox", name="Role of Vera").select_option("Editor")
    expect(vera.composer).to_be_editable()
    row(olga, "Tariq").get_by_role("button", name="Remove Tariq").click()
    olga.page.get_by_role("alertdialog").get_by_role("button", name="Remove").click()
    expect(tariq.page.get_by_role("heading", name="Access ended")).to_be_visible()
    had = tariq.words()
    for person in (olga, vera):
        expect(faces(person)).not_to_have_accessible_name(re.compile("Tariq"))
        expect(pointers(person).filter(has_text="Tariq")).to_have_count(0)
    page.keyboard.press("Escape")
    vera.sees_more_than(vera.words() + 10)
    vera.stop_button.click()
    for person in (olga, vera):
        person.sees_end()
        expect(person.answer).to_contain_text("Stopped by Vera")
    assert tariq.words() == had

    # All of it is history: for who comes back as for who stayed, and for nobody else.
    vera.page.reload()
    vera.sees_live()
    texts = [person.page.locator(".prompt-text, .answer .hl-prose").all_inner_texts() for person in (olga, vera)]
    assert texts[0] == texts[1]
    said = olga.transcript(session)
    assert [each["content"] for each in said if each["role"] == "user"] == [
        TOGETHER,
        "Tariq's, taken back",
        "And which one furthest north?",
    ]
    assert [each["status"] for each in said if each["role"] == "assistant"] == ["stopped", "stopped", "stopped"]
    for person in (tariq, outsider):
        person.expect_problem("404")
        person.page.goto(path_of(session))
        expect(person.page.get_by_role("heading", name="Nothing is here")).to_be_visible()
        person.rest("GET", f"sessions/{session['id']}/messages", status=404)
