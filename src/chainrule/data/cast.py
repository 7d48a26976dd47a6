"""Texts as numbers and as times, a whole column at once: duckdb reads them on all cores."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import duckdb

Cells = NDArray[np.object_]

MANY = 5000
"""For more texts than this it pays to look first at how they are written."""

FEW = 64
"""Up to so many texts Python reads as numbers sooner than a query begins."""

NO_TIME = int(np.iinfo(np.int64).min)
"""What stands for "no time" among seconds; NumPy's NaT is the same integer."""


NUMBER = (
    "case when contains(text, '_') or contains(text, '+-') then null "
    "else try_cast(text as double) end"
)
"""SQL: a `text` as a number, null if it is none."""


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    """One connection for the process; each use takes a cursor of its own, so threads may."""
    import duckdb

    return duckdb.connect(config={"autoinstall_known_extensions": "false"})


def _asked(cells: Cells, select: str, settings: Sequence[object] = ()) -> list[NDArray[np.float64]]:
    """The columns of `select` over texts called `text`, float64 [n] each, NaN where null."""
    with _engine().cursor() as cursor:
        cursor.register("cells", cells)
        found = cursor.execute(
            f"select {select} from (select column0 as text from cells)", list(settings)
        ).fetchnumpy()
    return [np.ma.filled(column.astype(np.float64), np.nan) for column in found.values()]


def plain(cells: Any) -> Cells:
    """Texts as duckdb gives them, object [n], without the mask; None where it says null.

    >>> plain(np.ma.array(["a", "?"], mask=[False, True], dtype=object)).tolist()
    ['a', None]
    """
    if isinstance(cells, np.ma.MaskedArray):
        found = np.array(cells.data, dtype=object)
        found[np.ma.getmaskarray(cells)] = None
        return found
    return np.asarray(cells, dtype=object)


def in_order(places: NDArray[np.int64], arrays: Sequence[Any]) -> list[Any]:
    """Columns of a result, each row in its place: duckdb's threads hand them in as they finish.

    >>> in_order(np.array([1, 0]), [np.array([7.0, 8.0])])[0].tolist()
    [8.0, 7.0]
    """
    if len(places) < 2 or (places[1:] > places[:-1]).all():
        return list(arrays)
    ordered = []
    for array in arrays:
        made = np.ma.empty_like(array) if np.ma.isMaskedArray(array) else np.empty_like(array)
        made[places] = array
        ordered.append(made)
    return ordered


def cast_numbers(cells: Cells) -> NDArray[np.float64]:
    """Texts as numbers, float64 [n]; NaN for None and for what is no number.

    Signs that follow each other and `1_000` are no numbers here.

    >>> cast_numbers(np.array(["1.5", "-1e3", "1_000", "x", None], dtype=object))
    array([    1.5, -1000. ,     nan,     nan,     nan])
    """
    if len(cells) <= FEW:
        return np.array([number_of(text) for text in cells.tolist()], dtype=np.float64)
    return _asked(cells, NUMBER)[0]


def number_of(text: str | None) -> float:
    """A cell's number, or NaN; `1_000` is no number here, though Python reads one.

    >>> number_of("-1e3"), number_of("1_000"), number_of(None)
    (-1000.0, nan, nan)
    """
    if text is None or "_" in text:
        return float("nan")
    try:
        return float(text)
    except ValueError:
        return float("nan")


def cast_times(cells: Cells, forms: Sequence[str]) -> NDArray[np.int64]:
    """Texts as seconds since 1970, int64 [n], by the first of some `strptime` forms that fits.

    NO_TIME for None, for what fits no form, and for years before 1000, which are typing errors.
    Times with an offset become UTC; fractions of seconds are dropped. The form "%s" is a count of
    seconds since 1970, or of milliseconds, between 1973 and 2286.

    >>> texts = np.array(["1970-01-02", "1970-01-01", "x"], dtype=object)
    >>> cast_times(texts, ["%Y-%m-%d"])[:2].tolist()
    [86400, 0]
    """
    found = _counted(cells) if SINCE_1970 in forms else np.full(len(cells), np.nan)
    zoned = [form for form in forms if "%z" in form]
    for some in ([form for form in forms if form not in (*zoned, SINCE_1970)], zoned):
        left = np.flatnonzero(np.isnan(found) & (cells != None))  # noqa: E711 (by element)
        if some and len(left):
            found[left] = _times(cells[left], some)
    found[found < _YEAR_1000] = np.nan
    known = ~np.isnan(found)
    seconds = np.full(len(cells), NO_TIME)
    seconds[known] = np.floor(found[known]).astype(np.int64)
    return seconds


SINCE_1970 = "%s"
"""The form of times that are counted since 1970 began, as clocks of computers do."""

_SECONDS = 1e8, 1e10  # so many are between 1973 and 2286; 1,000 times as many are milliseconds


def _counted(cells: Cells) -> NDArray[np.float64]:
    """Counts of seconds or milliseconds since 1970 as seconds, float64 [n]; NaN for others."""
    counts = cast_numbers(cells)
    seconds = np.where(np.abs(counts) < 1000 * _SECONDS[0], counts, counts / 1000)
    low, high = _SECONDS
    return np.where((seconds >= low) & (seconds < high), seconds, np.nan)


_YEAR_1000 = float(np.datetime64("1000-01-01", "s").astype(np.int64))
_WORDS = "lower(text) not in ('infinity', '-infinity', 'epoch')"  # duckdb's own, no dates


def _times(cells: Cells, forms: Sequence[str]) -> NDArray[np.float64]:
    """Seconds since 1970, float64 [n]; of very many texts the usual forms are tried first."""
    if len(cells) > MANY:
        sample = cells[:: len(cells) // 64]
        counts = fitting(sample, forms)
        forms = [form for _, form in sorted(zip(-counts, forms, strict=True))]
    select = f"case when {_WORDS} then epoch(try_strptime(text, ?)) end"
    return _asked(cells, select, [list(forms)])[0]


def fitting(cells: Cells, forms: Sequence[str]) -> NDArray[np.int64]:
    """How many of some texts fit each of some `strptime` forms, int64 [forms].

    >>> fitting(np.array(["1/2/2003", "30/2/2003", "x"], dtype=object), ["%d/%m/%Y", "%Y"])
    array([1, 0])
    """
    times = [
        f"count(case when {_WORDS} then try_strptime(text, ?) end) as c{i}"
        for i in range(len(forms))
    ]
    counts = _asked(cells, ", ".join(times), forms)
    return np.array([int(count[0]) for count in counts], dtype=np.int64)
