"""Which of several nodes a stream goes to. Pure: what is known of the nodes is `fleet`'s.

Nothing here refuses: a node that does badly comes last, and is asked where there is no other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from streaming.node.configured import Where


class Candidate(Protocol):
    """What is looked at. `running` counts the streams that are on it now, `chosen_at` the choices made before."""

    @property
    def name(self) -> str: ...
    @property
    def where(self) -> Where: ...
    @property
    def weight(self) -> float: ...
    @property
    def running(self) -> int: ...
    @property
    def does_well(self) -> bool: ...
    @property
    def chosen_at(self) -> int: ...


C = TypeVar("C", bound=Candidate)


@dataclass(frozen=True, slots=True)
class Wish(Generic[C]):
    """`avoid`: nodes that failed this stream already. `began_on`: where its text comes from, as far as there is one."""

    local_first: bool = False
    began_on: str = ""
    avoid: Collection[str] = ()


def best(candidates: Iterable[C], wish: Wish[C]) -> C:
    """The node to ask: one that does well, the nearest to the wish, the least busy by weight, the longest not chosen."""

    def rank(node: C) -> tuple[bool, bool, bool, bool, float, int]:
        return (
            node.name in wish.avoid,
            not node.does_well,
            wish.local_first and node.where != "local",
            node.name != wish.began_on,
            (node.running + 1) / node.weight,
            node.chosen_at,
        )

    return min(candidates, key=rank)
