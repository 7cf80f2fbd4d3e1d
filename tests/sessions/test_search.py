"""Finding what was said: the words that count, who finds what, in which order, at what cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client

from hanzo_live.protocol.errors import LiveError
from sessions import search_schema
from sessions.membership import add_member, remove_member
from sessions.models import LiveSession, Message, MessageStatus, Role, User
from sessions.search import Found, search
from sessions.services import create_session, delete_session, finish_reply, post_message, update_session
from sessions.snippets import snippet_of
from tests.rest import assert_is_error, call


def texts(user: User, query: str, **options: Any) -> list[str]:
    """The snippets of all that is found, the first page of 50."""
    return [found.snippet.text for found in search(user, query, 50, **options).results]


def marked(found: Found) -> list[str]:
    return [found.snippet.text[start:end] for start, end in found.snippet.marks]


@pytest.fixture
def birds(owner: User) -> LiveSession:
    session = create_session(owner, title="Migrating birds")
    for line in (
        "Where do cranes winter?",
        "A crane-fly is no bird",
        "Storks winter in Africa; cranes in Spain",
        "שלום לעגורים",
        "Птицы летят на юг",
        "naïve café",
    ):
        post_message(session.pk, owner, line)
    return session


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("winter", 2),
        ("WINTER", 2),
        ("wint", 2),
        ("inter", 0),
        ("winter storks", 1),
        ("storks cranes winter africa", 1),
        ("winter penguins", 0),
        ('"cranes winter"', 1),
        ('"winter cranes"', 0),
        ('"cranes in" stork', 1),
        ("crane-fly", 1),
        ("לעגורים", 1),
        ("юг летят", 1),
        ("Птицы юг", 1),
        ("café", 1),
        ("cafe", 0),
        ("birds", 1),
        # What the databases have a meaning for is nothing but words here.
        ("winter OR penguins", 0),
        ("winter -storks", 1),
        ("winter*", 2),
        ("winter & ! | <-> ( ) : 'x", 0),
        ('NEAR("cranes" winter)', 0),
        ("title:winter", 0),
        ('winter "', 2),
        ("winter'; DROP TABLE live_sessions_message; --", 0),
        ("\\ winter", 2),
        ("%", None),
        ("👩‍👩‍👧 ***", None),
        ('""', None),
        ("\u0301", None),
    ],
)
def test_every_word_counts_as_the_beginning_of_one(
    birds: LiveSession, owner: User, query: str, count: int | None
) -> None:
    if count is None:
        with pytest.raises(LiveError) as refusal:
            search(owner, query, 50)
        assert (refusal.value.code, refusal.value.field) == ("bad_request", "q")
    else:
        assert len(texts(owner, query)) == count


def test_it_says_what_was_found_and_where_the_words_are(birds: LiveSession, owner: User) -> None:
    title = search(owner, "birds", 50).results[0]
    assert (title.session, title.message, marked(title)) == (birds, None, ["birds"])
    message = search(owner, "storks wint", 50).results[0]
    assert message.message is not None
    assert (message.message.n, marked(message)) == (3, ["Storks", "wint"])


def test_a_title_comes_before_what_only_mentions_it(birds: LiveSession, owner: User) -> None:
    post_message(birds.pk, owner, "something long about birds and many other things that are of no interest here")
    assert texts(owner, "birds")[0] == "Migrating birds"


def test_nobody_finds_what_they_may_not_read(birds: LiveSession, owner: User, viewer: User, outsider: User) -> None:
    assert texts(outsider, "winter") == texts(viewer, "birds") == []
    add_member(birds, owner, viewer, Role.VIEWER)
    assert len(texts(viewer, "winter")) == 2
    remove_member(birds, owner, viewer.pk)
    assert texts(viewer, "winter") == []


def test_the_index_follows_every_change(owner: User) -> None:
    session = create_session(owner, title="Herons")
    reply = post_message(session.pk, owner, "A question", reply_stream=uuid4()).reply
    assert reply is not None
    assert texts(owner, "egret") == []
    for content in ("Egret one", "Spoonbill two", ""):
        finish_reply(reply.pk, content=content, parts=[], status=MessageStatus.COMPLETE, finish_reason="stop")
        assert texts(owner, "egret OR spoonbill") == []
        assert texts(owner, "egret") + texts(owner, "spoonbill") == ([content] if content else [])
    update_session(session, owner, title="Ibises")
    assert (texts(owner, "herons"), texts(owner, "ibis")) == ([], ["Ibises"])
    Message.objects.filter(session=session, n=1).delete()
    assert texts(owner, "question") == []
    delete_session(session)
    assert texts(owner, "ibis") == []


def test_archived_sessions_are_found(birds: LiveSession, owner: User) -> None:
    update_session(birds, owner, archived=True)
    assert len(texts(owner, "winter")) == 2


def test_it_looks_into_one_session_alone(birds: LiveSession, owner: User) -> None:
    other = create_session(owner, title="Seasons")
    post_message(other.pk, owner, "winter comes")
    assert texts(owner, "winter", session=other) == ["winter comes"]
    assert len(texts(owner, "winter")) == 3


@pytest.mark.parametrize(
    "content",
    [
        " ".join(f"w{number}" for number in range(30_000)),
        "\U0001f426 \U00020000" * 60_000,
        "x" * 200_000,
        "\u0301" * 1000 + " needle",
    ],
)
def test_any_text_that_may_be_posted_can_be_indexed(owner: User, content: str) -> None:
    session = create_session(owner, title="Big")
    post_message(session.pk, owner, content[:200_000])
    post_message(session.pk, owner, "needle")
    assert "needle" in texts(owner, "needle")
    # What models write has no such limit.
    reply = post_message(session.pk, owner, "more", reply_stream=uuid4()).reply
    assert reply is not None
    assert finish_reply(reply.pk, content=content * 5, parts=[], status=MessageStatus.COMPLETE, finish_reason="stop")


def test_pages_hold_everything_once(birds: LiveSession, owner: User, signed_in: Callable[..., Client]) -> None:
    for number in range(7):
        post_message(birds.pk, owner, f"plover {number}")
    client = signed_in(owner)
    address: Any = "/v1/search?q=plover&limit=3"
    pages = []
    while address:
        page = call(client, "GET", address).json()
        pages.append(page["results"])
        before, address = page["previous"], page["next"]
    assert [len(page) for page in pages] == [3, 3, 1]
    assert len({found["message"]["n"] for page in pages for found in page}) == 7
    assert call(client, "GET", before).json()["results"] == pages[1]
    # Of what matches as well, the newest is first.
    assert [found["message"]["n"] for page in pages for found in page] == list(range(13, 6, -1))


def test_it_is_asked_over_rest(
    live_session: LiveSession, owner: User, viewer: User, signed_in: Callable[..., Client]
) -> None:
    posted = post_message(live_session.pk, owner, "<b>Where</b> do\ncranes winter?").message
    client = signed_in(viewer)
    assert call(client, "GET", "/v1/search?q=cranes").json() == {
        "results": [
            {
                "session": {"id": str(live_session.pk), "slug": "the-plan", "title": "The plan", "archived": False},
                "message": {
                    "id": str(posted.pk),
                    "n": 1,
                    "role": "user",
                    "user": {"id": str(owner.pk), "name": "Olga", "avatar": None},
                    "created_at": posted.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                },
                "snippet": {"text": "<b>Where</b> do cranes winter?", "marks": [[16, 22]]},
            }
        ],
        "next": None,
        "previous": None,
    }
    assert call(client, "GET", "/v1/search?q=plan").json()["results"][0]["message"] is None
    assert len(call(client, "GET", "/v1/search?q=cranes&session=the-plan").json()["results"]) == 1
    assert_is_error(call(client, "GET", "/v1/search?q=cranes&session=nothing"), 404, "not_found")
    for query, field in (
        ("", "q"),
        ("q=", "q"),
        ("q=%00", "q"),
        ("q=***", "q"),
        (f"q={'x' * 201}", "q"),
        ("q=a&limit=101", "limit"),
        ("q=a&cursor=b7", "cursor"),
        ("q=a&cursor=o99999", "cursor"),
        ("q=a&cursor=oX", "cursor"),
    ):
        assert assert_is_error(call(client, "GET", f"/v1/search?{query}"), 400, "bad_request")["field"] == field, query


def test_a_search_costs_the_same_however_much_is_found(
    birds: LiveSession, owner: User, django_assert_num_queries: Any
) -> None:
    for number in range(30):
        other = create_session(owner, title=f"winter {number}")
        post_message(other.pk, owner, "winter here")
    with django_assert_num_queries(3):
        assert len(texts(owner, "winter")) == 50


def test_the_index_is_used(birds: LiveSession, owner: User) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("FTS5 has no other way")
    Message.objects.bulk_create(
        Message(session=birds, n=n, role="user", content=f"filler {n}", user=owner) for n in range(100, 5_100)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE live_sessions_message")
        cursor.execute("SET LOCAL enable_seqscan = off")  # so few rows are read through as quickly
        cursor.execute(
            "EXPLAIN SELECT id FROM live_sessions_message WHERE search @@ to_tsquery('simple', '''storks'':*')"
        )
        assert "live_sessions_message_search" in str(cursor.fetchall())


def test_a_table_that_a_migration_made_anew_is_searched_again(birds: LiveSession, owner: User) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL keeps its indexes itself")
    assert not search_schema.repair(connection)
    with connection.cursor() as cursor:
        for name in search_schema.SQLITE_TRIGGERS:
            cursor.execute(f"DROP TRIGGER {name}")
    post_message(birds.pk, owner, "said meanwhile")
    assert texts(owner, "meanwhile") == []
    assert search_schema.repair(connection)
    assert texts(owner, "meanwhile") == ["said meanwhile"]
    assert len(texts(owner, "winter")) == 2
    post_message(birds.pk, owner, "said afterwards")
    assert texts(owner, "afterwards") == ["said afterwards"]


# Snippets ---------------------------------------------------------------------------------------------------------


def test_a_snippet_is_cut_around_the_first_word() -> None:
    text = "before " * 50 + "Needle " + "after " * 100
    snippet = snippet_of(text, [("need",)])
    assert snippet.text.startswith("…before")
    assert snippet.text.endswith("after…")
    assert len(snippet.text) <= 202
    assert [snippet.text[start:end] for start, end in snippet.marks] == ["Need"]


def test_a_snippet_of_what_only_the_index_sees_is_the_beginning() -> None:
    assert snippet_of("one two", [("three",)]).text == "one two"
    assert snippet_of("one two", [("three",)]).marks == ()


def test_marks_are_at_beginnings_of_words_and_apart() -> None:
    snippet = snippet_of("a_cat concat cat-cats “cat” CAT", [("cat",), ("cats",)])
    assert [snippet.text[start:end] for start, end in snippet.marks] == ["cat", "cat", "cats", "cat", "CAT"]


def test_a_phrase_is_marked_as_one() -> None:
    snippet = snippet_of("the old\nwoman, the old sea", [("old", "woman")])
    assert [snippet.text[start:end] for start, end in snippet.marks] == ["old woman"]


def test_marks_count_characters_not_their_pieces() -> None:
    snippet = snippet_of("👩‍👩‍👧 \U00020000 needle", [("needle",)])
    start, end = snippet.marks[0]
    assert snippet.text[start:end] == "needle"


def test_a_megabyte_of_one_word_is_cut() -> None:
    assert len(snippet_of("x" * 1_000_000, [("x",)]).text) == 201
