"""The admin panel's pages of sessions and users: to find, to look at, and to act on by the verbs of `operations`.

Rows are not edited in forms: the log says the same as the database, so what changes a session goes through its verbs.
"""

from sessions.admin import (
    audit,
    groups,
    invitations,
    live_sessions,
    members,
    messages,
    outbox,
    tokens,
    users,
)

__all__ = ["audit", "groups", "invitations", "live_sessions", "members", "messages", "outbox", "tokens", "users"]
