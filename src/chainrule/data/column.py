"""One column of a table: its cells as text, as numbers, and as codes of distinct texts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from chainrule.data.cast import Cells as Cells
from chainrule.data.cast import cast_numbers, cast_times
from chainrule.data.cast import number_of as number_of

_T = TypeVar("_T")

MISSING = frozenset(
    ["", "na", "n/a", "nan", "null", "none", "?", "-", "--", "unknown", "#n/a", "<na>", "\\n"]
)
"""Texts that mean "not known", compared in lower case; an empty cell is missing as well."""

AT_ONCE = 2**16
"""So many numbers are looked at before the next ones are."""

HUGE = 1e150
"""Numbers beyond this have squares that overflow: they are bad cells, as infinities are."""


class Column:
    """Cells of one column, read as text, numbers or codes; each reading is made once, when asked.

    Made from texts (object [n], None for an empty cell) or from numbers (float64 [n], NaN for
    missing); the other reading follows from the one given. `markers` are the texts, in lower case,
    that mean "not known".

    >>> column = Column.of(["7", " 8.5 ", "?", "x", ""])
    >>> column.numbers
    array([7. , 8.5, nan, nan, nan])
    >>> column.missing.tolist()
    [False, False, True, False, True]
    >>> column.bad.tolist()
    [3]
    """

    __slots__ = (
        "_cells",
        "_codes",
        "_longest",
        "_missing",
        "_numbers",
        "_raw",
        "_values",
        "from_numbers",
        "markers",
        "size",
    )

    def __init__(
        self,
        cells: Cells | None = None,
        numbers: NDArray[np.float64] | None = None,
        markers: frozenset[str] = MISSING,
    ) -> None:
        self._cells = cells
        self._raw = numbers
        self._numbers: NDArray[np.float64] | None = None
        self.markers = markers
        self._longest = max(map(len, markers))
        self.from_numbers = cells is None
        self._missing: NDArray[np.bool_] | None = None
        self._codes: NDArray[np.int64] | None = None
        self._values: list[str | None] = []
        self.size: int = len(cells) if cells is not None else len(_given(numbers))

    @classmethod
    def of(cls, values: Iterable[Any]) -> Column:
        """A column of any values: NumPy numbers stay numbers, all else becomes stripped text."""
        if not isinstance(values, np.ndarray):
            values = _listed(values)
        if values.dtype.kind in "fiu" and values.dtype.itemsize <= 8:
            return cls(numbers=values.astype(np.float64))
        cells = np.empty(len(values), dtype=object)
        cells[:] = [_text(value) for value in values.tolist()]
        return cls(cells)

    def __len__(self) -> int:
        return self.size

    @property
    def cells(self) -> Cells:
        """The texts, object [n]; None for an empty cell."""
        if self._cells is None:
            self._cells = number_texts(_given(self._raw))
        return self._cells

    @property
    def numbers(self) -> NDArray[np.float64]:
        """The cells as numbers, float64 [n]; NaN where one is missing, bad or beyond 1e150."""
        if self._numbers is None:
            self._parse()
        return _given(self._numbers)

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Where a cell is empty or holds a missing marker, bool [n]."""
        if self._missing is None:
            self._parse()
        return _given(self._missing)

    @property
    def bad(self) -> NDArray[np.int64]:
        """The rows of cells that are neither missing nor numbers up to 1e150, int64 [bad]."""
        return np.flatnonzero(np.isnan(self.numbers) & ~self.missing)

    @property
    def identity(self) -> NDArray[np.int64]:
        """Integers that are equal where two cells are, as numbers if all of them are."""
        if len(self.bad):
            return self.codes if self.hashes is None else self.hashes
        numbers = self.numbers + 0.0
        numbers[self.missing] = np.nan
        return numbers.view(np.int64)

    @property
    def hashes(self) -> NDArray[np.int64] | None:
        """A hash of each text, int64 [n], where they are too many to be `values`; else None."""
        return None

    @property
    def blank(self) -> bool:
        """Whether every cell is empty."""
        return not self.cells.any()

    def same_as(self, text: str) -> NDArray[np.bool_]:
        """Where a cell is just this text, bool [n]; nowhere among numbers that were given."""
        if self.from_numbers:
            return np.zeros(self.size, dtype=np.bool_)
        return np.asarray(self.cells == text, dtype=np.bool_)

    def at(self, rows: NDArray[Any] | slice) -> Cells:
        """The texts in some rows only (places, or a mask), object."""
        return self.cells[rows]

    def times(self, forms: Sequence[str]) -> NDArray[np.int64]:
        """The cells as seconds since 1970, int64 [n], by the first of some forms that fits."""
        return cast_times(self.cells, forms)

    @property
    def codes(self) -> NDArray[np.int64]:
        """For each cell the place of its text in `values`, int64 [n]."""
        if self._codes is None:
            texts: list[str | None] = self.cells.tolist()
            places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
            self._codes = np.fromiter(map(places.__getitem__, texts), np.int64, len(texts))
            self._values = list(places)
        return self._codes

    @property
    def values(self) -> list[str | None]:
        """The distinct texts; after `take` some may belong to rows that were not taken."""
        return self._values if self._codes is not None else (self.codes, self._values)[1]

    def marked(self, markers: Iterable[str]) -> Column:
        """The same column with these texts, and no others, as markers of missing cells.

        A marker that is a number marks the number, however it is written.

        >>> Column.of(["1", "none", "999.0"]).marked(["999"]).missing.tolist()
        [False, False, True]
        """
        known = frozenset(["", *(marker.strip().lower() for marker in markers)])
        if not self.from_numbers:
            return Column(self.cells, markers=known)
        raw = _given(self._raw)
        gone = np.isin(raw, as_numbers(known))
        return Column(numbers=np.where(gone, np.nan, raw), markers=known)

    def means_missing(self, text: str | None) -> bool:
        """Whether a text of this column means "not known"."""
        return text is None or (len(text) <= self._longest and text.lower() in self.markers)

    def take(self, rows: NDArray[Any]) -> Column:
        """The column of some rows only (places, int64, or a mask, bool)."""
        taken = Column.__new__(Column)
        taken._cells = None if self._cells is None else self._cells[rows]
        taken._raw = None if self._raw is None else self._raw[rows]
        read = not self.from_numbers and self._numbers is not None  # what was given is soon read
        taken._numbers = _given(self._numbers)[rows] if read else None
        taken._missing = _given(self._missing)[rows] if read else None
        taken._codes = None if self._codes is None else self._codes[rows]
        taken._values = self._values
        taken.markers, taken._longest = self.markers, self._longest
        taken.from_numbers = self.from_numbers
        taken.size = len(rows) if rows.dtype != np.bool_ else int(np.count_nonzero(rows))
        return taken

    def let_go(self) -> None:
        """Nothing more is asked for a while: hold nothing that can be had again."""

    def of_values(self, rule: Callable[[str | None], Any], dtype: Any) -> NDArray[Any]:
        """`rule` of each cell's text, [n], worked out once for each distinct text."""
        codes = self.codes
        return np.array([rule(value) for value in self.values], dtype=dtype)[codes]

    def _parse(self) -> None:
        """Read every cell as a number, all at once; what is none is looked at text by text."""
        if self._raw is not None:
            self._numbers, self._missing = bounded(self._raw), np.isnan(self._raw)
            return
        numbers = cast_numbers(self.cells)
        missing = self.cells == None  # noqa: E711 (element by element)
        odd = np.flatnonzero(np.isnan(numbers) & ~missing)
        texts: list[str] = self.cells[odd].tolist()
        distinct = dict.fromkeys(texts)
        if any(map(self.means_missing, distinct)):
            marks = {text for text in distinct if self.means_missing(text)}
            missing[odd] = [text in marks for text in texts]
        foreign = {text: number_of(text) for text in distinct if not text.isascii()}
        if foreign:  # other digits than those of ASCII
            numbers[odd] = [foreign.get(text, np.nan) for text in texts]
        if as_numbers(self.markers):
            missing |= np.isin(numbers, as_numbers(self.markers))
        numbers[missing] = np.nan
        self._numbers, self._missing = bounded(numbers), missing


def is_missing(text: str | None) -> bool:
    """Whether a cell's text means "not known".

    >>> is_missing("N/A"), is_missing(None), is_missing("0")
    (True, True, False)
    """
    return text is None or text.strip().lower() in MISSING


def bounded(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Numbers with NaN in place of those that are infinite or beyond 1e150, float64 [n].

    >>> bounded(np.array([1.0, -np.inf, 1e200]))
    array([ 1., nan, nan])
    """
    far = np.abs(numbers) > HUGE
    return np.where(far, np.nan, numbers) if far.any() else numbers


def are_whole(numbers: NDArray[np.float64]) -> bool:
    """Whether all of some known numbers are whole; it looks no further than it must.

    >>> are_whole(np.array([1.0, 2.0])), are_whole(np.array([1.0, 2.5]))
    (True, False)
    """
    pieces = (numbers[start : start + AT_ONCE] for start in range(0, len(numbers), AT_ONCE))
    return all(bool((piece == np.floor(piece)).all()) for piece in pieces)


def count_different(numbers: NDArray[np.float64]) -> int:
    """How many different ones there are of some known numbers, which are sorted in their place.

    >>> count_different(np.array([2.0, 1.0, 2.0]))
    2
    """
    numbers.sort()
    return min(1, len(numbers)) + int(np.count_nonzero(numbers[1:] != numbers[:-1]))


def is_huge(text: str | None) -> bool:
    """Whether a cell's text is a number that is infinite or beyond 1e150.

    >>> is_huge("-inf"), is_huge("1e150"), is_huge("far")
    (True, False, False)
    """
    return abs(number_of(text)) > HUGE


def number_texts(numbers: NDArray[np.float64]) -> Cells:
    """Numbers as the shortest texts that read back equal, object [n]; None for NaN.

    >>> number_texts(np.array([3.0, 0.1, np.nan])).tolist()
    ['3', '0.1', None]
    """
    texts = np.empty(len(numbers), dtype=object)
    texts[:] = [None if number != number else number_text(number) for number in numbers.tolist()]
    return texts


def number_text(number: float) -> str:
    """One number as the shortest text that reads back equal; whole numbers without a point.

    >>> number_text(3.0), number_text(0.1), number_text(1e300)
    ('3', '0.1', '1e+300')
    """
    return str(int(number)) if number.is_integer() and abs(number) < 2.0**53 else repr(number)


@cache
def as_numbers(markers: frozenset[str]) -> list[float]:
    """The markers that are numbers."""
    return [number for number in map(number_of, markers) if number == number]


def _text(value: Any) -> str | None:
    """Any value as a stripped text, a list as JSON; None for what is empty, None or NaN."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return json.dumps(value, ensure_ascii=False, default=str)
    if value is None or value != value:
        return None
    if isinstance(value, float):
        return number_text(float(value))  # a NumPy float has another repr
    return str(value).strip() or None


def _listed(values: Iterable[Any]) -> NDArray[Any]:
    """A Python sequence as an array that keeps each value as it is."""
    listed = list(values)
    array = np.empty(len(listed), dtype=object)
    array[:] = listed
    return array


def _given(value: _T | None) -> _T:
    """What is known to be there."""
    assert value is not None
    return value
