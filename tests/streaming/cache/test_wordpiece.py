"""Text becomes the numbers that BERT's own tokenizer gives; the expected ones were taken from it."""

from __future__ import annotations

import pytest

from streaming.cache.semantic.wordpiece import MAX_TOKENS, bert_uncased

EXPECTED = {
    "What is 2+2?": [101, 2054, 2003, 1016, 1009, 1016, 1029, 102],
    "naïve café": [101, 15743, 7668, 102],
    "日本語 text": [101, 1864, 1876, 1950, 3793, 102],
    "it's 3.5€ — ok": [101, 2009, 1005, 1055, 1017, 1012, 1019, 30102, 1517, 7929, 102],
    "\u200bzero\x00width": [101, 5717, 9148, 11927, 2232, 102],
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa": [
        101,
        100,
        102,
    ],
    "🙂 unbelievably": [101, 100, 4895, 8671, 2666, 3567, 6321, 102],
    "": [101, 102],
}


@pytest.mark.parametrize("text", EXPECTED, ids=ascii)
def test_it_reads_as_bert_does(text: str) -> None:
    assert bert_uncased().encode(text) == EXPECTED[text]


def test_what_is_too_long_is_cut() -> None:
    numbers = bert_uncased().encode("word " * 1_000)
    assert len(numbers) == MAX_TOKENS
    assert (numbers[0], numbers[-1]) == (101, 102)
