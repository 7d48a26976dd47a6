"""Texts as tokens: words, pairs, shapes of numbers; and what is not in the vocabulary."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.data import Column, Text
from chainrule.data.text import MOST_LENGTH, words, words_and_pairs

NOTES = Column.of(["Win £1000 now!", "call me now", "call me later", "win now", None])


def test_words_are_lower_case_and_numbers_have_only_a_length():
    assert words("WIN £1,500 now-ish, don't!") == [
        "win", "£", "#", ",", "###", "now", "-", "ish", ",", "don't", "!",
    ]  # fmt: skip
    assert words_and_pairs("a b a b") == ["a", "b", "a b", "b a"]


def test_a_token_needs_two_training_rows():
    record = Text.fit("note", NOTES)
    assert record.vocabulary == ["call", "call me", "me", "now", "win"]
    assert record.length == 4
    codes = record.apply(NOTES.take(np.array([1, 4, 0])))
    assert codes.tolist() == [[2, 4, 3, 5], [1, 0, 0, 0], [6, 5, 0, 0]]
    assert record.unseen(Column.of(["zebra", "call", None, "zebra"])) == {"zebra": 2}
    assert record.inverse(record.apply(Column.of(["Call me!", None, "zebra"]))).tolist() == [
        "call me",
        None,
        "",
    ]


def test_a_sequence_keeps_order_and_repeats():
    record = Text.fit("note", NOTES, "sequence")
    assert record.vocabulary == ["call", "me", "now", "win"]
    assert record.apply(Column.of(["now call now"])).tolist() == [[4, 2, 4]]


def test_long_texts_are_cut():
    record = Text.fit("note", Column.of(["again " * 999] * 3), "sequence")
    assert record.length == MOST_LENGTH
    assert record.apply(Column.of(["again " * 2000])).shape == (1, MOST_LENGTH)


@pytest.mark.parametrize("order", ["bag", "sequence"])
@given(texts=st.lists(st.text(), min_size=1, max_size=12))
def test_any_text_has_codes_in_the_table(order, texts):
    column = Column.of(texts)
    record = Text.fit("t", column.take(np.arange(len(texts) // 2)), order)
    codes = record.apply(column)
    assert codes.shape == (len(texts), record.slots)
    assert codes.dtype == np.int64
    assert codes.min() >= 0
    assert codes.max() < record.size
    alone = [record.apply(Column.of([text])) for text in texts]
    assert (np.concatenate(alone) == codes).all()
