"""The models that the nodes offer, in OpenAI's shape."""

from __future__ import annotations

from typing import Any

from asgiref.sync import async_to_sync
from django.core.cache import cache
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sessions.api.permissions import AnonymousWhereAllowed
from streaming.api import shapes
from streaming.configured import node_router

KEPT_S = 10


class ModelList(APIView):
    permission_classes = [AnonymousWhereAllowed]

    @extend_schema(operation_id="models_list", responses=shapes.ModelListShape)
    def get(self, request: Request) -> Response:
        """The models that can be asked; `name` is how to show one."""
        data = cache.get("models")
        if data is None:
            data = async_to_sync(_models)()
            cache.set("models", data, KEPT_S)
        return Response({"object": "list", "data": data})


async def _models() -> list[dict[str, Any]]:
    async with node_router() as router:
        return [
            {
                "id": model.id,
                "object": "model",
                "created": 0,
                "owned_by": model.owned_by or "node",
                "name": model.name,
                "context_length": model.context_length,
            }
            for model in await router.models()
        ]
