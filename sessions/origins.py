"""Which web pages may drive this server: ours, those the operator allows, and on loopback those of this machine.

Checked whatever the credential: a browser reaches loopback for any web site, and sends cookies along.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from django.conf import settings


def is_allowed_origin(origin: str, host: str) -> bool:
    """Whether pages of `origin` (the Origin header) may call this server, which was addressed as `host`."""
    if origin in settings.ALLOWED_ORIGINS:
        return True
    try:
        parts = urlsplit(origin)
        name = parts.hostname or ""
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or not name:
        return False
    if parts.netloc.lower() == host.lower():
        return True
    return settings.ON_LOOPBACK and is_loopback_name(name)


def is_loopback_name(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
