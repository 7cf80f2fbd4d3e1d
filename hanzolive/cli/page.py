"""What `serve` prints: one page at its start, and the addresses on it."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from pathlib import Path

from hanzo_live import __version__

DEMO_HINT = "It is small and often wrong. Use a node of yours with --node-url http://localhost:11434 (Ollama's, say)."


def address(host: str, port: int) -> str:
    """The URL of a server that listens on `host`: where it listens everywhere, its address on this machine."""
    if host in ("", "0.0.0.0"):
        host = "127.0.0.1"
    elif host == "::":
        host = "::1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def listens_everywhere(host: str) -> bool:
    try:
        return host == "" or ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def own_names() -> list[str]:
    """The names and addresses by which others may reach this machine, as far as it knows them."""
    name = socket.gethostname()
    names = ["localhost", "127.0.0.1", "[::1]", name, socket.getfqdn()]
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(name, None)}
    except OSError:
        found = set()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing: it asks the kernel which address it would use
            found.add(probe.getsockname()[0])
        except OSError:
            pass
    return list(dict.fromkeys(names + sorted(f"[{one}]" if ":" in one else one for one in found if "%" not in one)))


def start_page(
    *, url: str, model: str, node_url: str, data: Path, logs: Path | None, setup_token: str | None, names: Sequence[str]
) -> str:
    """The page. `node_url` is empty for the demo model, `names` unless it listens on every address."""
    rows = [
        ("Open", url),
        ("First admin", f"{url}/setup/{setup_token}  (works once)" if setup_token else ""),
        ("Model", f"{model} at {node_url}" if node_url else model),
        ("", "" if node_url else DEMO_HINT),
        ("Data", f"{data}{'  (logs in logs/)' if logs else ''}"),
        ("Answers to", f"{', '.join(names)}  (ALLOWED_HOSTS names others)" if names else ""),
        ("Stop", "Ctrl-C"),
    ]
    lines = [f"  {name:<13}{text}" for name, text in rows if text]
    return "\n".join(["", f"Hanzo Live {__version__}", "", *lines, ""])
