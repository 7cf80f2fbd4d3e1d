"""Titles that nobody typed."""

from __future__ import annotations

import pytest

from hanzo_live.protocol.errors import LiveError
from sessions.models import LiveSession, OutboxRow, User
from sessions.services import create_session, post_message, update_session
from sessions.text import MAX_TITLE
from sessions.titles import UNTITLED, title_from, title_of_copy


@pytest.mark.parametrize(
    ("prompt", "title"),
    [
        ("What is the capital of France?", "What is the capital of France?"),
        ("\n\n  ## Plan for **June**\nmore", "Plan for **June**"),
        ("```\nprint(1)\n```", "print(1)"),
        ("one\ttwo   three", "one two three"),
        ("word " * 30, "word word word word word word word word word word word word…"),
        ("x" * 100, "x" * 59 + "…"),
        ("שלום עולם", "שלום עולם"),
        ("\u202eevil\u202c text", "evil text"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("👩‍👩‍👧 family", "👩‍👩‍👧 family"),
        ("***\n---\n", UNTITLED),
        ("\u200b\u2066", UNTITLED),
    ],
)
def test_a_title_is_the_first_line_with_words(prompt: str, title: str) -> None:
    assert title_from(prompt) == title


def test_a_cut_leaves_no_half_of_a_character() -> None:
    family = "👩‍👩‍👧"
    for before in range(48, 60):
        cut = title_from("x" * before + family * 4)
        assert cut.endswith("…")
        assert cut.strip("x…") in ("", *(family * times for times in (1, 2)))
    accented = title_from("x" * 58 + "e\u0301" * 10)
    assert accented == "x" * 58 + "…"


def test_a_megabyte_makes_a_title_as_well() -> None:
    assert title_from("a" * 1_000_000) == "a" * 59 + "…"


def test_a_copy_says_that_it_is_one() -> None:
    assert title_of_copy("Plans") == "Plans (copy)"
    assert len(title_of_copy("x" * MAX_TITLE)) == MAX_TITLE


def title_events(session: LiveSession) -> list[str]:
    return [row.body["session"]["title"] for row in OutboxRow.objects.filter(log=session.log, type="session")]


def test_the_first_prompt_names_the_session_for_everybody(owner: User) -> None:
    session = create_session(owner)
    post_message(session.pk, owner, "***")
    post_message(session.pk, owner, "Where do cranes winter?")
    post_message(session.pk, owner, "And storks?")
    session.refresh_from_db()
    assert session.title == "Where do cranes winter?"
    assert title_events(session) == ["Where do cranes winter?"]


def test_a_title_that_somebody_chose_stays(owner: User) -> None:
    session = create_session(owner, title="Birds")
    post_message(session.pk, owner, "Where do cranes winter?")
    session.refresh_from_db()
    assert session.title == "Birds"
    assert title_events(session) == []


def test_a_session_whose_title_was_taken_away_is_named_by_the_next_prompt(owner: User) -> None:
    session = create_session(owner, title="Birds")
    update_session(session, owner, title=" ")
    post_message(session.pk, owner, "Where do cranes winter?")
    assert title_events(session) == [UNTITLED, "Where do cranes winter?"]


def test_a_prompt_that_is_refused_names_nothing(owner: User) -> None:
    session = create_session(owner)
    with pytest.raises(LiveError):
        post_message(session.pk, owner, "a\0b")
    session.refresh_from_db()
    assert session.title == UNTITLED
