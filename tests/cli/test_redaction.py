"""Log lines name what they are about, and no credential."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest
import structlog
from django.test import Client

from hanzolive.redaction import hide_secrets

TOKEN = "Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmE"
JWT = f"eyJhbGciOiJSUzI1NiJ9.{TOKEN}.{TOKEN}"


@pytest.mark.parametrize(
    ("said", "written"),
    [
        (f"Forbidden (CSRF token missing.): /invitations/{TOKEN}", "Forbidden (CSRF token missing.): /invitations/…"),
        (f"Not Found: /v1/invitations/hzi_{TOKEN}/accept", "Not Found: /v1/invitations/…/accept"),
        (f"<WebRequest method=GET uri=/setup/{TOKEN} clientproto=HTTP/1.1>", "<WebRequest method=GET uri=/setup/… clientproto=HTTP/1.1>"),
        (f"Gone: /accounts/login/?next=%2Finvitations%2Fhzi_{TOKEN}", "Gone: /accounts/login/?next=%2Finvitations%2Fhzi_…"),
        ("Not Found: /accounts/confirm-email/MQ:1vTq2Z:x-Y_z/", "Not Found: /accounts/confirm-email/…/"),
        ("Not Found: /accounts/password/reset/key/6f-cp1abc-9f/", "Not Found: /accounts/password/reset/key/…/"),
        ("GET /accounts/oidc/hanzo/login/callback/?code=4/0Ab-c&state=xyz", "GET /accounts/oidc/hanzo/login/callback/?code=…&state=…"),
        (f"KeyError: 'hl_{TOKEN}'", "KeyError: 'hl_…'"),
        (f"a ticket hlt_{TOKEN}.", "a ticket hlt_…."),
        (f"{{'authorization': 'Bearer {JWT}'}}", "{'authorization': 'Bearer …'}"),
        (f"the JWT {JWT} is too old", "the JWT eyJ… is too old"),
        ("Error 111 connecting to redis://user:pa:ss@host:6379/0.", "Error 111 connecting to redis://user:…@host:6379/0."),
        ("Not Found: /s/the-plan?code_of=conduct", "Not Found: /s/the-plan?code_of=conduct"),
        ("See https://host:8443/a@b for more: state=ok", "See https://host:8443/a@b for more: state=ok"),
    ],
)  # fmt: skip
def test_what_is_secret_is_left_out(said: str, written: str) -> None:
    assert hide_secrets(said) == written


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What our handler writes."""
    (handler,) = [each for each in logging.getLogger().handlers if is_ours(each)]
    assert isinstance(handler, logging.StreamHandler)
    written = io.StringIO()
    before = handler.setStream(written)
    yield written
    handler.setStream(before)


def is_ours(handler: logging.Handler) -> bool:
    return isinstance(handler.formatter, structlog.stdlib.ProcessorFormatter)


def test_it_holds_for_every_logger_and_for_tracebacks(lines: io.StringIO) -> None:
    structlog.get_logger("ours").warning("It failed.", path=f"/invitations/{TOKEN}")
    try:
        raise LookupError(f"no such link: /setup/{TOKEN}")
    except LookupError:
        logging.getLogger("somebody.elses").exception("Broken: %s", f"hzi_{TOKEN}")
    text = lines.getvalue()
    assert TOKEN not in text
    assert "path=/invitations/…" in text
    assert "Broken: hzi_…" in text
    assert "LookupError: no such link: /setup/…" in text
    assert "test_redaction.py" in text


def test_a_refused_form_and_a_wrong_link_are_logged_without_the_link(db: None, lines: io.StringIO) -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.post(f"/invitations/{TOKEN}", {"answer": "accept"}).status_code == 403
    assert client.get(f"/v1/invitations/{TOKEN}").status_code == 404
    assert client.get(f"/setup/{TOKEN}").status_code == 404
    text = lines.getvalue()
    assert TOKEN not in text
    for line in (
        "Forbidden (CSRF cookie not set.): /invitations/…",
        "Not Found: /v1/invitations/…",
        "Not Found: /setup/…",
    ):
        assert line in text


def test_json_is_one_object_a_line_with_its_traceback_and_without_secrets() -> None:
    script = f"""
import logging, structlog
from hanzolive.logging import configure_logging
configure_logging(debug=False, as_json=True)
with structlog.contextvars.bound_contextvars(stream="s-1", request="r-1"):
    logging.getLogger("streaming").warning("A token hl_%s and a\\nnew line", "{TOKEN}")
try:
    raise ValueError("Bearer {TOKEN}")
except ValueError:
    logging.getLogger("streaming").exception("It failed.")
"""
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stderr
    first, second = [json.loads(line) for line in said.splitlines()]
    assert (first["event"], first["level"], first["logger"]) == ("A token hl_… and a\nnew line", "warning", "streaming")
    assert (first["stream"], first["request"]) == ("s-1", "r-1")
    assert first["timestamp"].endswith("Z")
    assert second["exception"].endswith("ValueError: Bearer …")
    assert TOKEN not in said
