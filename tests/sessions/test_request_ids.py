"""One id from the caller to the log lines and back."""

from __future__ import annotations

import pytest
import structlog
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from hanzolive.request_ids import RequestIdMiddleware

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/accounts/login/", "/v1/me", "/nothing"])
def test_an_id_that_is_given_comes_back_and_else_one_is_made(path: str) -> None:
    assert Client().get(path, headers={"X-Request-Id": "order-7.a_B"}).headers["X-Request-Id"] == "order-7.a_B"
    made = {Client().get(path).headers["X-Request-Id"] for _ in range(2)}
    assert len(made) == 2
    assert all(len(id) == 16 for id in made)


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a\tstream=b", "é", "<script>"])
def test_what_could_be_more_than_an_id_is_not_taken(given: str) -> None:
    assert Client().get("/v1/me", HTTP_X_REQUEST_ID=given).headers["X-Request-Id"] != given


def test_it_is_in_the_context_of_log_lines_meanwhile() -> None:
    seen = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(structlog.contextvars.get_contextvars())
        return HttpResponse()

    RequestIdMiddleware(view)(RequestFactory().get("/", HTTP_X_REQUEST_ID="abc"))
    assert seen == [{"request": "abc"}]
    assert structlog.contextvars.get_contextvars() == {}
