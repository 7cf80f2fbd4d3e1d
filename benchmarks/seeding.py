"""Puts people and messages into the database of a running Hanzo Live that its doors would take too long to let in.

`python -m benchmarks.seeding`, with the server's environment (`Served.environment`): one task line → "seeded". People
come with tokens, as members of a session; messages as a session's whole history.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any
from uuid import UUID

from benchmarks.lines import read_task, say

_WORDS = ("history", "model", "page", "question", "token", "session", "cursor", "draft", "reads", "tells", "the", "and")
_AT_ONCE = 5_000


def text(chance: random.Random, characters: int) -> str:
    """Some plain words, at least so many characters."""
    words: list[str] = []
    length = 0
    while length < characters:
        words.append(chance.choice(_WORDS))
        length += len(words[-1]) + 1
    return " ".join(words)


def people(session: str, count: int) -> dict[str, Any]:
    """New accounts that may edit the session: their ids and tokens."""
    from sessions.authentication import create_token
    from sessions.models import Member, Role, User

    users = User.objects.bulk_create(
        User(email=f"person{number}@example.com", name=f"Person {number}") for number in range(count)
    )
    Member.objects.bulk_create(Member(session_id=UUID(session), user=user, role=Role.EDITOR) for user in users)
    return {"ids": [str(user.pk) for user in users], "tokens": [create_token(user, "bench")[1] for user in users]}


def history(session: str, count: int) -> dict[str, Any]:
    """`count` messages: questions of five people and answers, as a long session has them."""
    from django.db import connection

    from sessions.models import LiveSession, Member, Message, MessageRole

    chance = random.Random(count)
    authors = list(Member.objects.filter(session_id=UUID(session)).values_list("user_id", flat=True))

    def message(n: int) -> Message:
        asked = n % 2 == 1
        return Message(
            session_id=UUID(session),
            n=n,
            role=MessageRole.USER if asked else MessageRole.ASSISTANT,
            content=text(chance, 80 if asked else 400),
            user_id=authors[(n - 1) // 2 % len(authors)],
            stream=None if asked else UUID(int=n, version=4),
            finish_reason="" if asked else "stop",
        )

    for start in range(1, count + 1, _AT_ONCE):
        Message.objects.bulk_create([message(n) for n in range(start, min(start + _AT_ONCE, count + 1))], 500)
    LiveSession.objects.filter(pk=UUID(session)).update(last_n=count)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")  # as its autovacuum does within a minute
    return {}


SEEDS: dict[str, Callable[..., dict[str, Any]]] = {"people": people, "history": history}


def main() -> None:
    task = read_task()
    import django

    django.setup()
    say("seeded", **SEEDS[task.pop("what")](**task))


if __name__ == "__main__":
    main()
