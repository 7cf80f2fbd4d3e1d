"""A small provider of OpenID Connect on loopback: discovery, keys, and JWTs that it signs. Like Hanzo IAM it answers
addresses that it does not know with 200 and a page."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

AUDIENCE = "hanzo-live"


class Provider:
    """Serves until `stop`. What it publishes can be changed meanwhile; `asked` are the addresses asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.pages: dict[str, Any] = {}
        self.private: dict[str, Any] = {}
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.asked.append(self.path)
                found = provider.pages.get(self.path)
                body = b"<!doctype html>" if found is None else json.dumps(found).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html" if found is None else "application/json; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                return None

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        self.pages["/.well-known/openid-configuration"] = {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys"}
        self.pages["/keys"] = {"keys": []}
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

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
            "exp": int(time.time()) + 600,
            **claims,
        }
        present = {name: value for name, value in told.items() if value is not None}
        return jwt.encode(present, key or self.private[kid], algorithm=algorithm, headers={"kid": kid})
