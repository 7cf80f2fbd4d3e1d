"""The shared draft of a session: a text that everybody edits at once, kept in Redis, owned by no process."""

from presence.draft.drafts import Drafts, Synced, key_of
from presence.draft.store import UNREACHABLE, DraftStore, drop

__all__ = ["UNREACHABLE", "DraftStore", "Drafts", "Synced", "drop", "key_of"]
