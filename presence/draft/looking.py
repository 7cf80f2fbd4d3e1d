"""A look at a session's draft, for those who ask once. Whoever edits it syncs (`drafts`)."""

from __future__ import annotations

from presence.draft.document import Document
from presence.draft.store import DraftStore, Place


async def draft_now(store: DraftStore, log: str, floor: int) -> tuple[int, str]:
    """The open generation, which is `floor` at least, and its text. Changes nothing. Raises one of UNREACHABLE."""
    read = await store.read(log, Place(), 0)
    if read.place.generation < floor:
        return floor, ""
    document = Document()
    for update in read.updates:
        document.load(update)
    return read.place.generation, document.text
