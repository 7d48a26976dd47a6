"""One BLAS thread for small products."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from chainrule.train.threads import LARGE, one_thread_below, openblas

Count = Callable[[], int]


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> Iterator[Count]:
    """Reads the number of threads, which is two at first, as far as there can be two."""
    found = openblas()
    if found is None:
        pytest.skip("this NumPy does not bring OpenBLAS along")
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    get, put = found
    before = get()
    put(2)
    if get() != 2:
        pytest.skip("there is one thread only")
    yield get
    put(before)


def test_small_products_take_one_thread(count: Count) -> None:
    with one_thread_below(LARGE - 1):
        assert count() == 1
    assert count() == 2


def test_large_ones_are_left_alone(count: Count) -> None:
    with one_thread_below(LARGE):
        assert count() == 2


def test_the_users_own_choice_is_left_alone(count: Count, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    with one_thread_below(1):
        assert count() == 2


def test_the_number_is_restored_after_an_error(count: Count) -> None:
    with pytest.raises(KeyError), one_thread_below(1):
        raise KeyError
    assert count() == 2
