"""A look at who is in a session now, for those who ask once. Whoever wants to go on hearing of it watches its log."""

from __future__ import annotations

from presence.leases import Leases, process_of
from presence.people import People, Wire


async def who_is_here(leases: Leases, log: str, max_listed: int) -> Wire:
    """The fields of the event that tells everybody. Raises one of `leases.UNREACHABLE`."""
    connections = (await leases.read(log)).connections
    living = await leases.living({process_of(id) for id in connections})
    people = People(max_listed)
    for id, connection in connections.items():
        if process_of(id) in living:
            people.put(id, connection)
    people.turn()
    return people.everybody()
