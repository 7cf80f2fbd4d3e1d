"""What a node says when it refuses or fails, in any dialect, as one `LiveError` in words for a person.

The node's own words are quoted, cut to one line: they are untrusted and may be a page of HTML or a stack.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import orjson

from hanzo_live.protocol.errors import ErrorCode, LiveError

MAX_QUOTE = 300

_CONTEXT = re.compile(
    r"context[_ ](length|window|size|overflow)|maximum context|max_model_len|maximum model length"
    r"|prompt (is )?too long|too many (input )?tokens|exceeds? .{0,40}context|longer than the model"
    r"|input (is )?too long|exceed_context_size|max(imum)? (input|sequence) (length|tokens)",
    re.IGNORECASE,
)
_FILTER = re.compile(r"content[_ ](filter|policy|management)|ResponsibleAI|moderation_blocked", re.IGNORECASE)
_LOADING = re.compile(r"loading model|model is (still )?loading|not (yet )?ready|starting up", re.IGNORECASE)
_USAGE_FIELD = re.compile(r"stream_options|include_usage", re.IGNORECASE)
_NO_STREAM = re.compile(r"stream(ing)?['\"]? (is |was )?(not|un)[ _]?(supported|available|allowed)", re.IGNORECASE)
_SECRET = re.compile(r"\b(sk|hk|Bearer)[-_ ][A-Za-z0-9._-]{8,}")

# Hanzo cloud's own codes, in words; and what to do where it says nothing itself.
_PLAN = {
    "plan_allowance_used": (
        "the plan's allowance is used up",
        "Try again later, or ask the operator for a larger plan.",
    ),
    "paid_plan_required": (
        "this model needs a paid plan",
        "Choose another model, or ask the operator for a paid plan.",
    ),
    "model_cap": ("the plan's limit for this model is reached", "Choose another model, or try again later."),
    "insufficient_balance": ("the account's balance is too low", "Ask the operator to top it up."),
    "free_plan_cap": ("the free plan's limit is reached", "Try again later, or ask the operator for a paid plan."),
    "usage_cap_exceeded": (
        "the usage limit set for this account is reached",
        "Try again later, or ask the operator to raise it.",
    ),
}


# Those that are of one model: the account may ask for others.
_OF_ONE_MODEL = ("paid_plan_required", "model_cap")


class AccountRefused(LiveError):
    """The node refuses our key or account, whoever asks and whatever for."""


class Refusal:
    """One error body, read with tolerance: what it says, whatever it is wrapped in."""

    __slots__ = ("code", "detail", "message", "status", "type")

    def __init__(self, body: object, status: int = 0) -> None:
        error = body.get("error", body) if isinstance(body, dict) else body
        if isinstance(error, str) and isinstance(body, dict) and "error" in body:
            more = body.get("message")
            error = {**body, "message": f"{error}: {more}" if isinstance(more, str) and more else error}
        self.detail: dict[str, Any] = error if isinstance(error, dict) else {}
        said = _first(error, "message", "detail", "msg", "error", "reason") if isinstance(error, dict) else error
        self.message = quote(said if isinstance(said, str) else _dump(said))
        code = self.detail.get("code")
        self.code = code if isinstance(code, str) else ""
        kind = self.detail.get("type")
        self.type = kind if isinstance(kind, str) else ""
        self.status = status or _status(code) or _status(self.detail.get("status_code"))

    @classmethod
    def of_response(cls, status: int, content: bytes) -> Refusal:
        try:
            body: object = orjson.loads(content)
        except orjson.JSONDecodeError:
            body = content.decode("utf-8", "replace")
        return cls(body, status)

    def mentions(self, pattern: re.Pattern[str]) -> bool:
        return any(map(pattern.search, (self.message, self.code, self.type, _dump(self.detail)[:2000])))

    @property
    def refuses_usage_field(self) -> bool:
        return self.status in (0, 400, 422, 500) and self.mentions(_USAGE_FIELD)

    @property
    def refuses_streaming(self) -> bool:
        return self.mentions(_NO_STREAM)


def error_of(
    refusal: Refusal, headers: Mapping[str, str] | None = None, now: Callable[[], float] = time.time
) -> LiveError:
    """The error that a person is told for what the node said. `headers` are the response's, for Retry-After."""
    status, said = refusal.status, f" It said: {refusal.message}" if refusal.message else ""
    wait = _retry_after(headers or {}, now)
    plan = _PLAN.get(refusal.code) or _PLAN.get(refusal.type)
    if plan or status == 402:
        return _plan_error(refusal, plan, wait, now)
    if refusal.mentions(_CONTEXT):
        return LiveError(
            ErrorCode.CONTEXT_LENGTH,
            f"The conversation is longer than the model can read: shorten it or choose a larger model.{said}",
        )
    if refusal.mentions(_FILTER):
        return LiveError(ErrorCode.CONTENT_FILTERED, f"The node's content filter refused this: rephrase it.{said}")
    if status == 429:
        return LiveError(
            ErrorCode.RATE_LIMITED, f"The node is asked too often: wait and try again.{said}", retry_after=wait
        )
    if status in (401, 403) or (status == 500 and re.search(r"api.?key|authoriz", refusal.message, re.IGNORECASE)):
        return AccountRefused(
            ErrorCode.NODE_ERROR, f"The node refused our key: check NODE_API_KEY.{said}", retryable=False
        )
    if status == 404:
        return LiveError(
            ErrorCode.NODE_ERROR,
            f"The node has no such model or no OpenAI API there: check the model and NODE_URL.{said}",
            retryable=False,
        )
    if status in (502, 503, 504, 529) or (status >= 500 and refusal.mentions(_LOADING)):
        return LiveError(
            ErrorCode.NODE_UNAVAILABLE, f"The node is not ready: try again shortly.{said}", retry_after=wait
        )
    if 400 <= status < 500 and status not in (408, 409, 425):
        return LiveError(ErrorCode.NODE_ERROR, f"The node refused the request.{said}", retryable=False)
    return LiveError(ErrorCode.NODE_ERROR, f"The node failed: try again.{said}", retry_after=wait)


def quote(text: str) -> str:
    """One line of a node's words, safe to show: no control characters, no keys, not long."""
    line = _SECRET.sub("…", " ".join("".join(c if c.isprintable() else " " for c in text[: 8 * MAX_QUOTE]).split()))
    return line if len(line) <= MAX_QUOTE else line[: MAX_QUOTE - 1] + "…"


def _plan_error(
    refusal: Refusal, plan: tuple[str, str] | None, wait: float | None, now: Callable[[], float]
) -> LiveError:
    resets = _moment(refusal.detail.get("resets_at"))
    if plan is not None:
        what, to_do = plan
        message = refused = f"Hanzo cloud refused: {what}."
    else:
        said = f" It said: {refusal.message.rstrip('.')}." if refusal.message else ""
        message = refused = f"The node refused: its account cannot pay for this.{said}"
        to_do = "Ask the operator to look after the account, or choose a model of another node."
    if resets is not None:
        wait = max(0.0, round(resets - now(), 1))
        message += f" It opens again at {datetime.fromtimestamp(resets, UTC):%Y-%m-%d %H:%M} UTC."
    fallback = refusal.detail.get("fallback")
    if isinstance(fallback, str) and fallback:
        message += f" The model {quote(fallback)} may be used meanwhile."
    upgrade = refusal.detail.get("upgrade_url")
    if isinstance(upgrade, str) and _is_hanzo(upgrade):
        message += f" To lift it: {quote(upgrade)}"
    if message == refused:
        message += f" {to_do}"
    code = ErrorCode.RATE_LIMITED if refusal.status == 429 else ErrorCode.NODE_ERROR
    kind = LiveError if refusal.code in _OF_ONE_MODEL or refusal.type in _OF_ONE_MODEL else AccountRefused
    return kind(code, message, retryable=wait is not None, retry_after=wait)


def _is_hanzo(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    host = parts.hostname or ""
    return (parts.scheme == "https" and host.endswith((".hanzo.ai", ".hanzo.id"))) or host in ("hanzo.ai", "hanzo.id")


def _retry_after(headers: Mapping[str, str], now: Callable[[], float]) -> float | None:
    value = headers.get("retry-after", "")
    if value.isdigit():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now()) if value else None
    except ValueError:
        return None


def _moment(value: object) -> float | None:
    """Seconds since 1970 out of a number (seconds or milliseconds) or an ISO 8601 text."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = value / 1000 if value > 1e11 else float(value)
        return seconds if 0 < seconds < 1e11 else None
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return None
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return None


def _status(code: object) -> int:
    """An HTTP status where `code` is one, as a number or (LiteLLM) as a text of digits."""
    if isinstance(code, str) and code.isdigit():
        code = int(code)
    return code if isinstance(code, int) and 400 <= code < 600 else 0


def _first(error: dict[str, Any], *names: str) -> object:
    return next((error[name] for name in names if error.get(name)), "")


def _dump(value: object) -> str:
    if not value:
        return ""
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # a surrogate or a number out of range that only the standard library's parser lets in
        return repr(value)
