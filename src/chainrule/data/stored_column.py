"""A column whose cells stay on disk, and are read, cast or numbered when they are asked for."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.data.cast import cast_times, plain
from chainrule.data.column import MISSING, Cells, Column, as_numbers, bounded
from chainrule.data.lines import places, small
from chainrule.data.packed import Packed
from chainrule.data.store import READ, Held, Reading, Store, literal

AT_ONCE = 2 * 122_880
"""So many rows of a store are read at a time: two groups of duckdb's."""

_serial = count()


class Selection:
    """Some of a store's rows, `where` int32 or a range; all columns of a table share one."""

    def __init__(self, where: NDArray[Any] | range) -> None:
        self.where = where
        self._taken: weakref.WeakValueDictionary[int, Selection] = weakref.WeakValueDictionary()
        self._of: weakref.ref[NDArray[Any]] | None = None

    def __len__(self) -> int:
        return len(self.where)

    def take(self, rows: NDArray[Any]) -> Selection:
        """Some of these rows; the same object for the same `rows`."""
        found = self._taken.get(id(rows))
        if found is None or found._of is None or found._of() is not rows:
            found = Selection(self.at(rows))
            found._of = weakref.ref(rows)  # another array may have its id when it is gone
            self._taken[id(rows)] = found
        return found

    def at(self, rows: NDArray[Any] | slice) -> NDArray[Any] | range:
        """Where some of these rows are (places, or a mask)."""
        if isinstance(rows, slice):
            return self.where[rows]
        rows = places(rows) if rows.dtype == np.bool_ else rows
        where = self.where
        if isinstance(where, range) and _neighbours(rows):
            return where[int(rows[0]) : int(rows[-1]) + 1]
        if isinstance(where, range):
            return np.asarray(small(rows, where.stop) + where.start)
        return np.asarray(where[rows])

    def pieces(self) -> Iterator[tuple[slice, Selection]]:
        """These rows piece by piece, as they are read, and where among them each piece is."""
        first, last = self.span
        if not self.rising:
            yield slice(0, len(self)), self
            return
        start = 0
        for until in range(first - first % AT_ONCE + AT_ONCE, last + AT_ONCE, AT_ONCE):
            if isinstance(self.where, range):
                end = min(until, last) - first
            else:
                end = int(np.searchsorted(self.where, until))
            if end > start:
                yield slice(start, end), Selection(self.where[start:end])
            start = end

    def are_all(self, rows: int) -> bool:
        """Whether these are all rows of a store that has so many, in its order."""
        return isinstance(self.where, range) and len(self.where) == rows

    @cached_property
    def rising(self) -> bool:
        """Whether the rows are in the order of the store."""
        where = self.where
        return isinstance(where, range) or bool((where[1:] > where[:-1]).all())

    @cached_property
    def span(self) -> tuple[int, int]:
        """The first of the rows and the one after the last."""
        if len(self) == 0:
            return 0, 0
        if isinstance(self.where, range):
            return self.where.start, self.where.stop
        return int(self.where.min()), int(self.where.max()) + 1

    def of(self, array: Held) -> Held:
        """Of an array over the span, what belongs to these rows."""
        return array if isinstance(self.where, range) else array[self.where - self.span[0]]


def _neighbours(rows: NDArray[Any]) -> bool:
    """Whether places follow each other without a gap."""
    if len(rows) == 0 or rows[-1] - rows[0] != len(rows) - 1:
        return False
    return bool((rows[1:] > rows[:-1]).all())


class StoredColumn(Column):
    """A column of a store: the same answers as any other, worked out by duckdb.

    What was worked out is kept while the store has room for it, and is worked out again after.
    """

    def __init__(
        self,
        store: Store,
        place: int,
        rows: Selection,
        markers: frozenset[str] = MISSING,
        above: tuple[StoredColumn, NDArray[Any] | range] | None = None,
    ) -> None:
        super().__init__(cells=np.empty(0, dtype=object), markers=markers)
        self.store, self.place, self.rows = store, place, rows
        self.size = len(rows)
        self._above = above if above is not None and above[0].keeps else None
        self._serial = next(_serial)
        for held in (store.kept, store.taken):
            weakref.finalize(self, held.forget, self._serial)

    @property
    def keeps(self) -> bool:
        """Whether all columns of these rows can be kept when they are read."""
        return len(self.store.kinds) * READ * self.size <= self.store.kept.limit

    @property
    def cells(self) -> Cells:
        """The texts, object [n]; None for an empty cell. Not kept: ask for few."""
        return self._read(lambda rows: plain(self._fetched(rows, self._text)))

    @property
    def numbers(self) -> NDArray[np.float64]:
        """The cells as numbers, float64 [n]; NaN where one is missing, bad or beyond 1e150."""
        return self._soon("numbers")

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Where a cell is empty or holds a missing marker, bool [n]."""
        return self._soon("missing")

    @property
    def bad(self) -> NDArray[np.int64]:
        """The rows of cells that are neither missing nor numbers up to 1e150, int64 [bad]."""
        return self._packed.bad if self._by_cell else super().bad

    @property
    def codes(self) -> NDArray[np.int64]:
        """For each cell the place of its text in `values`, int64 [n]."""
        return self._own.codes if self._own is not None else self._kept("codes").astype(np.int64)

    @property
    def values(self) -> list[str | None]:
        """The distinct texts; some may belong to rows that were not taken."""
        return self._own.values if self._own is not None else self.store.values(self.place)

    @property
    def hashes(self) -> NDArray[np.int64] | None:
        """A hash of each text, int64 [n], where they are too many to be `values`; else None."""
        if self.size <= AT_ONCE or not self.store.many(self.place):
            return None
        hashes: Held = self._kept("hashes")
        return hashes

    @cached_property
    def _own(self) -> Column | None:
        """The texts of these rows alone, where few of the column's are among them."""
        few = self.size <= AT_ONCE and self.store.many(self.place)
        return Column(self.cells, markers=self.markers) if few else None

    @property
    def blank(self) -> bool:
        """Whether every cell is empty."""
        known = f"{self._text} is not null"
        return not any(self._fetched(rows, known).any() for _, rows in self.rows.pieces())

    def same_as(self, text: str) -> NDArray[np.bool_]:
        """Where a cell is just this text, bool [n]."""
        same = f"coalesce({self._text} = {literal(text)}, false)"
        found = self._read(lambda rows: self._fetched(rows, same))
        return np.asarray(found, dtype=np.bool_)

    def at(self, rows: NDArray[Any] | slice) -> Cells:
        """The texts in some rows only (places, or a mask), object."""
        return self.store.texts_at(self.place, np.asarray(self.rows.at(rows)))

    def times(self, forms: Sequence[str]) -> NDArray[np.int64]:
        """The cells as seconds since 1970, int64 [n]; each distinct text is read once."""
        return self._soon("times " + "\n".join(forms))

    def marked(self, markers: Iterable[str]) -> Column:
        """The same column with these texts, and no others, as markers of missing cells."""
        known = frozenset(["", *(marker.strip().lower() for marker in markers)])
        if known == self.markers:
            return self  # with what it has read
        return StoredColumn(self.store, self.place, self.rows, known)

    def take(self, rows: NDArray[Any]) -> Column:
        """The column of some rows only (places, int64, or a mask, bool)."""
        taken, above = self.rows.take(rows), self._above
        if above is not None and above[0].rows.are_all(self.store.rows):
            above = above[0], taken.where  # which all columns share
        else:
            above = self, rows
        return StoredColumn(self.store, self.place, taken, self.markers, above)

    def let_go(self) -> None:
        """Hold nothing of these rows but what was read from the store."""
        self.store.taken.forget(self._serial)

    def _soon(self, what: str) -> Held:
        """A reading that is soon made of one that is kept, and is held for a while."""
        return self._held((self._serial, what), lambda: self._derived(what))

    def _derived(self, what: str) -> Held:
        """What `_soon` holds: of the numbers, or for each cell what its text is read as."""
        if what in ("numbers", "missing") and self._by_cell:
            return self._packed.numbers if what == "numbers" else self._packed.missing
        table = self._of_values(what)
        if what == "numbers" and np.isnan(table).all():  # one NaN does for all
            return np.broadcast_to(np.float64("nan"), self.size)
        return _looked_up(table, self._kept("codes"))

    @property
    def _packed(self) -> Packed:
        packed: Packed = self._kept("packed")
        return packed

    @property
    def _by_cell(self) -> bool:
        """Whether numbers are read cell by cell, not text by text."""
        return self.store.kinds[self.place] != "varchar" or self.store.many(self.place)

    def _of_values(self, what: str) -> Held:
        """What each of `values`, and an empty cell, is read as."""
        if self._above is not None:
            return self._above[0]._of_values(what)

        def read() -> Held:
            distinct = Column(np.array([*self.values, None], dtype=object), markers=self.markers)
            if what in ("numbers", "missing"):
                return distinct.numbers if what == "numbers" else distinct.missing
            return cast_times(distinct.cells, what.removeprefix("times ").split("\n"))

        return self._held((self._serial, f"values as {what}"), read)

    def _held(self, key: tuple[int, str], make: Callable[[], Held]) -> Held:
        """What was made not long ago, or is made now."""
        found: Held | None = self.store.taken.get(key)
        if found is None:
            found = make()
            self.store.taken.put(key, found)
        return found

    def _kept(self, what: str) -> Any:
        """A reading of the cells from the store: as it was kept, or of a larger one, or made."""
        store, key = self.store, (self._serial, what)
        found = store.taken.get(key)
        if found is None:
            found = store.kept.get(key)
        if found is None and self._above is not None:
            above, rows = self._above
            whole = above._kept(what)
            if isinstance(rows, range):
                return whole[rows.start : rows.stop]  # which copies nothing
            found = whole[rows]
            store.taken.put(key, found)
        if found is None:
            store.kept.make_room(READ * self.size)
            found = self._made(what)
            store.kept.put(key, found)
        return found

    def _made(self, what: str) -> Reading:
        """What `_kept` keeps."""
        if what == "codes":
            return self._read(lambda rows: rows.of(self.store.codes(self.place, *rows.span)))
        if what == "hashes":
            hashed = f"hash(coalesce({self._text}, ''))"
            return self._read(lambda rows: self._fetched(rows, hashed).view(np.int64))
        read = self._parsed if self.store.kinds[self.place] != "varchar" else self._parsed_texts
        return Packed.joined(((place, read(rows)) for place, rows in self.rows.pieces()), self.size)

    def _parsed(self, rows: Selection) -> Packed:
        """The cells in some rows as numbers, and where they are missing."""
        first, last = rows.span
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
        return Packed.of(bounded(rows.of(numbers)), rows.of(missing), self.store.scale(self.place))

    def _parsed_texts(self, rows: Selection) -> Packed:
        """The same of texts that are mostly different."""
        marks = ", ".join(literal(marker) for marker in sorted(self.markers))
        select = (
            f"{self.store.number(self.place)}, coalesce(lower({self._text}) in ({marks}), true)"
        )
        found, marked = self.store.fetch(select, *rows.span)
        numbers = np.ma.filled(found, np.nan)
        missing = np.asarray(marked, dtype=np.bool_) & np.isnan(numbers)
        missing |= np.isin(numbers, as_numbers(self.markers))
        numbers[missing] = np.nan
        return Packed.of(bounded(rows.of(numbers)), rows.of(missing), self.store.scale(self.place))

    @property
    def _text(self) -> str:
        return self.store.text(self.place)

    def _fetched(self, rows: Selection, select: str) -> Held:
        """`select` in some rows."""
        return rows.of(self.store.fetch(select, *rows.span)[0])

    def _read(self, read: Callable[[Selection], Held]) -> Held:
        """What `read` makes of rows, for all of them: piece by piece, so that little is copied."""
        whole: Held | None = None
        for place, rows in self.rows.pieces():
            part = read(rows)
            whole = np.empty(self.size, part.dtype) if whole is None else whole
            whole[place] = part
        return read(self.rows) if whole is None else whole


def stored_columns(store: Store) -> list[StoredColumn]:
    """All columns of a store, with all their rows."""
    rows = Selection(range(store.rows))
    return [StoredColumn(store, place, rows) for place in range(len(store.kinds))]


def give_back(columns: Iterable[Column]) -> None:
    """Let go of what the stores of some columns hold and can soon have again."""
    for store in {column.store for column in columns if isinstance(column, StoredColumn)}:
        store.give_back()


def _looked_up(table: Held, codes: Held) -> Held:
    """`table[codes]`, without as many places of 8 bytes at once."""
    found = np.empty(len(codes), table.dtype)
    for start in range(0, len(codes), AT_ONCE):
        found[start : start + AT_ONCE] = table[codes[start : start + AT_ONCE]]
    return found
