"""Splits: a partition, seeded, in proportion."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.data import split_rows
from chainrule.data.split import rare_classes, split_groups, split_in_order
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


@given(st.lists(st.integers(1, 12), min_size=12, max_size=40), st.integers(0, 2**40))
def test_a_group_is_in_one_part_and_every_part_has_rows(sizes, seed):
    groups = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    if len(groups) < 20:
        return
    split = split_groups(groups, seed)
    assert sorted(np.concatenate(parts(split)).tolist()) == list(range(len(groups)))
    held = [set(groups[part].tolist()) for part in parts(split)]
    assert all(held)
    assert sum(map(len, held)) == len(sizes)
    for part, share in zip(parts(split), (0.7, 0.15, 0.15), strict=True):
        assert abs(len(part) - share * len(groups)) <= 2 * max(sizes)
    again = parts(split_groups(groups, seed))
    assert all((a == b).all() for a, b in zip(parts(split), again, strict=True))


def test_two_groups_cannot_fill_three_parts():
    with pytest.raises(DataError, match="too few groups"):
        split_groups(np.arange(40) % 2, 0)
    split = split_groups(np.arange(40) % 2, 0, test=0.0)
    assert [len(part) for part in parts(split)] == [20, 20, 0]


@given(st.lists(st.integers(0, 30), min_size=60, max_size=200))
def test_by_time_no_row_is_later_than_one_of_the_next_part(times):
    times = np.array(times)
    try:
        split = split_in_order(times)
    except DataError:
        assert np.bincount(times).max() > 0.15 * len(times) / 2
        return
    train, validation, test = (times[part] for part in parts(split))
    assert train.max() < validation.min()
    assert validation.max() < test.min()
    assert sorted(np.concatenate(parts(split)).tolist()) == list(range(len(times)))


def test_by_time_the_sizes_are_70_15_15():
    order = np.random.default_rng(0).permutation(200)
    split = split_in_order(order)
    assert [len(part) for part in parts(split)] == [140, 30, 30]
    assert sorted(order[split.test]) == list(range(170, 200))
    with pytest.raises(DataError, match="of one time"):
        split_in_order(np.zeros(40, np.int64))
