"""Work by several threads: the same results in the same order, errors told, memory as allowed."""

from __future__ import annotations

import threading
from time import sleep

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.data.room import allowance, allowed
from chainrule.data.side_by_side import MANY, PLENTY, side_by_side


@given(st.lists(st.integers()), st.sampled_from([1, MANY]))
def test_results_stand_in_the_order_of_the_items(items: list[int], rows: int) -> None:
    with allowed(PLENTY):
        assert side_by_side(lambda x: x * 2, items, rows) == [x * 2 for x in items]


@pytest.mark.parametrize("bad", range(4))
def test_an_error_is_told_from_any_thread(bad: int) -> None:
    def work(item: int) -> int:
        sleep(0.001)
        return 1 // (item - bad)

    with allowed(PLENTY), pytest.raises(ZeroDivisionError):
        side_by_side(work, range(4), MANY)


@pytest.mark.parametrize(("memory", "rows"), [(PLENTY - 1, MANY), (PLENTY, MANY - 1)])
def test_little_memory_or_few_rows_are_for_one_thread(memory: int, rows: int) -> None:
    with allowed(memory):
        found = side_by_side(lambda _: threading.get_ident(), range(50), rows)
    assert set(found) == {threading.get_ident()}


def test_what_memory_is_allowed_is_known_to_every_thread() -> None:
    with allowed(PLENTY + 7):
        found = side_by_side(lambda _: (sleep(0.001), allowance())[1], range(20), MANY)
    assert set(found) == {PLENTY + 7}
