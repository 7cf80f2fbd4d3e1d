"""Run as a program: one server with the application under test. Prints host and port when it listens."""

import json
import sys
from typing import Any

from tests.servers.app import App


def main(server: str, way: str, options: dict[str, Any]) -> None:
    app = App(plain=way == "plain")

    def ready(host: str, port: int) -> None:
        sys.stdout.write(f"{host} {port}\n")
        sys.stdout.flush()

    if server == "daphne":
        from streaming.servers.daphne import serve_daphne

        serve_daphne(app, "127.0.0.1", 0, ready_callback=ready, drain=app.drain, **options)
    else:
        from streaming.servers.uvicorn import serve_uvicorn

        serve_uvicorn(app, "127.0.0.1", 0, ready_callback=ready, drain=app.drain, **options)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]))
