"""Every REST refusal as the one documented error object, whatever raised it."""

from __future__ import annotations

import logging
import math
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest, JsonResponse
from redis.exceptions import RedisError
from rest_framework import exceptions
from rest_framework.views import set_rollback

from hanzo_live.protocol.errors import ErrorCode, LiveError
from sessions.access import sign_in_needed
from sessions.outages import DATABASE_AWAY, database_away

logger = logging.getLogger(__name__)

# Where no code has this HTTP status, the nearest code is sent under it.
METHOD_NOT_ALLOWED = 405
UNSUPPORTED_MEDIA_TYPE = 415
AWAY = 503


def handle_exception(exception: Exception, context: dict[str, Any]) -> JsonResponse | None:
    """DRF's EXCEPTION_HANDLER. None for what is our fault: it is logged, and answered by `server_error`."""
    error, status = as_live_error(exception)
    if error is None:
        return None
    set_rollback()
    # Not through DRF's renderers: an address may speak something else where all goes well.
    return error_response(error, status)


def headers_of(error: LiveError) -> dict[str, str]:
    """The headers that belong to an error's answer."""
    headers: dict[str, str] = {}
    if error.retry_after is not None:
        headers["Retry-After"] = str(math.ceil(error.retry_after))
    if error.code == ErrorCode.UNAUTHENTICATED:
        headers["WWW-Authenticate"] = 'Bearer realm="Hanzo Live"'
    return headers


def error_response(error: LiveError, status: int | None = None) -> JsonResponse:
    """The error as an answer outside of DRF's views."""
    return JsonResponse(error.wire(), status=status or error.http_status, headers=headers_of(error))


def server_error(request: HttpRequest) -> JsonResponse:
    return error_response(LiveError(ErrorCode.INTERNAL, "Something went wrong on our side; it was logged. Try again."))


def as_live_error(exception: Exception) -> tuple[LiveError | None, int]:
    """The error that a caller is told of, and its HTTP status; no error for what nobody foresaw."""
    match exception:
        case LiveError():
            return exception, exception.http_status
        case exceptions.ValidationError():
            field, words = first_fault(exception.detail)
            message = f"`{field}`: {words}" if field else words
            return LiveError(ErrorCode.BAD_REQUEST, message, field=field), 400
        case exceptions.ParseError():
            return LiveError(ErrorCode.BAD_REQUEST, "The body is not valid JSON. Send one JSON object."), 400
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            return sign_in_needed(), 401
        case exceptions.PermissionDenied() | PermissionDenied():
            return LiveError(ErrorCode.FORBIDDEN, "You may not do this."), 403
        case exceptions.NotFound() | Http404():
            return address_not_found(), 404
        case exceptions.MethodNotAllowed():
            message = "This address does not take that method. See /v1/docs."
            return LiveError(ErrorCode.BAD_REQUEST, message), METHOD_NOT_ALLOWED
        case exceptions.UnsupportedMediaType():
            message = "Send the body as JSON, with `Content-Type: application/json`."
            return LiveError(ErrorCode.BAD_REQUEST, message), UNSUPPORTED_MEDIA_TYPE
        case exceptions.Throttled():
            return too_many_requests(getattr(exception, "wait", None)), 429
        case RequestDataTooBig():
            return LiveError(ErrorCode.TOO_LARGE, "The body is larger than this server takes; send less."), 413
        case RedisError():
            message = "The server cannot reach its Redis just now. Try again in a moment."
            return LiveError(ErrorCode.INTERNAL, message, retry_after=5), AWAY
        case _ if isinstance(exception, DATABASE_AWAY):
            logger.error("The database could not be used.", exc_info=exception)
            return database_away(), AWAY
        case _:
            return None, 500


def address_not_found() -> LiveError:
    return LiveError(ErrorCode.NOT_FOUND, "Nothing is at this address. See /v1/docs.")


def too_many_requests(wait: float | None) -> LiveError:
    seconds = math.ceil(wait or 1)
    return LiveError(ErrorCode.RATE_LIMITED, f"Too many requests. Try again in {seconds} s.", retry_after=seconds)


def first_fault(detail: Any, field: str | None = None) -> tuple[str | None, str]:
    """The first field at fault in DRF's nested detail, and the words about it."""
    if isinstance(detail, dict):
        name, inner = next(iter(detail.items()))
        return first_fault(inner, None if name == "non_field_errors" else str(name))
    if isinstance(detail, list):
        return first_fault(detail[0], field)
    return field, str(detail)
