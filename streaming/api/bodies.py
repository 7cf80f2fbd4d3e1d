"""Checking bodies by the contract's own models, and the shapes that the OpenAPI document shows."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import ValidationError
from rest_framework.request import Request

from hanzo_live.protocol import WireModel
from hanzo_live.protocol.errors import ErrorCode, LiveError
from hanzo_live.protocol.parsing import refusal

Model = TypeVar("Model", bound=WireModel)


def body_of(request: Request) -> dict[str, Any]:
    """The body as a JSON object. Raises LiveError `bad_request`."""
    data = request.data
    if not isinstance(data, dict):
        raise LiveError(ErrorCode.BAD_REQUEST, "The body must be one JSON object.")
    return data


def checked(model: type[Model], data: dict[str, Any]) -> Model:
    """`data` as `model` takes it. Raises LiveError `bad_request` that names the field at fault."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise refusal(error, data) from error
