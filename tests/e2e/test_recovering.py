"""A node that fails in mid-answer, as people see it: said while it lasts, and then the whole answer."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e.person import Person, single_spaced
from tests.e2e.stack import Stack


def test_all_are_told_that_it_recovers_and_then_have_the_whole_answer(olga: Person, vera: Person, stack: Stack) -> None:
    prompt = "Fail twice, then answer"
    # After its second failure the node is left alone for two seconds and a half.
    session = olga.make_session("Recovering", "script-error-midway@fails=2,tokens=60,rate=40", viewer=vera)
    for person in (olga, vera):
        person.go(session)
    olga.ask(prompt)
    for person in (olga, vera):
        expect(person.live_facts).to_contain_text("Recovering")
    olga.photograph("recovering")
    for person in (olga, vera):
        person.sees_end()
        assert person.answer_text() == single_spaced(stack.answer_to(prompt))
        expect(person.answer.get_by_role("alert")).to_have_count(0)
    assert len(stack.node.asked(prompt)) == 3
