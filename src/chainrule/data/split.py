"""Which rows train, which choose, which judge: 70/15/15, by chance, by groups or by time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chainrule.data.lines import every_place, small
from chainrule.data.streams import Use, permutation
from chainrule.errors import DataError

Rows = NDArray[np.int64]

VALIDATION, TEST = 0.15, 0.15
"""The shares of all rows that validate and test; the others train."""

LEAST = 20
"""The fewest rows of a table that is split."""

RARE = 3
"""A class with fewer rows trains only: it cannot be in all three parts."""


@dataclass(frozen=True, eq=False)
class Split:
    """The rows of each part, int32 or int64, in the order of the table."""

    train: Rows
    validation: Rows
    test: Rows


def split_rows(
    n: int,
    seed: int,
    classes: NDArray[np.int64] | None = None,
    validation: float = VALIDATION,
    test: float = TEST,
    source: str = "the table",
) -> Split:
    """Split `n` rows by a seed; `classes` int64 [n] keeps each class in proportion.

    A share of 0 leaves a part empty. With classes the rows are shuffled, sorted by class, and
    dealt out evenly along that order, so each class is in proportion to within one row a part.
    DataError if there are too few rows, or fewer than two classes that have three.

    >>> split = split_rows(20, seed=0)
    >>> len(split.train), len(split.validation), len(split.test)
    (14, 3, 3)
    """
    if validation + test == 0:
        return Split(np.arange(n), np.arange(0), np.arange(0))
    _refuse_few(n, source)
    order = small(permutation(seed, Use.SPLIT, 0, n), n)
    if classes is not None:
        order = order[np.argsort(classes[order], kind="stable")]
        rare = _rare(classes, source)[order]
        train_only, order = order[rare], order[~rare]
    else:
        train_only = order[:0]
    test_places = _evenly(len(order), round(test * len(order)))
    rest = np.delete(every_place(len(order)), test_places)
    validation_places = _evenly(len(rest), round(validation * len(order)))
    chosen, train = rest[validation_places], np.delete(rest, validation_places)
    return Split(
        train=np.sort(np.concatenate([order[train], train_only])),
        validation=np.sort(order[chosen]),
        test=np.sort(order[test_places]),
    )


def split_groups(
    groups: NDArray[np.int64],
    seed: int,
    validation: float = VALIDATION,
    test: float = TEST,
    source: str = "the table",
) -> Split:
    """Split rows so that all of a group, int64 [n], are in one part.

    The groups are shuffled by the seed; each goes where the largest share is still wanting, as
    seen from its middle. DataError if there are too few rows, or fewer groups than parts.

    >>> split = split_groups(np.arange(40) // 4, seed=0)
    >>> len(split.train), len(split.validation), len(split.test)
    (28, 8, 4)
    """
    n, shares = len(groups), np.array([1.0 - validation - test, validation, test])
    _refuse_few(n, source)
    _, places, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    if len(sizes) < np.count_nonzero(shares):
        raise DataError(
            f"{source} has too few groups to split",
            expected=f"at least {np.count_nonzero(shares)}: no group is in two parts",
            got=len(sizes),
        )
    part_of = np.zeros(len(sizes), dtype=np.int64)
    filled = np.zeros(3)
    for group in permutation(seed, Use.SPLIT, 0, len(sizes)).tolist():
        then = filled + np.where(filled > 0, sizes[group] / 2, 0)
        part_of[group] = np.argmin(np.where(shares > 0, then / np.maximum(shares, 1e-9), np.inf))
        filled[part_of[group]] += sizes[group]
    return _parts(part_of[places])


def split_in_order(
    times: NDArray[np.int64],
    validation: float = VALIDATION,
    test: float = TEST,
    source: str = "the table",
) -> Split:
    """Split rows by time, int64 [n]: the earliest train, then come validation and test.

    Rows of one time are in one part. DataError if there are too few rows, or if so many are of one
    time that a part would be empty.

    >>> split = split_in_order(np.arange(20)[::-1])
    >>> split.test.tolist(), split.validation.tolist()
    ([0, 1, 2], [3, 4, 5])
    """
    n = len(times)
    _refuse_few(n, source)
    ordered = np.sort(times)
    to_test, to_validation = n - round(test * n), n - round(test * n) - round(validation * n)
    part_of = np.zeros(n, dtype=np.int64)
    for part, start in ((1, to_validation), (2, to_test)):
        if start < n:
            part_of[times >= ordered[start]] = part
    wanted = [share > 0 for share in (1.0, validation, test)]
    if (np.bincount(part_of, minlength=3) == 0)[wanted].any():
        raise DataError(
            f"too many rows of {source} are of one time to split by it",
            expected="times that differ from row to row",
            got=f"{len(np.unique(times)):,} times in {n:,} rows",
        )
    return _parts(part_of)


def _parts(part_of: NDArray[np.int64]) -> Split:
    """The split that gives each row's part: 0 trains, 1 chooses, 2 judges."""
    return Split(*(np.flatnonzero(part_of == part) for part in range(3)))


def rare_classes(classes: NDArray[np.int64]) -> list[int]:
    """The classes with fewer than three rows."""
    counts = np.bincount(classes)
    return np.flatnonzero((counts > 0) & (counts < RARE)).tolist()


def _rare(classes: NDArray[np.int64], source: str) -> NDArray[np.bool_]:
    """Which rows are of a class too rare to split; DataError if not even two classes are left."""
    counts = np.bincount(classes)
    if np.count_nonzero(counts >= RARE) < 2:
        raise DataError(
            f"the classes of {source} are too rare to split",
            expected=f"at least two classes with {RARE} rows or more",
            got=f"rows a class: {', '.join(map(str, sorted(counts.tolist())[-5:]))}",
        )
    return (counts < RARE)[classes]


def _evenly(n: int, count: int) -> Rows:
    """`count` places spread evenly over 0 to n - 1, int64 [count]."""
    return (2 * np.arange(count, dtype=np.int64) + 1) * n // max(1, 2 * count)


def _refuse_few(n: int, source: str) -> None:
    """DataError if a table has too few rows for the parts asked of it."""
    if n >= LEAST:
        return
    raise DataError(
        f"{source} has {n} usable rows, too few to split into parts",
        expected=f"at least {LEAST} rows",
        hint="bring more rows, or validation and test rows of their own",
    )
