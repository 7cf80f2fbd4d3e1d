"""A provider of OpenID Connect on loopback: discovery, keys, and the code flow with PKCE, over real HTTP.

Like Hanzo IAM it answers addresses that it does not know with 200 and a page. It is as strict as the standard lets it
be, so that what it accepts is right.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import secrets
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

AUDIENCE = "hanzo-live"
CLIENT_ID = "hanzo-live-web"
CLIENT_SECRET = "a secret: of the client"
# In seconds since 1970, and the same whenever tests are collected: 2023 and 2096.
LONG_AGO, FAR_OFF = 1_700_000_000, 4_000_000_000


@dataclass(frozen=True)
class Asked:
    """What somebody was sent to the provider with."""

    redirect_uri: str
    state: str
    nonce: str
    challenge: str


@dataclass(frozen=True)
class Answer:
    status: int
    kind: str
    body: bytes


class Provider:
    """Serves until `stop`. What it publishes and says can be changed meanwhile; `asked` are the addresses asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.pages: dict[str, Any] = {}
        self.pictures: dict[str, bytes] = {}
        self.private: dict[str, Any] = {}
        # Of whoever signs in next; a claim of None is left out.
        self.claims: dict[str, Any] = {}
        self.user_info: dict[str, Any] = {}
        # In place of what /token would answer.
        self.token_answer: Answer | None = None
        self._codes: dict[str, Asked] = {}
        self._tokens: set[str] = set()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        self.pages["/.well-known/openid-configuration"] = {
            "issuer": self.issuer,
            "jwks_uri": f"{self.issuer}/keys",
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        }
        self.pages["/keys"] = {"keys": []}
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    # Keys and JWTs ------------------------------------------------------------------------------------------------

    def add_key(self, kid: str, algorithm: str = "RS256", *, published: bool = True) -> None:
        if algorithm == "RS256":
            self.private[kid] = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            shown = jwt.algorithms.RSAAlgorithm.to_jwk(self.private[kid].public_key(), as_dict=True)
        else:
            self.private[kid] = ec.generate_private_key(ec.SECP256R1())
            shown = jwt.algorithms.ECAlgorithm.to_jwk(self.private[kid].public_key(), as_dict=True)
        if published:
            self.pages["/keys"]["keys"].append({**shown, "kid": kid, "use": "sig", "alg": algorithm})

    def sign(self, kid: str = "one", algorithm: str = "RS256", *, key: Any = None, **claims: Any) -> str:
        """A JWT; a claim of None is left out."""
        told = {
            "iss": self.issuer,
            "aud": [AUDIENCE],
            "sub": "7f3a",
            "owner": "hanzo",
            "name": "Ines",
            "email": "ines@example.com",
            "email_verified": True,
            "exp": int(time.time()) + 600,
            **claims,
        }
        present = {name: value for name, value in told.items() if value is not None}
        return jwt.encode(present, key or self.private[kid], algorithm=algorithm, headers={"kid": kid})

    # The code flow ------------------------------------------------------------------------------------------------

    def authorize(self, query: dict[str, str]) -> Answer:
        """The page on which somebody signs in here, or says no."""
        wanted = {"client_id": CLIENT_ID, "response_type": "code", "code_challenge_method": "S256"}
        wrong = [name for name, value in wanted.items() if query.get(name) != value]
        wrong += [name for name in ("redirect_uri", "state", "nonce", "code_challenge") if not query.get(name)]
        if wrong or "openid" not in query.get("scope", "").split():
            return _page(f"Wrong: {html.escape(str(wrong))}", 400)
        code = secrets.token_urlsafe(16)
        self._codes[code] = Asked(query["redirect_uri"], query["state"], query["nonce"], query["code_challenge"])
        yes = _with(query["redirect_uri"], code=code, state=query["state"])
        no = _with(query["redirect_uri"], error="access_denied", state=query["state"])
        return _page(
            f'<h1>The provider</h1><a id="yes" href="{html.escape(yes)}">Sign in</a> <a id="no" href="{html.escape(no)}">No</a>'
        )

    def token(self, form: dict[str, str], authorization: str | None) -> Answer:
        """The tokens for a code: once, for the client that was meant, who knows the verifier."""
        if self.token_answer is not None:
            return self.token_answer
        if not self._is_client(form, authorization):
            return _json({"error": "invalid_client"}, 401)
        asked = self._codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if (
            asked is None
            or form.get("grant_type") != "authorization_code"
            or form.get("redirect_uri") != asked.redirect_uri
            or challenge != asked.challenge
        ):
            return _json({"error": "invalid_grant"}, 400)
        access_token = secrets.token_urlsafe(16)
        self._tokens.add(access_token)
        id_token = self.sign(**{"aud": CLIENT_ID, "nonce": asked.nonce, **self.claims})
        return _json({"access_token": access_token, "token_type": "Bearer", "id_token": id_token})

    def _is_client(self, form: dict[str, str], authorization: str | None) -> bool:
        ways = self.pages["/.well-known/openid-configuration"]["token_endpoint_auth_methods_supported"]
        if "client_secret_basic" in ways:
            scheme, _, pair = (authorization or "").partition(" ")
            given = base64.b64decode(pair).decode().split(":") if scheme == "Basic" else []
            return [unquote(part) for part in given] == [CLIENT_ID, CLIENT_SECRET]
        if "none" in ways:
            return form.get("client_id") == CLIENT_ID and "client_secret" not in form and authorization is None
        return (form.get("client_id"), form.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)

    def answer(
        self, method: str, path: str, query: dict[str, str], form: dict[str, str], authorization: str | None
    ) -> Answer:
        match method, path:
            case "GET", "/authorize":
                return self.authorize(query)
            case "POST", "/token":
                return self.token(form, authorization)
            case "GET", "/userinfo":
                if (authorization or "").removeprefix("Bearer ") not in self._tokens:
                    return _json({"error": "invalid_token"}, 401)
                return _json({"sub": self.claims.get("sub", "7f3a"), **self.user_info})
            case "GET", picture if picture in self.pictures:
                return Answer(200, "image/png", self.pictures[picture])
            case _:
                found = self.pages.get(path)
                return _page("Hanzo IAM") if found is None else _json(found)


def _handler(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.respond({})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            self.respond(_single(body))

        def respond(self, form: dict[str, str]) -> None:
            parts = urlsplit(self.path)
            provider.asked.append(parts.path)
            answer = provider.answer(
                self.command, parts.path, _single(parts.query), form, self.headers.get("Authorization")
            )
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.kind)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, format: str, *args: Any) -> None:
            return None

    return Handler


def _single(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}


def _with(address: str, **query: str) -> str:
    return f"{address}?{urlencode(query)}"


def _page(text: str, status: int = 200) -> Answer:
    return Answer(status, "text/html", f"<!doctype html><title>Provider</title>{text}".encode())


def _json(found: Any, status: int = 200) -> Answer:
    return Answer(status, "application/json; charset=utf-8", json.dumps(found).encode())
