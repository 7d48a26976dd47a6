"""One BLAS thread for small products."""

from __future__ import annotations

import pytest

from chainrule.train import threads
from chainrule.train.threads import LARGE, one_thread_below

found = threads._openblas()


@pytest.fixture
def two_threads(monkeypatch: pytest.MonkeyPatch) -> object:
    """The function that reads the number of threads, which is two, as far as there are two."""
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


def test_small_products_take_one_thread(two_threads: object) -> None:
    assert callable(two_threads)
    with one_thread_below(LARGE - 1):
        assert two_threads() == 1
    assert two_threads() == 2


def test_large_ones_and_the_users_own_choice_are_left_alone(
    two_threads: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callable(two_threads)
    with one_thread_below(LARGE):
        assert two_threads() == 2
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    with one_thread_below(1):
        assert two_threads() == 2


def test_the_number_is_restored_after_an_error(two_threads: object) -> None:
    assert callable(two_threads)
    with pytest.raises(KeyError), one_thread_below(1):
        raise KeyError
    assert two_threads() == 2
