"""How connections make a person: pure."""

from __future__ import annotations

from presence.people import Connection, People

ADA = {"id": "a", "name": "Ada", "avatar": None}
GRACE = {"id": "g", "name": "Grace", "avatar": None}


def only(people: People) -> dict[str, object]:
    (person,) = people.everybody()["users"]
    return person


def test_several_tabs_are_one_person() -> None:
    people = People(10)
    people.put("1", Connection(ADA, idle=True))
    people.put("2", Connection(ADA, typing=True))
    assert people.total == 1
    assert only(people) == {
        "user": ADA, "connections": 2, "status": "active", "typing": True, "cursor": None, "left": False,
    }  # fmt: skip


def test_a_person_is_idle_only_in_all_tabs() -> None:
    people = People(10)
    people.put("1", Connection(ADA, idle=True))
    people.put("2", Connection(ADA, idle=True))
    assert only(people)["status"] == "idle"


def test_the_cursor_that_was_set_last_is_the_persons_and_hiding_counts_as_setting() -> None:
    people = People(10)
    people.put("1", Connection(ADA, cursor={"x": 1}, moved=5))
    people.put("2", Connection(ADA, cursor={"x": 2}, moved=7))
    people.put("3", Connection(ADA))
    assert only(people)["cursor"] == {"x": 2}
    people.put("2", Connection(ADA, cursor=None, moved=9))
    assert only(people)["cursor"] is None


def test_of_two_cursors_set_at_once_every_process_takes_the_same() -> None:
    one, other = People(10), People(10)
    tabs = [("1", Connection(ADA, cursor={"x": 1}, moved=5)), ("2", Connection(ADA, cursor={"x": 2}, moved=5))]
    for id, tab in tabs:
        one.put(id, tab)
    for id, tab in reversed(tabs):
        other.put(id, tab)
    assert only(one) == only(other)


def test_only_what_changed_is_told_and_only_once() -> None:
    people = People(10)
    people.put("1", Connection(ADA))
    people.put("2", Connection(GRACE))
    assert len(people.take_changes()) == 2
    people.put("1", Connection(ADA, typing=True))
    people.put("2", Connection(GRACE))
    (change,) = people.take_changes()
    assert change["user"] == ADA
    assert change["typing"]
    assert people.take_changes() == []


def test_who_goes_and_comes_between_two_looks_has_not_been_away() -> None:
    people = People(10)
    people.put("1", Connection(ADA))
    people.take_changes()
    people.drop("1")
    people.put("2", Connection(ADA))
    assert people.take_changes() == []
    people.drop("2")
    (change,) = people.take_changes()
    assert (change["left"], change["connections"], change["cursor"]) == (True, 0, None)


def test_who_was_never_told_of_does_not_leave() -> None:
    people = People(10)
    people.put("1", Connection(ADA))
    people.drop("1")
    assert people.take_changes() == []


def test_it_turns_at_the_limit_and_back_only_well_under_it() -> None:
    people = People(10)
    for i in range(11):
        people.put(str(i), Connection({"id": str(i), "name": "?", "avatar": None}))
    assert people.turn()
    assert people.everybody() == {"users": [], "total": 11, "summarised": True}
    people.drop("0")
    assert not people.turn()
    people.drop("1")
    assert people.turn()
    assert len(people.everybody()["users"]) == 9
