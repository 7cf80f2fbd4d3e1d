"""Every address and method of the server × everybody who may come: what they are answered."""

from __future__ import annotations

from typing import Any

import pytest

from tests.access.conftest import Stage, word_for
from tests.access.table import BELOW, CAST, METHODS, PLACE, Line, line_for, read, served
from tests.rest import assert_is_error

pytestmark = pytest.mark.django_db

REST, PAGES, LIVE = read("rest.txt"), read("pages.txt"), read("live.txt")
LINES = [line for line in [*REST, *PAGES] if BELOW not in line.address]
FAMILIES = [line for line in PAGES if BELOW in line.address]
CODES = {400: "bad_request", 401: "unauthenticated", 403: "forbidden", 404: "not_found", 409: "conflict"}

HOW_TO_ADD = """takes methods that have no line in the access table. Think of what each of the cast should be answered, and
add the lines to tests/access/{file}. This is what they are answered now, when nothing is sent:

{lines}

Where nothing is to be there, answer 405."""


def family_of(address: str) -> Line | None:
    return next((line for line in FAMILIES if address.startswith(line.address.removesuffix(BELOW))), None)


def example_of(address: str, file: str = "pages.txt", method: str = "GET") -> Line:
    """A line for an address that has none, filled in with what may be there."""
    places = {"id": "own", "token": "link", "invitation": "invitation", "user": "user", "ref": "ref"}
    filled = PLACE.sub(lambda place: f"{{{place[1]}:{places.get(place[1], 'nothing')}}}", address)
    return Line(file, 0, method, filled, {}, "")


@pytest.mark.parametrize("address", served())
def test_every_method_of_every_address_is_in_the_table(stage: Stage, address: str) -> None:
    if family_of(address):
        return
    methods = {line.what for line in [*LINES, *LIVE] if line.pattern == address}
    file = "rest.txt" if address.startswith("/v1/") else "pages.txt"
    missing = []
    for method in METHODS:
        if method in methods:
            continue
        line = example_of(address, file, method)
        # Where there is no line there must be nothing: not for those who own what it names, and not for an admin.
        if {word_for(stage.ask(who, line)) for who in ("owner", "admin")} != {"405"}:
            missing.append(line_for(method, line.address, stage.answers(line)))
    if missing:
        pytest.fail(f"{address} {HOW_TO_ADD.format(file=file, lines=chr(10).join(missing))}")


def test_every_line_is_for_an_address_that_is_there() -> None:
    there = set(served())
    assert {line.pattern for line in [*LINES, *LIVE]} - there == set()
    for family in FAMILIES:
        assert any(address.startswith(family.address.removesuffix(BELOW)) for address in there), str(family)


@pytest.mark.parametrize("line", LINES, ids=str)
def test_everybody_is_answered_as_the_table_says(stage: Stage, line: Line) -> None:
    responses = {who: stage.ask(who, line) for who in CAST}
    assert {who: word_for(response) for who, response in responses.items()} == line.answers
    if line.file == "rest.txt":
        for response in responses.values():
            if response.status_code >= 400:
                assert_is_error(response, response.status_code, CODES[response.status_code])


@pytest.mark.parametrize("address", [address for address in served() if family_of(address)])
def test_a_family_is_answered_as_its_line_says(stage: Stage, address: str) -> None:
    """`in` is for admins who are let in, whatever they find there: they may not do everything either."""
    family = family_of(address)
    assert family is not None
    if any(line.pattern == address for line in LINES):
        return
    answers = {}
    for who in CAST:
        word = word_for(stage.ask(who, example_of(address)))
        answers[who] = "in" if who == "admin" and word not in ("login", "401") else word
    assert answers == family.answers


OF_A_SESSION = [line for line in [*REST, *PAGES] if "{ref" in line.address or "{id:stream}" in line.address]


@pytest.mark.parametrize("line", OF_A_SESSION, ids=str)
@pytest.mark.parametrize("who", ["outsider", "admin"])
def test_what_one_may_not_see_looks_as_if_it_were_not_there(stage: Stage, line: Line, who: str) -> None:
    def seen(response: Any) -> Any:
        headers = {name: value for name, value in response.items() if name not in ("Set-Cookie", "X-Request-Id")}
        return response.status_code, headers, without_secrets(response)

    there = seen(stage.ask(who, line))
    assert there[0] == 404
    path = line.path(stage.things)
    malformed = () if "?" in line.address else ("%00", "%ED%A0%80", "x" * 300)
    for nothing in ("no-such-session", stage.things["nothing"], *malformed):
        elsewhere = path.replace("the-plan", nothing).replace(stage.things["stream"], nothing)
        assert elsewhere != path
        assert seen(stage.ask(who, line, elsewhere)) == there


def without_secrets(response: Any) -> Any:
    """The body, without the token that every page has anew."""
    if response["Content-Type"] == "application/json":
        return response.json()
    text = response.content.decode()
    token = response.wsgi_request.META.get("CSRF_COOKIE")
    assert token is None or token not in text
    return text


@pytest.mark.parametrize("line", REST, ids=str)
def test_a_wrong_token_is_never_taken_for_nobody_or_for_the_cookie(stage: Stage, line: Line) -> None:
    for headers in ({"Authorization": "Bearer wrong"}, {"Authorization": "Bearer "}, {"x-api-key": "wrong"}):
        response = stage.ask("owner", line, headers=headers)
        assert_is_error(response, 401, "unauthenticated")
        assert response["WWW-Authenticate"].startswith("Bearer")
