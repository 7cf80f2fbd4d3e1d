"""What a whole server keeps in its log files: what went wrong, and no credential."""

from __future__ import annotations

import secrets

import pytest

from tests.cli.processes import until
from tests.integration.conftest import make_room
from tests.integration.stack import Stack

pytestmark = pytest.mark.timeout(150)


def test_no_log_holds_a_link_or_a_token_that_lets_somebody_in(each_server: Stack) -> None:
    room, wrong = make_room(each_server), secrets.token_urlsafe(32)
    with each_server.rest(room.olga) as rest:
        made = rest.post(f"/v1/sessions/{room.session}/invitations", json={"role": "viewer"}).json()
        rest.delete(f"/v1/sessions/{room.session}/invitations/{made['id']}")
    with each_server.browser() as browser:
        # Refused for want of a CSRF token, gone, never there, and a link of each kind.
        assert browser.post(f"/invitations/{made['token']}", data={"answer": "accept"}).status_code == 403
        assert browser.get(f"/invitations/{made['token']}").status_code == 410
        assert browser.get(f"/v1/invitations/{made['token']}").status_code == 409
        for path in ("/invitations/{}", "/v1/invitations/{}", "/setup/{}", "/nothing?token={}"):
            assert browser.get(path.format(wrong)).status_code == 404
        assert browser.get("/v1/me", headers={"Authorization": f"Bearer hl_{wrong}"}).status_code == 401
        browser.get(f"/accounts/confirm-email/{wrong}/")
        browser.get(f"/accounts/password/reset/key/1-{wrong}/")
    logs = each_server.serve.data / "logs"
    until(lambda: "Not Found: /setup/…" in (logs / "web.log").read_text(), "the last refusal is logged")
    text = "".join(path.read_text() for path in logs.iterdir())
    assert "Forbidden (CSRF cookie not set.): /invitations/…" in text
    assert "Gone: /invitations/…" in text
    for secret in (made["token"], made["token"][4:], wrong, room.olga.token):
        assert secret not in text
