"""The web process of `serve`: the ASGI server of the operator's choice on the socket that the supervisor listens on."""

from __future__ import annotations

import os

from hanzolive.cli.programs import LISTENER_FD


def main() -> None:
    descriptor = int(os.environ[LISTENER_FD])
    from daphne.server import Server

    from hanzolive.asgi import application

    Server(application, endpoints=[f"fd:fileno={descriptor}"], server_name="").run()


if __name__ == "__main__":
    main()
