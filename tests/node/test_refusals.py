"""What nodes say when they refuse, in words for a person."""

from __future__ import annotations

import re

import pytest

from hanzo_live.protocol.errors import ErrorCode
from streaming.node.refusals import MAX_QUOTE, AccountRefused, Refusal, error_of


def test_a_nodes_words_are_one_short_line_without_keys() -> None:
    stack = "Traceback\n\tfile \x1b[31mx\x00\n" + "word " * 1000
    error = error_of(Refusal({"error": {"message": f"Bad key sk-abcdefgh12345678. {stack}"}}, 500))
    assert "sk-abc" not in error.message
    assert error.message.isprintable()
    assert len(error.message) < MAX_QUOTE + 100


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("Thu, 01 Jan 1970 00:01:40 GMT", 90.0), ("Thu, 01 Jan 1970 00:00:01 GMT", 0.0), ("soon", None)],
)
def test_retry_after_is_read_as_seconds_or_a_date(header: str, seconds: float | None) -> None:
    error = error_of(Refusal({"error": "slow down"}, 429), {"retry-after": header}, now=lambda: 10.0)
    assert (error.code, error.retry_after) == (ErrorCode.RATE_LIMITED, seconds)


def test_a_link_that_is_not_hanzos_is_not_passed_on() -> None:
    body = {"error": {"code": "insufficient_balance", "upgrade_url": "https://hanzo.ai.evil.example/pay"}}
    assert "evil" not in error_of(Refusal(body, 402)).message
    body["error"]["upgrade_url"] = "https://console.hanzo.ai/billing"
    assert "https://console.hanzo.ai/billing" in error_of(Refusal(body, 402)).message


@pytest.mark.parametrize(
    ("code", "of_one_model"),
    [
        ("plan_allowance_used", False),
        ("paid_plan_required", True),
        ("model_cap", True),
        ("insufficient_balance", False),
        ("free_plan_cap", False),
        ("usage_cap_exceeded", False),
        ("something_new", False),
    ],
)
@pytest.mark.parametrize("status", [402, 429])
def test_a_plans_refusal_says_what_to_do_and_leaves_the_node_alone_only_where_it_is_the_accounts(
    code: str, of_one_model: bool, status: int
) -> None:
    error = error_of(Refusal({"error": {"code": code, "message": "no"}}, status))
    if code == "something_new" and status == 429:
        assert "wait and try again" in error.message
        return
    assert ("Hanzo cloud refused" in error.message) == (code != "something_new")
    assert isinstance(error, AccountRefused) != of_one_model
    assert re.search(r"\. (Try again later|Choose another model|Ask the operator)", error.message)
    assert not error.retryable


@pytest.mark.parametrize("resets_at", ["tomorrow", -1, 1e300, None, {}, "0000", True, float("nan")])
def test_a_moment_that_is_none_is_left_out(resets_at: object) -> None:
    error = error_of(Refusal({"error": {"code": "usage_cap_exceeded", "resets_at": resets_at}}, 429))
    assert error.code == ErrorCode.RATE_LIMITED
    assert "opens again" not in error.message


@pytest.mark.parametrize(
    "body", [None, [], {}, {"error": {}}, {"error": []}, {"error": {"message": {"a": 1}}}, 7, "<p>"]
)
@pytest.mark.parametrize("status", [0, 302, 400, 404, 418, 500, 503, 999])
def test_any_body_with_any_status_is_some_error(body: object, status: int) -> None:
    assert error_of(Refusal(body, status)).message
