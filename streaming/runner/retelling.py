"""What tools gave in earlier answers, as a model is told of it again: in OpenAI's shape, and bounded. Pure.

An answer's calls are told as if made at once, before its text: a transcript does not keep what was said between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from sessions.queries import ToolUse
from streaming.tools.bounds import cut
from streaming.tools.specs import told

# Of one answer the last ones; what a model found at the end is what it answered with.
MAX_CALLS = 16
MAX_RESULT_BYTES = 4_000
# A call with more is left out: cut arguments are no JSON.
MAX_ARGS_BYTES = 4_000
MAX_THOUGHTS_BYTES = 4_000


def tool_messages(uses: Sequence[ToolUse], thoughts: str | None = None) -> list[dict[str, Any]]:
    """The model's calls as one message, and what each gave; nothing where it called none.

    `thoughts` of the answer for an API that asks for it, "" where there were none; None for all others.
    """
    made = [(use, orjson.dumps(use.args).decode()) for use in uses]
    made = [(use, args) for use, args in made if len(args) <= MAX_ARGS_BYTES][-MAX_CALLS:]
    if not made:
        return []
    calls = [
        {"id": use.id, "type": "function", "function": {"name": use.name, "arguments": args}} for use, args in made
    ]
    results = [
        {"role": "tool", "tool_call_id": use.id, "content": cut(told(use.result, use.error), MAX_RESULT_BYTES)}
        for use, _ in made
    ]
    call: dict[str, Any] = {"role": "assistant", "content": None, "tool_calls": calls}
    if thoughts is not None:
        call["reasoning_content"] = cut(thoughts, MAX_THOUGHTS_BYTES)
    return [call, *results]
