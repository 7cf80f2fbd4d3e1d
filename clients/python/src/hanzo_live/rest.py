"""The few calls over REST that the socket has no command for."""

from __future__ import annotations

import inspect

import httpx

from hanzo_live.addresses import is_loopback
from hanzo_live.errors import HanzoLiveError, disconnected
from hanzo_live.options import Settings
from hanzo_live.protocol.base import JsonObject

TIMEOUT_S = 30.0


async def bearer(settings: Settings) -> dict[str, str]:
    """The header that says who one is; none without a token."""
    token = settings.get_token() if settings.get_token else settings.token
    if inspect.isawaitable(token):
        token = await token
    return {"Authorization": f"Bearer {token}"} if token else {}


def http_client(base: str) -> httpx.AsyncClient:
    # No proxy leads to this machine.
    return httpx.AsyncClient(base_url=base, timeout=TIMEOUT_S, trust_env=not is_loopback(base))


def error_of(response: httpx.Response) -> HanzoLiveError:
    """What a response that is no success says. Its body must have been read."""
    try:
        body = response.json()
    except ValueError:
        body = None
    if isinstance(body, dict) and isinstance(body.get("code"), str):
        return HanzoLiveError.from_wire(body)
    return disconnected(f"There is no Hanzo Live at {response.url}: it answers {response.status_code}.")


def unreachable(error: httpx.HTTPError, base: str) -> HanzoLiveError:
    """What it says that a request could not be made."""
    if isinstance(error, httpx.TimeoutException):
        return disconnected(f"{base} does not answer. Check the address and the network.")
    return disconnected(f"{base} cannot be reached. Start the server, or check the address and the network.")


class Rest:
    """One server's REST."""

    def __init__(self, base: str, settings: Settings) -> None:
        self._base = base
        self._settings = settings

    async def post(self, path: str, body: JsonObject) -> JsonObject:
        """The answer's body. Raises HanzoLiveError."""
        try:
            async with http_client(self._base) as http:
                response = await http.post(path, json=body, headers=await bearer(self._settings))
        except httpx.HTTPError as error:
            raise unreachable(error, self._base) from error
        if response.is_error:
            raise error_of(response)
        answer: JsonObject = response.json()
        return answer
