"""Cutting what a node says into entries loses nothing, delays nothing for long and never makes large ones."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from streaming.log.script import Entry
from streaming.node import Text, Thought, ToolCallDelta
from streaming.runner.batching import INTERVAL_S, MAX_GROWN, MAX_TOKENS, Batcher, Piece

words = st.text(max_size=6)
pieces: st.SearchStrategy[list[Piece]] = st.lists(
    st.one_of(
        st.builds(Text, words),
        st.builds(Thought, words, st.integers(0, 2)),
        st.builds(ToolCallDelta, st.just(0), st.sampled_from(["a", "b"]), st.just("search"), words),
    ),
    max_size=120,
)
# How long after the one before it each piece comes.
pauses = st.lists(st.floats(0, 0.06), min_size=120, max_size=120)


def runs_of(entries: list[Entry]) -> list[tuple[str, object, str]]:
    """Kind, step or call, and text, with neighbours of one kind joined."""
    runs: list[tuple[str, object, str]] = []
    for entry in entries:
        body = entry.body or {}
        kind, of = entry.type, body.get("call", entry.step)
        data = body.get("args_delta", entry.data)
        if runs and runs[-1][:2] == (kind, of):
            runs[-1] = (kind, of, runs[-1][2] + data)
        else:
            runs.append((kind, of, data))
    return runs


def runs_of_pieces(pieces: list[Piece]) -> list[tuple[str, object, str]]:
    entries = []
    for piece in pieces:
        if isinstance(piece, Text):
            entries.append(Entry("token", data=piece.data))
        elif isinstance(piece, Thought):
            entries.append(Entry("thought", data=piece.data, step=piece.step))
        else:
            entries.append(Entry("tool_call", body={"call": piece.id, "args_delta": piece.args_delta}))
    return runs_of(entries)


def taken_as_due(pieces: list[Piece], pauses: list[float]) -> list[tuple[float, list[Entry]]]:
    """What a writer that is never late takes, and when."""
    batcher, now, taken = Batcher("s"), 0.0, []
    for piece, pause in zip(pieces, pauses, strict=False):
        due = batcher.due(now)
        if due is not None and due <= pause:
            taken.append((now + due, batcher.take(now + due)))
        now += pause
        batcher.add(piece)
        if batcher.due(now) == 0:
            taken.append((now, batcher.take(now)))
    if (due := batcher.due(now)) is not None:
        taken.append((now + due, batcher.take(now + due)))
    return taken


@given(pieces, pauses)
def test_it_keeps_every_piece_in_order_however_they_are_taken(pieces: list[Piece], pauses: list[float]) -> None:
    entries = [entry for _, batch in taken_as_due(pieces, pauses) for entry in batch]
    assert runs_of(entries) == runs_of_pieces(pieces)
    assert sum(entry.n for entry in entries) == len(pieces)


@given(pieces, pauses)
def test_it_makes_no_entry_of_more_than_sixteen_tokens(pieces: list[Piece], pauses: list[float]) -> None:
    assert all(entry.n <= MAX_TOKENS for _, batch in taken_as_due(pieces, pauses) for entry in batch)


@given(pieces, pauses)
def test_it_lets_the_first_piece_go_at_once_and_no_other_wait_for_long(
    pieces: list[Piece], pauses: list[float]
) -> None:
    taken = taken_as_due(pieces, pauses)
    came, now = [], 0.0
    for _, pause in zip(pieces, pauses, strict=False):
        now += pause
        came.append(now)
    if came:
        assert taken[0][0] == came[0]
    for at, batch in taken:
        oldest = came[0]
        came = came[sum(entry.n for entry in batch) :]
        assert at - oldest <= INTERVAL_S + 1e-9


@given(pieces)
def test_it_merges_all_that_waited_for_a_slow_log(pieces: list[Piece]) -> None:
    batcher = Batcher("s")
    for piece in pieces:
        batcher.add(piece)
    entries = batcher.take(9.0)
    assert runs_of(entries) == runs_of_pieces(pieces)
    assert all(a.n >= MAX_TOKENS for a, b in pairwise(entries) if runs_of([a])[0][:2] == runs_of([b])[0][:2])
    assert batcher.waiting == 0
    assert batcher.due(9.0) is None


@given(st.integers(0, 3_000), st.sampled_from(["a", "ab", "word " * 20]))
def test_the_more_waits_for_a_slow_log_the_larger_its_entries(count: int, word: str) -> None:
    batcher = Batcher("s")
    for _ in range(count):
        batcher.add(Text(word))
    entries = batcher.take(9.0)
    assert "".join(entry.data for entry in entries) == word * count
    assert all(entry.n <= MAX_TOKENS * number for number, entry in enumerate(entries, 1))
    # As many as there are steps of 16, 32, 48 …, and where these are larger than an entry may be, one for each 16 KiB.
    assert len(entries) <= (2 * count / MAX_TOKENS) ** 0.5 + 1 + count * len(word) / MAX_GROWN
    assert all(len(entry.data) < MAX_GROWN + MAX_TOKENS * len(word) for entry in entries)


def test_it_lets_a_lone_token_after_a_pause_go_at_once() -> None:
    batcher = Batcher("s")
    batcher.add(Text("a"))
    batcher.take(0.0)
    batcher.add(Text("b"))
    assert batcher.due(0.0) == INTERVAL_S
    assert batcher.due(1.0) == 0
