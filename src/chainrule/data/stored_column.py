"""A column whose cells stay on disk, and are read, cast or numbered when they are asked for."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.data.cast import cast_times, plain
from chainrule.data.column import MISSING, Cells, Column, as_numbers, bounded
from chainrule.data.store import Held, Store, literal, uniform

_serial = count()


class Selection:
    """Some of a store's rows; all columns of a table share one."""

    def __init__(self, where: NDArray[np.int64]) -> None:
        self.where = where
        self._taken: weakref.WeakValueDictionary[int, Selection] = weakref.WeakValueDictionary()
        self._rows: NDArray[Any] | None = None

    def take(self, rows: NDArray[Any]) -> Selection:
        """Some of these rows; the same object for the same `rows`."""
        found = self._taken.get(id(rows))
        if found is None:
            found = Selection(self.where[rows])
            found._rows = rows  # which keeps its id from being used again
            self._taken[id(rows)] = found
        return found

    @cached_property
    def span(self) -> tuple[int, int]:
        """The first of the rows and the one after the last."""
        if len(self.where) == 0:
            return 0, 0
        return int(self.where.min()), int(self.where.max()) + 1

    @cached_property
    def whole(self) -> bool:
        """Whether these are all rows of the span, in order."""
        first, last = self.span
        return last - first == len(self.where) and bool((np.diff(self.where) == 1).all())

    def of(self, array: Held) -> Held:
        """Of an array over the span, what belongs to these rows."""
        return array if self.whole else array[self.where - self.span[0]]


class StoredColumn(Column):
    """A column of a store: the same answers as any other, worked out by duckdb.

    What was worked out is kept while the store has room for it, and is worked out again after.
    """

    __slots__ = ("__weakref__", "_above", "_serial", "place", "rows", "store")

    def __init__(
        self,
        store: Store,
        place: int,
        rows: Selection,
        markers: frozenset[str] = MISSING,
        above: tuple[StoredColumn, NDArray[Any]] | None = None,
    ) -> None:
        super().__init__(cells=np.empty(0, dtype=object), markers=markers)
        self.store, self.place, self.rows = store, place, rows
        self.size = len(rows.where)
        self._above = above
        self._serial = next(_serial)
        for held in (store.kept, store.taken):
            weakref.finalize(self, held.forget, self._serial)

    @property
    def cells(self) -> Cells:
        """The texts, object [n]; None for an empty cell. Not kept: ask for few."""
        found = self._fetched(self.store.text(self.place))[0]
        texts: Cells = plain(found)
        return texts

    @property
    def numbers(self) -> NDArray[np.float64]:
        """The cells as numbers, float64 [n]; NaN where one is missing, bad or beyond 1e150."""
        return self._kept("numbers")

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Where a cell is empty or holds a missing marker, bool [n]."""
        return self._kept("missing")

    @property
    def codes(self) -> NDArray[np.int64]:
        """For each cell the place of its text in `values`, int64 [n]."""
        return self._kept("codes").astype(np.int64)

    @property
    def values(self) -> list[str | None]:
        """The distinct texts; some may belong to rows that were not taken."""
        return self.store.values(self.place)

    @property
    def blank(self) -> bool:
        """Whether every cell is empty."""
        return not self._fetched(f"{self.store.text(self.place)} is not null")[0].any()

    def same_as(self, text: str) -> NDArray[np.bool_]:
        """Where a cell is just this text, bool [n]."""
        found = self._fetched(f"coalesce({self.store.text(self.place)} = {literal(text)}, false)")
        return np.asarray(found[0], dtype=np.bool_)

    def at(self, rows: NDArray[Any] | slice) -> Cells:
        """The texts in some rows only (places, or a mask), object."""
        return self.store.texts_at(self.place, self.rows.where[rows])

    def times(self, forms: Sequence[str]) -> NDArray[np.int64]:
        """The cells as seconds since 1970, int64 [n]; each distinct text is read once."""
        return self._kept("times " + "\n".join(forms))

    def marked(self, markers: Iterable[str]) -> Column:
        """The same column with these texts, and no others, as markers of missing cells."""
        known = frozenset(["", *(marker.strip().lower() for marker in markers)])
        return StoredColumn(self.store, self.place, self.rows, known)

    def take(self, rows: NDArray[Any]) -> Column:
        """The column of some rows only (places, int64, or a mask, bool)."""
        taken = self.rows.take(rows)
        return StoredColumn(self.store, self.place, taken, self.markers, (self, rows))

    def _kept(self, what: str) -> Held:
        """A reading of the cells: as it was kept, or taken from a larger one, or made."""
        store, key = self.store, (self._serial, what)
        found = store.taken.get(key)
        if found is None:
            found = store.kept.get(key)
        above, rows = self._above or (None, None)
        if found is None and above is not None and 32 * above.size <= store.kept.limit:
            whole = above._kept(what)
            found = np.broadcast_to(whole[:1], self.size) if uniform(whole) else whole[rows]
            store.taken.put(key, found)
        return self._made(what) if found is None else found

    def _made(self, what: str) -> Held:
        """A reading of the cells made from the store."""
        if what.startswith("times "):
            values: Cells = np.array([*self.values, None], dtype=object)
            made = {what: cast_times(values, what.removeprefix("times ").split("\n"))[self.codes]}
        elif what == "codes":
            made = {what: self.rows.of(self.store.codes(self.place, *self.rows.span))}
        else:
            made = dict(zip(("numbers", "missing"), self._parsed(), strict=True))
        for name, array in made.items():
            self.store.kept.put((self._serial, name), array)
        return made[what]

    def _parsed(self) -> tuple[Held, Held]:
        """The cells as numbers, and where they are missing."""
        if self.store.kinds[self.place] == "varchar":
            return self._parsed_texts()
        first, last = self.rows.span
        (found,) = self.store.fetch(f"n{self.place}::double", first, last)
        numbers = np.ma.filled(found, np.nan)
        marks = ", ".join(literal(marker) for marker in sorted(self.markers))
        select = (
            f"{self.store.number(self.place)}, lower({self.store.own(self.place)}) in ({marks})"
        )
        places, (odd, marked) = self.store.odd(self.place, select, first, last)
        missing = np.isnan(numbers)
        numbers[places] = np.ma.filled(odd, np.nan)
        missing[places] = np.isnan(numbers[places]) & marked
        missing |= np.isin(numbers, as_numbers(self.markers))
        numbers[missing] = np.nan
        return bounded(self.rows.of(numbers)), self.rows.of(missing)

    def _parsed_texts(self) -> tuple[Held, Held]:
        """The same of a column of texts: each distinct text is read once."""
        codes = self._kept("codes")
        distinct = Column(np.array([*self.values, None], dtype=object), markers=self.markers)
        if np.isnan(distinct.numbers).all():  # one NaN does for all
            return np.broadcast_to(np.float64("nan"), self.size), distinct.missing[codes]
        return distinct.numbers[codes], distinct.missing[codes]

    def _fetched(self, select: str) -> list[Held]:
        """The columns of `select` in these rows."""
        return [self.rows.of(array) for array in self.store.fetch(select, *self.rows.span)]
