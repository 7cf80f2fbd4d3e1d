"""What the model is told of a conversation: the system prompt, then the newest whole turns that fit its context.

Where it is offered tools, also what those of earlier answers gave, as far as there is room. Pure. Which messages may be
told at all (no failed answers) is `sessions.queries.history`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import ceil
from typing import Any

import orjson

from sessions.models import MessageRole
from sessions.queries import Said
from streaming.runner.retelling import tool_messages

# Where the node does not tell how much its model reads.
DEFAULT_CONTEXT = 8_192
# Tokens kept free for the answer where the request sets no limit, at most a quarter of the context.
ANSWER_ROOM = 1_024

CUT = "[Earlier messages of this conversation are left out here.]"
SEVERAL = "Several people take part in this conversation. Each of their messages begins with its speaker's name."

# Of the room for what was said, the part that what tools gave may have.
ROOM_FOR_TOOLS = 1 / 4

ChatMessage = dict[str, Any]


def estimate_tokens(text: str) -> int:
    """About how many tokens `text` is, rather too many: three bytes each, and what a template puts around it."""
    return ceil(len(text.encode()) / 3) + 8


def build_prompt(
    system: str,
    said: Sequence[Said],
    *,
    context: int | None = None,
    max_tokens: int | None = None,
    complete: bool = True,
    with_tools: bool = False,
    with_thoughts: bool = False,
) -> list[ChatMessage]:
    """The messages to send, in OpenAI's shape. `complete` is false when `said` itself begins in the middle.

    `with_tools` tells what tools gave in earlier answers: only to a model that is offered some, for others cannot read it.
    `with_thoughts` also what was thought in those answers: only to an API that refuses calls without it.
    The newest message is sent even where it alone seems too long: only the node knows, and refuses it in words.
    """
    said = _without_repeats(said if with_tools else [replace(message, tools=()) for message in said])
    several = len({message.speaker for message in said if message.speaker}) > 1
    instructions = "\n\n".join(part for part in (system.strip(), SEVERAL if several else "") if part)
    context = context or DEFAULT_CONTEXT
    room = context - min(max_tokens or min(ANSWER_ROOM, context // 4), context // 2)
    room -= estimate_tokens(instructions) if instructions else 0
    if not with_thoughts:
        said = [replace(message, thoughts="") for message in said]
    kept = _newest_that_fit(_turns(said), several, room - estimate_tokens(CUT))
    messages: list[ChatMessage] = [{"role": "system", "content": instructions}] if instructions else []
    for number, message in enumerate(kept):
        text = _line(message, several)
        if number == 0 and (len(kept) < len(said) or not complete):
            text = f"{CUT}\n\n{text}"
        elif number > 0:  # no conversation begins with a call
            messages += tool_messages(message.tools, message.thoughts if with_thoughts else None)
        _add(messages, str(message.role), text)
    return messages


def _add(messages: list[ChatMessage], role: str, text: str) -> None:
    """Templates of some models refuse two messages of one role in a row."""
    last = messages[-1] if messages else {}
    if last.get("role") == role and "tool_calls" not in last:
        last["content"] += f"\n\n{text}"
    else:
        messages.append({"role": role, "content": text})


def _without_repeats(said: Sequence[Said]) -> list[Said]:
    """What somebody asked again, because the answer failed and is left out, was asked once."""
    return [
        message
        for message, following in zip(said, [*said[1:], None], strict=True)
        if following is None or message.role != MessageRole.USER or not _is_repeat(following, message)
    ]


def _is_repeat(message: Said, before: Said) -> bool:
    return (message.role, message.content, message.speaker) == (before.role, before.content, before.speaker)


def _turns(said: Sequence[Said]) -> list[list[Said]]:
    """Prompts and what was answered to them, together."""
    turns: list[list[Said]] = []
    before: MessageRole | None = None
    for message in said:
        if not turns or (message.role == MessageRole.USER and before != MessageRole.USER):
            turns.append([])
        turns[-1].append(message)
        before = message.role
    return turns


def _newest_that_fit(turns: list[list[Said]], several: bool, room: int) -> list[Said]:
    kept: list[Said] = []
    for_tools = room * ROOM_FOR_TOOLS
    for turn in reversed(turns):
        size = sum(estimate_tokens(_line(message, several)) for message in turn)
        if size > room:
            break
        tools = sum(_size_of_tools(message) for message in turn)
        if tools > min(for_tools, room - size):
            turn, tools, for_tools = [replace(message, tools=()) for message in turn], 0, 0  # nor those of older ones
        kept = turn + kept
        room -= size + tools
        for_tools -= tools
    return kept or _end_of(turns[-1] if turns else [], several, room)


def _end_of(turn: list[Said], several: bool, room: int) -> list[Said]:
    """Of a turn that is too long by itself, the newest messages that fit, and the last one in any case."""
    turn = [replace(message, tools=()) for message in turn]
    kept = turn[-1:]
    room -= sum(estimate_tokens(_line(message, several)) for message in kept)
    for message in reversed(turn[:-1]):
        room -= estimate_tokens(_line(message, several))
        if room < 0:
            break
        kept = [message, *kept]
    return kept


def _size_of_tools(message: Said) -> int:
    return sum(estimate_tokens(orjson.dumps(each).decode()) for each in tool_messages(message.tools, message.thoughts))


def _line(message: Said, several: bool) -> str:
    return f"{message.speaker}: {message.content}" if several and message.speaker else message.content
