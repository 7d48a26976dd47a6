"""How many threads NumPy's BLAS takes for a matrix product.

OpenBLAS splits products so small that its threads spend their time waiting for each other: with
two threads on two cores the digits took 17 times as long as with one.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np

LARGE = 2**26
"""Multiplications in a product from which more threads are worth it."""

_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
_SUFFIXES = ("64_", "")


@contextmanager
def one_thread_below(multiplications: int) -> Iterator[None]:
    """Inside, BLAS takes one thread if the largest product has fewer multiplications than `LARGE`.

    Nothing is changed where the user has set OPENBLAS_NUM_THREADS or OMP_NUM_THREADS, or where
    NumPy uses another BLAS than the OpenBLAS that its wheels bring along.
    """
    found = openblas()
    if found is None or multiplications >= LARGE or any(name in os.environ for name in _VARIABLES):
        yield
        return
    get, put = found
    before = get()
    put(1)
    try:
        yield
    finally:
        put(before)


@cache
def openblas() -> tuple[Callable[[], int], Callable[[int], object]] | None:
    """The functions that read and set OpenBLAS's number of threads, or None."""
    package = Path(np.__file__).parent
    folders = (package.parent / "numpy.libs", package / ".dylibs", package / ".libs")
    for path in (path for folder in folders for path in folder.glob("*openblas*")):
        try:
            library = ctypes.CDLL(str(path))  # loaded already: the same one
        except OSError:
            continue
        for suffix in _SUFFIXES:
            get = getattr(library, f"scipy_openblas_get_num_threads{suffix}", None)
            put = getattr(library, f"scipy_openblas_set_num_threads{suffix}", None)
            if get is not None and put is not None:
                return get, put
    return None
