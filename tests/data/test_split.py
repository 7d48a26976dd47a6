"""Splits: a partition, seeded, in proportion."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.data import split_rows
from chainrule.data.split import rare_classes
from chainrule.errors import DataError


def parts(split):
    return split.train, split.validation, split.test


@given(st.integers(20, 400), st.integers(0, 2**40))
def test_every_row_is_in_one_part_and_the_sizes_are_70_15_15(n, seed):
    split = split_rows(n, seed)
    assert sorted(np.concatenate(parts(split)).tolist()) == list(range(n))
    assert (len(split.validation), len(split.test)) == (round(0.15 * n), round(0.15 * n))
    again = split_rows(n, seed)
    assert all((a == b).all() for a, b in zip(parts(split), parts(again), strict=True))
    assert all((np.diff(part) > 0).all() for part in parts(split))


@given(st.lists(st.integers(3, 60), min_size=2, max_size=8), st.integers(0, 1000))
def test_classes_keep_their_proportion_and_all_train(counts, seed):
    classes = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    if len(classes) < 20:
        return
    split = split_rows(len(classes), seed, classes)
    assert sorted(np.concatenate(parts(split)).tolist()) == list(range(len(classes)))
    for label, count in enumerate(counts):
        sizes = [np.count_nonzero(classes[part] == label) for part in parts(split)]
        assert sizes[0] >= 1
        for size, share in zip(sizes, (0.7, 0.15, 0.15), strict=True):
            assert abs(size - share * count) <= 2


def test_seeds_differ():
    assert (split_rows(100, 0).test != split_rows(100, 1).test).any()
    classes = np.arange(100) % 3
    assert (split_rows(100, 0, classes).test != split_rows(100, 1, classes).test).any()


def test_a_given_part_takes_no_rows():
    split = split_rows(100, 0, test=0.0)
    assert [len(part) for part in parts(split)] == [85, 15, 0]
    split = split_rows(2, 0, np.array([0, 1]), validation=0.0, test=0.0)
    assert [len(part) for part in parts(split)] == [2, 0, 0]


def test_rare_classes_train_only():
    classes = np.array([0] * 30 + [1] * 30 + [2] * 2 + [4])
    assert rare_classes(classes) == [2, 4]
    split = split_rows(len(classes), 0, classes)
    assert {60, 61, 62} <= set(split.train.tolist())


def test_too_few_rows_says_how_many_are_needed():
    with pytest.raises(DataError, match="19 usable rows, too few") as caught:
        split_rows(19, 0, source="t.csv")
    assert caught.value.expected == "at least 20 rows"


def test_classes_too_rare_to_split():
    with pytest.raises(DataError, match="too rare to split") as caught:
        split_rows(32, 0, np.array([0] * 30 + [1] * 2))
    assert caught.value.expected == "at least two classes with 3 rows or more"
