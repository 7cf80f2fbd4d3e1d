"""One draft's text in memory: takes what fits into it and its bounds. Knows nothing of where it is kept."""

from __future__ import annotations

from pycrdt import Doc, Text, TransactionEvent

from hanzo_live.protocol.errors import ErrorCode, LiveError
from presence.draft.reading import MAX_CLIENTS, ROOT, Contents, Point, State, missing, read_state, read_update, refused

MAX_CHARACTERS = 50_000
# With its history; what a reply carries as base64 (`Base64` of the contract) holds it.
MAX_BYTES = 512 * 1024


class Document:
    """After a refusal that says so (`spoiled`) it must be thrown away: nothing can be taken back out."""

    def __init__(self) -> None:
        # Only the event loop's thread uses it, but any may be the one that collects it.
        self._doc: Doc[Text] = Doc(allow_multithreading=True)
        self._text = self._doc.get(ROOT, type=Text)
        self._changes: list[bytes] = []
        self._watching = self._doc.observe(self._changed)
        self._state: State = {}
        self._pairs: set[Point] = set()
        self._bytes = 0
        self.spoiled = False

    @property
    def text(self) -> str:
        return str(self._text)

    @property
    def state(self) -> bytes:
        return self._doc.get_state()

    def whole(self) -> bytes:
        """All of it as one update."""
        return self._doc.get_update()

    def since(self, state: bytes) -> bytes:
        """What somebody with this state vector lacks. Raises LiveError `bad_request`."""
        if self._pairs.intersection(read_state(state).items()):
            raise refused("it counts half a character.")
        return self._doc.get_update(state)

    def load(self, update: bytes) -> None:
        """Take over what is kept; that was checked when it came."""
        self._changes.clear()
        self._doc.apply_update(update)
        self._bytes += len(update)
        self._pairs |= _pairs_of(update)
        self._state = read_state(self._doc.get_state())

    def apply(self, update: bytes, contents: Contents) -> bytes | None:
        """What the update adds, itself an update; None where it is here already.

        Raises LiveError: `conflict` where edits before it are missing here, `too_large`, `bad_request`.
        """
        self._check(contents)
        self._changes.clear()
        self.spoiled = True
        try:
            self._doc.apply_update(update)
        except ValueError as error:
            raise refused("it cannot be read.") from error
        state = read_state(self._doc.get_state())
        if any(state.get(client, 0) < end for client, end in contents.ends.items()):
            raise missing()
        self._state = state
        self._pairs |= contents.pairs
        self.spoiled = False
        if not self._changes:
            return None
        added = self._changes[-1]
        self._bytes += len(added)
        self.check_bounds()
        return added

    def check_bounds(self) -> None:
        """Raises LiveError `too_large`; the document is spoiled then."""
        self.spoiled = True
        if len(self._text) > MAX_CHARACTERS and len(self.text) > MAX_CHARACTERS:  # the first counts bytes
            raise LiveError(
                ErrorCode.TOO_LARGE, f"The draft may have {MAX_CHARACTERS:,} characters. Shorten it.", field="update"
            )
        if self._bytes > MAX_BYTES:
            self._bytes = len(self.whole())
        if self._bytes > MAX_BYTES or len(self._state) > MAX_CLIENTS:
            raise LiveError(
                ErrorCode.TOO_LARGE, "This draft was edited too often. Send it: the next one begins anew.",
                field="update",
            )  # fmt: skip
        self.spoiled = False

    def _check(self, contents: Contents) -> None:
        if any(start > self._state.get(client, 0) for client, start in contents.starts.items()):
            raise missing()
        if any(
            end > max(self._state.get(client, 0), contents.ends.get(client, 0))
            for client, end in contents.deleted.items()
        ):
            raise missing()
        if contents.cuts & (self._pairs | contents.pairs if contents.pairs else self._pairs):
            raise refused("it takes a character apart. Edit by whole characters.")

    def _changed(self, event: TransactionEvent) -> None:
        self._changes.append(event.update)


def _pairs_of(update: bytes) -> set[Point]:
    return read_update(update, len(update)).pairs
