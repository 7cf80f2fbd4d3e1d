"""What the model is told: as many whole turns as fit, the newest first, and honestly marked."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby, pairwise
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from sessions.models import MessageRole
from sessions.queries import Said, ToolUse
from streaming.runner.prompt import CUT, ROOM_FOR_TOOLS, SEVERAL, build_prompt, estimate_tokens
from streaming.runner.retelling import MAX_CALLS, tool_messages

USER, ASSISTANT = MessageRole.USER, MessageRole.ASSISTANT


def said(*lines: tuple[str | None, str]) -> list[Said]:
    """Each line is a speaker, None for the model, and what they said."""
    return [
        Said(n, ASSISTANT if speaker is None else USER, text, speaker) for n, (speaker, text) in enumerate(lines, 1)
    ]


lines = st.lists(st.tuples(st.sampled_from(["Ann", "Bo", None]), st.text(min_size=1, max_size=200)), max_size=30).map(
    # What somebody says twice in a row is told once; that has a test of its own.
    lambda told: [each for each, _ in groupby([*told, ("Ann", "and now?")])]
)


def test_it_sends_system_prompt_and_turns_in_order() -> None:
    told = said(("Ann", "hello"), (None, "hi"), ("Ann", "how are you?"))
    assert build_prompt("Be brief.", told) == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "hello"},
        {"role": "assistant", "content": "hi"},
        {"role": "user", "content": "how are you?"},
    ]


def test_it_names_speakers_where_there_are_several() -> None:
    told = said(("Ann", "hello"), ("Bo", "me too"), (None, "hi both"), ("Bo", "who am I?"))
    assert build_prompt("", told) == [
        {"role": "system", "content": SEVERAL},
        {"role": "user", "content": "Ann: hello\n\nBo: me too"},
        {"role": "assistant", "content": "hi both"},
        {"role": "user", "content": "Bo: who am I?"},
    ]


def test_it_cuts_whole_turns_and_says_so() -> None:
    told = said(("Ann", "x" * 900), (None, "long ago"), ("Ann", "recent"), (None, "yes"), ("Ann", "now?"))
    prompt = build_prompt("", told, context=400, max_tokens=100)
    assert prompt == [
        {"role": "user", "content": f"{CUT}\n\nrecent"},
        {"role": "assistant", "content": "yes"},
        {"role": "user", "content": "now?"},
    ]


def test_it_marks_a_history_that_was_not_read_to_its_beginning() -> None:
    assert build_prompt("", said(("Ann", "now?")), complete=False) == [{"role": "user", "content": f"{CUT}\n\nnow?"}]


def test_it_sends_the_newest_message_even_where_it_seems_too_long() -> None:
    told = said(("Ann", "before"), (None, "ok"), ("Ann", "y" * 5_000))
    assert build_prompt("", told, context=256)[-1]["content"].endswith("y" * 5_000)


@given(lines, st.integers(64, 4_000), st.one_of(st.none(), st.integers(1, 100_000)))
def test_it_fits_the_context_and_keeps_an_unbroken_end(
    told: list[tuple[str | None, str]], context: int, max_tokens: int | None
) -> None:
    history = said(*told)
    prompt = build_prompt("", history, context=context, max_tokens=max_tokens)
    text = "\n\n".join(message["content"] for message in prompt if message["role"] != "system")
    text = text.removeprefix(f"{CUT}\n\n")
    several = SEVERAL in prompt[0]["content"]
    whole = "\n\n".join(f"{m.speaker}: {m.content}" if several and m.speaker else m.content for m in history)
    assert whole.endswith(text)
    assert text.endswith("and now?")
    assert any(CUT in message["content"] for message in prompt) == (text != whole)
    size = sum(estimate_tokens(message["content"]) for message in prompt)
    room = context - min(max_tokens or min(1_024, context // 4), context // 2)
    assert size <= room or len(text) <= len("Ann: and now?")


@given(lines)
def test_it_never_has_two_messages_of_one_role_in_a_row(told: list[tuple[str | None, str]]) -> None:
    roles = [message["role"] for message in build_prompt("", said(*told))]
    assert all(a != b for a, b in pairwise(roles))


def used(*results: Any) -> tuple[ToolUse, ...]:
    return tuple(ToolUse(f"c{n}", "dig", {"at": n}, result, None) for n, result in enumerate(results))


def test_what_tools_gave_before_is_told_where_tools_are_offered() -> None:
    told = said(("Ann", "dig"), (None, "a coin"), ("Ann", "what was it?"))
    told[1] = replace(told[1], tools=(*used({"found": "coin"}), ToolUse("x", "sift", {}, None, "it rains")))
    assert build_prompt("", told, with_tools=True) == [
        {"role": "user", "content": "dig"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "c0", "type": "function", "function": {"name": "dig", "arguments": '{"at":0}'}},
                {"id": "x", "type": "function", "function": {"name": "sift", "arguments": "{}"}},
            ],
        },
        {"role": "tool", "tool_call_id": "c0", "content": '{"found":"coin"}'},
        {"role": "tool", "tool_call_id": "x", "content": "Error: it rains"},
        {"role": "assistant", "content": "a coin"},
        {"role": "user", "content": "what was it?"},
    ]
    assert [message["role"] for message in build_prompt("", told)] == ["user", "assistant", "user"]


def test_what_tools_gave_is_cut_and_left_out_before_what_was_said_is() -> None:
    told = said(("Ann", "one"), (None, "first"), ("Ann", "two"), (None, "second"), ("Ann", "now?"))
    told[1] = replace(told[1], tools=used("short"))
    told[3] = replace(told[3], tools=used("x" * 5_000))
    whole = build_prompt("", told, context=32_000, with_tools=True)
    assert [message["content"][:9] for message in whole if message["role"] == "tool"] == ["short", "x" * 9]
    assert len(str(whole)) < 5_000
    tight = build_prompt("", told, context=2_000, with_tools=True)
    assert [message["content"] for message in tight] == ["one", "first", "two", "second", "now?"]
    many = replace(told[1], tools=(*used(*range(20)), ToolUse("y", "dig", {"at": "z" * 5_000}, "big", None)))
    calls = tool_messages(many.tools)[0]["tool_calls"]
    assert [call["id"] for call in calls] == [f"c{n}" for n in range(20 - MAX_CALLS, 20)]


@given(lines, st.integers(64, 4_000), st.lists(st.integers(0, 6_000), max_size=5))
def test_with_what_tools_gave_it_fits_the_context_and_no_text_is_lost_for_it(
    told: list[tuple[str | None, str]], context: int, sizes: list[int]
) -> None:
    history = said(*told)
    answers = [n for n, message in enumerate(history) if message.role == ASSISTANT]
    for n, size in zip(answers, sizes, strict=False):
        history[n] = replace(history[n], tools=used("r" * size))
    prompt = build_prompt("", history, context=context, with_tools=True)
    assert prompt[0]["role"] != "assistant" or "tool_calls" not in prompt[0]
    assert all(
        before.get("role") in ("tool", "assistant") for before, each in pairwise(prompt) if each["role"] == "tool"
    )
    size = sum(estimate_tokens(orjson.dumps(message).decode()) for message in prompt if message["role"] == "tool")
    assert size <= context * ROOM_FOR_TOOLS


def test_what_was_asked_again_after_a_failure_is_asked_once() -> None:
    again = said(("Ada", "What is 2+2?"), ("Ada", "What is 2+2?"), ("Bo", "What is 2+2?"))
    (prompt,) = [message for message in build_prompt("", again) if message["role"] == "user"]
    assert prompt["content"] == "Ada: What is 2+2?\n\nBo: What is 2+2?"
