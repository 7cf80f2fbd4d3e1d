"""`<think>` inline in an answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.node.thinking import ThinkSplitter


def split(*pieces: str) -> list[tuple[bool, str]]:
    """(is it a thought, its text), neighbours merged."""
    splitter = ThinkSplitter()
    out: list[tuple[bool, str]] = []
    for is_thought, text in [*(said for piece in pieces for said in splitter.feed(piece)), *splitter.flush()]:
        if out and out[-1][0] == is_thought:
            out[-1] = (is_thought, out[-1][1] + text)
        else:
            out.append((is_thought, text))
    return out


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("<think>\nHm.\n</think>\n\nYes.", [(True, "Hm.\n"), (False, "Yes.")]),
        ("<think></think>Yes.", [(False, "Yes.")]),
        ("<thinking>Hm.</thinking>Yes.", [(True, "Hm."), (False, "Yes.")]),
        ("One.<think>Hm.</think>Two.", [(False, "One."), (True, "Hm."), (False, "Two.")]),
        ("<think>never closed", [(True, "never closed")]),
        ("a < b, <thin> air, </think>", [(False, "a < b, <thin> air, </think>")]),
        ("Write `<think>` so.", [(False, "Write `<think>` so.")]),
        ("```xml\n<think>\n```\n<think>Hm.</think>", [(False, "```xml\n<think>\n```\n"), (True, "Hm.")]),
        ("A stray ` here.\n<think>Hm.</think>", [(False, "A stray ` here.\n"), (True, "Hm.")]),
        ("Ends in <thi", [(False, "Ends in <thi")]),
    ],
)
def test_it_tells_thought_from_text_wherever_it_is_cut(text: str, pieces: list[tuple[bool, str]]) -> None:
    assert split(text) == pieces
    assert split(*text) == pieces
    for at in range(len(text)):
        assert split(text[:at], text[at:]) == pieces


_BITS = st.sampled_from(["<", "think", ">", "</", "<think>", "</think>", "`", "```", "\n", "a", " ", "é"])


@given(st.lists(_BITS, max_size=25), st.data())
def test_cuts_never_matter(bits: list[str], data: st.DataObject) -> None:
    text = "".join(bits)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=12)))
    parts = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    if "`" * 10 not in text:
        assert split(*parts) == split(text)


@given(st.lists(_BITS, max_size=60))
def test_little_is_held_back(bits: list[str]) -> None:
    splitter = ThinkSplitter()
    for bit in bits:
        splitter.feed(bit)
        assert len(splitter._held) < 12
