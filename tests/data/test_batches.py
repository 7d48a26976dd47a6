"""The order of rows, and batches."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.data import batches, row_order
from chainrule.errors import SettingError


@given(st.integers(0, 300), st.integers(0, 2**63), st.integers(0, 1000))
def test_an_order_holds_every_row_once_and_depends_on_its_arguments_only(n, seed, epoch):
    order = row_order(n, seed, epoch)
    assert order.dtype == np.int64
    assert sorted(order.tolist()) == list(range(n))
    assert (order == row_order(n, seed, epoch)).all()


def test_epochs_and_seeds_change_the_order():
    orders = [row_order(100, seed, epoch) for seed in (0, 1) for epoch in (0, 1)]
    assert len({tuple(order.tolist()) for order in orders}) == 4


def test_a_thousand_rows_in_hundreds_are_ten_batches():
    assert [len(rows) for rows in batches(row_order(1000, 0, 0), 100)] == [100] * 10


@given(st.integers(0, 200), st.integers(1, 50))
def test_batches_are_full_but_for_the_last_and_lose_nothing(n, size):
    order = row_order(n, 0, 0)
    parts = list(batches(order, size))
    assert all(len(part) == size for part in parts[:-1])
    assert [row for part in parts for row in part] == order.tolist()
    assert len(parts) == -(-n // size)


def test_an_empty_batch_is_refused():
    with pytest.raises(SettingError, match="at least one row"):
        list(batches(row_order(3, 0, 0), 0))
