"""Telling others what becomes of streams, for statistics and accounts: as Django signals, and as signed webhooks.

`events` says what is told, `announcing` writes it down in the transaction of the change, `delivering` brings it where it
goes, `webhook` is the one request. Not for people who watch: they read the log.
"""

from streaming.notices.events import StreamEvent, stream_complete, stream_error, stream_start

__all__ = ["StreamEvent", "stream_complete", "stream_error", "stream_start"]
