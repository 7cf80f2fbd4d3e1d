"""Who is here, across processes: each sees the same people, and no ghosts."""

from __future__ import annotations

from presence.attendance import GRACE_S, IDLE_S, TYPING_S
from presence.leases import LEASE_S, RENEW_S, people_online
from tests.presence.conftest import LOG, Process, Processes


async def test_a_newcomer_gets_the_list_and_the_others_the_change(processes: Processes, process: Process) -> None:
    ada = process.enter("Ada")
    await processes.until(lambda: ada.names == {"Ada"})
    grace = process.enter("Grace")
    await processes.until(lambda: grace.names == {"Ada", "Grace"} and ada.names == {"Ada", "Grace"})
    assert "users" in grace.frames[0][1]
    assert [list(frame)[3:] for _, frame in ada.frames] == [["users", "total"], ["changes", "total"]]
    assert ada.total == 2


async def test_people_of_several_processes_see_each_other(processes: Processes) -> None:
    one, other = await processes.start(), await processes.start()
    ada = one.enter("Ada")
    await processes.until(lambda: ada.names == {"Ada"})
    grace = other.enter("Grace")
    await processes.until(lambda: grace.names == ada.names == {"Ada", "Grace"})
    other.update("Grace", typing=True, cursor={"area": "draft", "pos": 3, "head": 3})
    await processes.until(lambda: ada.of("Grace")["typing"])
    assert ada.of("Grace")["cursor"] == {"area": "draft", "pos": 3, "head": 3}


async def test_tabs_in_two_processes_are_one_person(processes: Processes) -> None:
    one, other = await processes.start(), await processes.start()
    grace = one.enter("Grace")
    one.enter("Ada", "tab 1")
    other.enter("Ada", "tab 2")
    await processes.until(lambda: "Ada" in grace.names and grace.of("Ada")["connections"] == 2)
    one.leave("tab 1")
    await processes.until(lambda: grace.of("Ada")["connections"] == 1)
    assert not grace.ever_left("Ada")
    other.leave("tab 2")
    await processes.until(lambda: grace.names == {"Grace"})


async def test_a_socket_that_leaves_and_is_back_at_once_is_here(processes: Processes) -> None:
    one, other = await processes.start(), await processes.start()
    ada, _ = one.enter("Ada"), other.enter("Grace")
    await processes.until(lambda: ada.names == {"Ada", "Grace"})
    other.leave("Grace")
    other.enter("Grace")
    await processes.settle()
    assert ada.names == {"Ada", "Grace"}
    assert not ada.ever_left("Grace")
    assert b"p2.Grace" in await processes.redis.hkeys(f"live:{{{LOG}}}:presence")


async def test_a_clean_close_shows_at_once_and_leaves_nothing_in_redis(processes: Processes) -> None:
    one, other = await processes.start(), await processes.start()
    ada, _ = one.enter("Ada"), other.enter("Grace")
    await processes.until(lambda: ada.names == {"Ada", "Grace"})
    before = processes.clock.time()
    other.leave("Grace")
    await processes.until(lambda: ada.names == {"Ada"})
    assert processes.clock.time() - before < 1
    one.leave("Ada")
    await processes.until(lambda: not one.attendance._rooms and not other.attendance._rooms)
    assert await processes.redis.hkeys(f"live:{{{LOG}}}:presence") == [b"#"]


async def test_a_cut_socket_that_comes_back_was_never_away(processes: Processes) -> None:
    one, other = await processes.start(), await processes.start()
    ada = one.enter("Ada")
    for number, (before, after) in enumerate([(one, one), (one, other)]):
        before.enter("Grace", f"before {number}")
        await processes.until(lambda: ada.names == {"Ada", "Grace"})
        before.leave(f"before {number}", linger=True)
        await processes.pass_time(GRACE_S - 1, 0.1)
        assert ada.of("Grace")["connections"] == 1
        after.enter("Grace", f"after {number}")
        await processes.settle()
        assert ada.of("Grace")["connections"] == 1, "the cut socket does not count beside the new one"
        await processes.pass_time(GRACE_S + 1, 0.1)
        one.attendance.tick()
        await processes.settle()
        assert ada.names == {"Ada", "Grace"}
        assert not ada.ever_left("Grace")
        after.leave(f"after {number}")
        await processes.until(lambda: ada.names == {"Ada"})
        ada.frames.clear()


async def test_a_cut_socket_that_does_not_come_back_leaves_after_the_grace(
    processes: Processes, process: Process
) -> None:
    ada = process.enter("Ada")
    process.enter("Grace")
    process.update("Grace", cursor={"x": 1, "y": 2}, typing=True)
    await processes.until(lambda: ada.names == {"Ada", "Grace"} and ada.of("Grace")["typing"])
    process.leave("Grace", linger=True)
    await processes.until(lambda: ada.of("Grace")["cursor"] is None and not ada.of("Grace")["typing"])
    await processes.pass_time(GRACE_S, 0.1)
    process.attendance.tick()
    await processes.until(lambda: ada.names == {"Ada"})


async def test_a_killed_processs_people_are_gone_with_its_lease(processes: Processes) -> None:
    assert LEASE_S + RENEW_S < 15
    one, other = await processes.start(), await processes.start()
    ada, _ = one.enter("Ada"), other.enter("Grace")
    await processes.until(lambda: ada.names == {"Ada", "Grace"})
    await other.die()
    await one.attendance.look()
    await processes.until(lambda: ada.names == {"Ada"})
    await processes.until(lambda: one.attendance._rooms[LOG].said is None)
    ids = await processes.redis.hkeys(f"live:{{{LOG}}}:presence")
    assert sorted(ids) == [b"#", b"p1.Ada"]


async def test_a_killed_processs_people_are_not_in_a_newcomers_list(processes: Processes) -> None:
    one, other = await processes.start(), await processes.start()
    grace = one.enter("Grace")
    await processes.until(lambda: grace.names == {"Grace"})
    await one.die()
    ada = other.enter("Ada")
    await processes.until(lambda: ada.frames)
    assert ada.names == {"Ada"}


async def test_the_lease_runs_out_by_itself(processes: Processes, process: Process) -> None:
    process.enter("Ada")
    await processes.settle()
    assert 0 < await processes.redis.ttl("live:presence:process:p1") <= LEASE_S
    await processes.redis.expire("live:presence:process:p1", 1)
    await process.attendance.look()
    assert await processes.redis.ttl("live:presence:process:p1") > LEASE_S - 2


async def test_a_process_that_was_taken_for_dead_says_who_is_here_again(processes: Processes) -> None:
    one, other = await processes.start(), await processes.start()
    ada, grace = one.enter("Ada"), other.enter("Grace")
    await processes.until(lambda: ada.names == grace.names == {"Ada", "Grace"})
    await processes.redis.delete("live:presence:process:p2")  # as if it had been paused
    await one.attendance.look()
    await processes.settle()
    assert await processes.redis.exists("live:presence:process:p2"), "it hears what is said of it, and lives on"
    await one.attendance.look()
    await processes.settle()
    assert ada.names == grace.names == {"Ada", "Grace"}
    assert not grace.ever_left("Grace")


async def test_a_drained_processs_people_stay_until_they_are_elsewhere(processes: Processes) -> None:
    one, other = await processes.start(), await processes.start()
    ada, _ = one.enter("Ada"), other.enter("Grace")
    await processes.until(lambda: ada.names == {"Ada", "Grace"})
    await other.attendance.drain()
    other.leave("Grace", linger=False)  # the server closed it
    await other.attendance.close()
    await one.attendance.look()
    await processes.settle()
    one.enter("Grace", "reconnected")
    await processes.redis.delete("live:presence:process:p2")
    await one.attendance.look()
    await processes.until(lambda: ada.of("Grace")["connections"] == 1)
    assert not ada.ever_left("Grace")


async def test_a_redis_that_forgot_everything_is_told_again(processes: Processes) -> None:
    one, other = await processes.start(), await processes.start()
    ada, grace = one.enter("Ada"), other.enter("Grace")
    await processes.until(lambda: ada.names == grace.names == {"Ada", "Grace"})
    await processes.redis.flushall()
    for process in (one, other):
        await process.attendance.look()
    await processes.settle()
    newcomer = other.enter("Linus")
    await processes.until(lambda: newcomer.names == {"Ada", "Grace", "Linus"})
    await processes.until(lambda: ada.names == grace.names == {"Ada", "Grace", "Linus"})


async def test_a_lost_announcement_is_found_by_the_next_one_or_at_a_look(processes: Processes) -> None:
    one, other = await processes.start(), await processes.start()
    ada = one.enter("Ada")
    await processes.until(lambda: ada.names == {"Ada"})
    hear, deaf = one.attendance.hear, lambda message: None
    one.unlisten(LOG, hear)
    one.listen(LOG, deaf)
    other.enter("Grace")
    await processes.until(lambda: other.attendance._rooms[LOG].number > one.attendance._rooms[LOG].number)
    one.listen(LOG, hear)
    other.enter("Linus")
    await processes.until(lambda: ada.names == {"Ada", "Grace", "Linus"})
    one.unlisten(LOG, hear)
    other.leave("Grace")
    await processes.until(lambda: other.attendance._rooms[LOG].number > one.attendance._rooms[LOG].number)
    one.listen(LOG, hear)
    await one.attendance.look()
    await one.attendance.look()
    await processes.until(lambda: ada.names == {"Ada", "Linus"})


async def test_typing_ends_by_itself_unless_it_goes_on(processes: Processes, process: Process) -> None:
    ada = process.enter("Ada")
    process.update("Ada", typing=True)
    await processes.until(lambda: ada.frames and ada.of("Ada")["typing"])
    await processes.pass_time(TYPING_S - 1, 0.1)
    process.update("Ada", typing=True)
    await processes.pass_time(TYPING_S - 1, 0.1)
    process.attendance.tick()
    await processes.settle()
    assert ada.of("Ada")["typing"]
    await processes.pass_time(2, 0.1)
    process.attendance.tick()
    await processes.until(lambda: not ada.of("Ada")["typing"])


async def test_who_does_nothing_is_idle_until_they_do(processes: Processes, process: Process) -> None:
    ada = process.enter("Ada")
    await processes.until(lambda: ada.frames and ada.of("Ada")["status"] == "active")
    await processes.pass_time(IDLE_S, 10)
    process.attendance.tick()
    await processes.until(lambda: ada.of("Ada")["status"] == "idle")
    process.update("Ada", cursor={"x": 1})
    await processes.until(lambda: ada.of("Ada")["status"] == "active")
    process.update("Ada", status="idle")
    await processes.until(lambda: ada.of("Ada")["status"] == "idle")
    process.update("Ada", cursor={"x": 2})
    await processes.until(lambda: ada.of("Ada")["cursor"] == {"x": 2})
    assert ada.of("Ada")["status"] == "idle", "what is left out stays as it was"


async def test_a_removed_member_vanishes_at_once_from_every_process(processes: Processes) -> None:
    one, other = await processes.start(), await processes.start()
    ada, grace = one.enter("Ada"), other.enter("Grace")
    one.enter("Grace", "second tab")
    await processes.until(lambda: ada.names == grace.names == {"Ada", "Grace"})
    for process in (one, other):  # each hears of the removal
        process.attendance.evict(LOG, "id of Grace")
    told = len(grace.frames)
    await processes.until(lambda: ada.names == {"Ada"})
    await processes.settle()
    assert len(grace.frames) == told, "who was removed is told nothing more"
    assert not other.attendance.update(LOG, "Grace", typing=True)
    assert sorted(await processes.redis.hkeys(f"live:{{{LOG}}}:presence")) == [b"#", b"p1.Ada"]


async def test_a_slow_viewer_is_told_everything_once_it_reads_again(processes: Processes, process: Process) -> None:
    slow, quick = process.enter("Ada"), process.enter("Grace")
    await processes.until(lambda: slow.names == quick.names == {"Ada", "Grace"})
    slow.ready = slow.takes = False
    for x in range(5):
        process.update("Grace", cursor={"x": x})
        await processes.until(lambda x=x: quick.of("Grace")["cursor"] == {"x": x})
    process.enter("Linus")
    await processes.until(lambda: "Linus" in quick.names)
    told = len(slow.frames)
    slow.ready = slow.takes = True
    await processes.until(lambda: slow.people == quick.people)
    assert len(slow.frames) == told + 1, "in one frame"


async def test_above_the_limit_there_is_a_number_and_no_cursors(processes: Processes) -> None:
    process = await processes.start(max_listed=10)
    ada = process.enter("Ada")
    for i in range(10):
        process.enter(f"guest {i}")
    await processes.until(lambda: ada.total == 11 and ada.summarised)
    assert ada.people == {}
    await processes.settle()
    said, told = process.attendance._rooms[LOG].number, len(ada.frames)
    for x in range(20):
        process.update("guest 1", cursor={"x": x}, typing=True)
        await processes.pass_time(0.1)
    assert (process.attendance._rooms[LOG].number, len(ada.frames)) == (said, told)
    process.enter("one more")
    await processes.until(lambda: ada.total == 12)
    for i in range(2, 6):
        process.leave(f"guest {i}")
    await processes.until(lambda: not ada.summarised)
    assert len(ada.people) == ada.total == 8
    assert ada.of("guest 1")["cursor"] == {"x": 19}


async def test_it_counts_the_people_online(processes: Processes) -> None:
    one, other = await processes.start(), await processes.start()
    one.enter("Ada")
    one.enter("Ada", "second tab")
    other.enter("Grace")
    for process in (one, other):
        await process.attendance.look()
    assert await people_online(processes.redis) == 2
    await other.die()
    assert await people_online(processes.redis) == 1
