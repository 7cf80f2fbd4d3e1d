"""What Redis does in one step: who adds has seen all, who merges puts away what it has read and nothing else."""

from __future__ import annotations

from presence.draft import DraftStore
from presence.draft.store import Place
from tests.presence.draft.editors import LOG, House


async def _filled(store: DraftStore, *updates: bytes) -> list[Place]:
    places = [(await store.read(LOG, Place(), 1)).place]
    for update in updates:
        appended = await store.append(LOG, places[-1], update)
        assert appended is not None
        places.append(appended[0])
    return places


async def test_it_gives_what_follows_a_place(house: House) -> None:
    places = await _filled(house.store, b"one", b"two", b"three")
    assert (await house.store.read(LOG, places[1], 0)).updates == [b"two", b"three"]
    read = await house.store.read(LOG, places[3], 0)
    assert (read.updates, read.whole, read.place) == ([], False, places[3])


async def test_nothing_is_added_behind_a_place_that_is_not_the_end(house: House) -> None:
    places = await _filled(house.store, b"one", b"two")
    assert await house.store.append(LOG, places[1], b"three") is None
    assert await house.store.append(LOG, Place(1, 2, b"another!"), b"three") is None
    assert await house.store.append(LOG, Place(2, 2, places[2].mark), b"three") is None
    assert (await house.store.read(LOG, Place(), 0)).updates == [b"one", b"two"]


async def test_what_came_while_others_were_merged_stays_behind_them(house: House) -> None:
    places = await _filled(house.store, b"one", b"two", b"three", b"four")
    assert await house.store.compact(LOG, places[2], b"one and two")
    assert (await house.store.read(LOG, Place(), 0)).updates == [b"one and two", b"three", b"four"]
    assert (await house.store.read(LOG, places[2], 0)).updates == [b"three", b"four"]
    assert (await house.store.read(LOG, places[3], 0)).updates == [b"four"]
    assert (await house.store.read(LOG, places[1], 0)).whole, "its place is inside of what was merged"
    assert not await house.store.compact(LOG, places[2], b"again")
    assert not await house.store.compact(LOG, places[1], b"older")
    assert await house.store.compact(LOG, places[3], b"one to three")
    assert (await house.store.read(LOG, Place(), 0)).updates == [b"one to three", b"four"]
    appended = await house.store.append(LOG, places[4], b"five")
    assert appended is not None
    assert appended[1] == 3


async def test_nothing_is_merged_in_another_generation_or_for_lost_updates(house: House) -> None:
    places = await _filled(house.store, b"one", b"two")
    assert not await house.store.compact(LOG, Place(1, 2, b"another!"), b"merged")
    assert await house.store.advance(LOG, 1)
    assert not await house.store.compact(LOG, places[2], b"merged")
    assert not await house.store.advance(LOG, 1)
    read = await house.store.read(LOG, places[2], 0)
    assert (read.place, read.updates, read.whole) == (Place(2, 0, b""), [], True)


async def test_a_floor_below_the_open_generation_changes_nothing(house: House) -> None:
    await _filled(house.store, b"one")
    assert not (await house.store.read(LOG, Place(), 1)).begun
    read = await house.store.read(LOG, Place(), 5)
    assert (read.place.generation, read.begun, read.updates) == (5, True, [])
    assert (await house.store.read(LOG, Place(), 3)).place.generation == 5
