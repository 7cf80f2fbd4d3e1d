"""`python -m offset_page PORT`: served by the same daphne, in the same way."""

from __future__ import annotations

import gc
import sys

from hanzolive.threads import hand_over_quickly


def main() -> None:
    hand_over_quickly()
    from django.core.asgi import get_asgi_application

    application = get_asgi_application()
    from streaming.servers.daphne import serve_daphne

    gc.freeze()
    serve_daphne(application, "127.0.0.1", int(sys.argv[1]))


if __name__ == "__main__":
    main()
