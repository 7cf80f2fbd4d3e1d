"""Hanzo Live in Python: the wire protocol (`hanzo_live.protocol`) that server and clients share."""

__version__ = "0.1.0"
