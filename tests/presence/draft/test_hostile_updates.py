"""What is no edit of a plain text, or too much of one, is refused with a documented error and leaves nothing behind."""

from __future__ import annotations

import random

import pytest
from pycrdt import Array, Doc, Map, Text

from hanzo_live.protocol.errors import ErrorCode, LiveError
from presence.draft import document, reading
from tests.presence.draft.editors import LOG, Editor, House, refusal


def _uint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(128 | number & 127)
        number >>= 7
    return bytes([*out, number])


def _written(text: str, *, client: int = 77, clock: int = 0, info: int = 4, parent: bytes = b"\1\4text") -> bytes:
    data = text.encode()
    struct = bytes([info]) + parent + _uint(len(data)) + data
    return b"\1\1" + _uint(client) + _uint(clock) + struct + b"\0"


def _deleted(client: int, clock: int, length: int) -> bytes:
    return b"\0\1" + _uint(client) + b"\1" + _uint(clock) + _uint(length)


def _of(root: object, edit: object) -> bytes:
    doc: Doc[object] = Doc()
    doc["text"] = root
    edit(root)  # type: ignore[operator]
    return doc.get_update()


def _other_root() -> bytes:
    doc: Doc[Text] = Doc()
    doc["other"] = Text("x")
    return doc.get_update()


REFUSED = {
    "empty": b"",
    "cut off": _written("hello")[:-4],
    "something behind it": _written("hello") + b"\0",
    "text": b"<script>alert(1)</script>",
    "a huge number of clients": b"\xff\xff\xff\xff\x0f",
    "a number without end": b"\xff" * 100,
    "a huge length": b"\1\1\1\0\4\1\4text\xff\xff\xff\xff\x0f",
    "a huge clock": _written("x", clock=2**40),
    "a client beyond what counts": b"\1\1" + b"\xff" * 8 + b"\x7f" + b"\0",
    "another root": _other_root(),
    "an array": _of(Array(), lambda root: root.append(1)),
    "a map": _of(Map(), lambda root: root.update({"a": 1})),
    "an embed": _of(Text(), lambda root: root.insert_embed(0, {"image": "x"})),
    "a format": _of(Text("bold"), lambda root: root.format(0, 4, {"bold": True})),
    "a NUL": _written("a\0b"),
    "no text": _written(""),
    "not UTF-8": b"\1\1\1\0\4\1\4text\2\xff\xfe\0",
    "half a character": b"\1\1\1\0\4\1\4text\3\xed\xa0\x80\0",
    "a nothing deleted": _deleted(1, 0, 0),
    "the same client twice": b"\2" + (b"\1\1\0\4\1\4text\1a") * 2 + b"\0",
    "its own character taken apart": _written("😀", client=5)[:-1] + b"\1\5\1\1\1",
}


@pytest.mark.parametrize("update", REFUSED.values(), ids=REFUSED.keys())
async def test_it_is_refused_and_nothing_is_kept(house: House, update: bytes) -> None:
    ada = Editor(house, house.process(), 1)
    error = await refusal(ada.send(update))
    assert error.code is ErrorCode.BAD_REQUEST
    assert error.field == "update"
    assert (await house.entries(), house.told) == (0, [])
    ada.insert(0, "still works")
    await ada.flush()


@pytest.mark.parametrize(
    "update", [_written("b", clock=1), _deleted(77, 0, 1), _written("b", info=0x84, parent=b"\x63\0")],
    ids=["a gap", "deleting what is not here", "behind what is not here"],
)  # fmt: skip
async def test_what_hangs_in_the_air_is_a_conflict(house: House, update: bytes) -> None:
    drafts = house.process()
    error = await refusal(Editor(house, drafts, 1).send(update))
    assert error.code is ErrorCode.CONFLICT
    assert await house.entries() == 0
    ada = Editor(house, drafts, 2)
    ada.insert(0, "fine")
    await ada.flush()
    late = Editor(house, house.process(), 3)
    await late.sync()
    assert str(late.text) == "fine"


@pytest.mark.parametrize(
    "update",
    [
        _deleted(77, 1, 1),
        _deleted(77, 2, 1),
        _written("x", client=78, info=0x84, parent=_uint(77) + b"\1"),
        _written("x", client=78, info=0x44, parent=_uint(77) + b"\2"),
    ],
    ids=["its first half", "its second half", "after its first half", "before its second half"],
)
async def test_a_character_is_not_taken_apart(house: House, update: bytes) -> None:
    ada = Editor(house, house.process(), 1)
    await ada.send(_written("a😀b"))
    for drafts in (ada.drafts, house.process()):
        ada.drafts = drafts
        error = await refusal(ada.send(update))
        assert error.code is ErrorCode.BAD_REQUEST
        assert "whole characters" in error.message
    await ada.send(_deleted(77, 1, 2))


async def test_an_update_has_a_size(house: House) -> None:
    error = await refusal(Editor(house, house.process(), 1).send(_written("x" * reading.MAX_UPDATE_BYTES)))
    assert error.code is ErrorCode.TOO_LARGE
    assert "64 KiB" in error.message


async def test_the_text_has_a_size_and_stays_usable_at_it(house: House) -> None:
    ada = Editor(house, house.process(), 1)
    ada.insert(0, "é" * 30_000)
    await ada.flush()
    ada.insert(0, "x" * (document.MAX_CHARACTERS - 30_000))
    await ada.flush()
    error = await refusal(ada.send(_written("y")))
    assert error.code is ErrorCode.TOO_LARGE
    assert "50,000" in error.message
    assert await house.entries() == 2
    ada.delete(0, 10)
    ada.insert(0, "0123456789")
    await ada.flush()
    assert len(await ada.drafts.send(LOG, 1, house.post)) == document.MAX_CHARACTERS


async def test_the_history_has_a_size_and_sending_begins_anew(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "MAX_CLIENTS", 3)
    drafts = house.process()
    for client in range(3):
        await Editor(house, drafts, client).send(_written("x", client=100 + client))
    error = await refusal(Editor(house, drafts, 9).send(_written("x", client=200)))
    assert error.code is ErrorCode.TOO_LARGE
    assert "Send it" in error.message
    assert await drafts.send(LOG, 1, house.post) == "xxx"


@pytest.mark.parametrize(
    "message", [b"", b"\0", b"\0\1", b"\1\0", b"\0\1\0x", b"\0\2\1\xff", b"\0\1\5", b"\0" * 70_000]
)
async def test_a_sync_that_makes_no_sense_is_refused(house: House, message: bytes) -> None:
    error = await refusal(house.process().sync(LOG, 1, message))
    assert error.code is ErrorCode.BAD_REQUEST


async def test_whatever_bytes_come_the_draft_goes_on(house: House) -> None:
    """Random damage to real updates: taken or refused with a documented code, and everybody agrees afterwards."""
    chance = random.Random(4)
    drafts, writer = house.process(), Editor(house, house.process(), 1)
    codes = set()
    for _ in range(400):
        writer.insert(chance.randint(0, len(str(writer.text))), chance.choice(["a", "😀", "word "]))
        (update,) = writer.unsent
        writer.unsent.clear()
        damaged = bytearray(update)
        for _ in range(chance.randint(1, 3)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        try:
            await Editor(house, drafts, 2).send(bytes(damaged))
        except LiveError as error:
            codes.add(error.code)
        await writer.sync()
    assert codes <= {ErrorCode.BAD_REQUEST, ErrorCode.CONFLICT}
    texts = set()
    for editor in (Editor(house, drafts, 3), Editor(house, house.process(), 4)):
        await editor.sync()
        texts.add(str(editor.text))
    assert len(texts) == 1
