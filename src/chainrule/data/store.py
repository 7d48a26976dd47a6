"""Cells of a table too large to hold as texts: a columnar file of duckdb's, read piece by piece.

A column whose first cells are numbers is kept as numbers; beside it stand the texts that could not
be had back from them (`1.50`, `?`, `n.d.`), so that every cell can be told as it was written.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import tempfile
import weakref
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chainrule.data.cast import NUMBER, Cells, in_order, plain
from chainrule.data.column import number_of
from chainrule.data.packed import Packed
from chainrule.data.room import allowance
from chainrule.errors import DataError

if TYPE_CHECKING:
    import duckdb

MOSTLY = 0.5
"""A column is kept as numbers if more than this share of its first cells could be."""

KEPT = 256 * 2**20
"""More bytes of what was read from a store are not kept, nor more than a sixteenth of that of what
was made of it, or taken for some rows: both are soon there again."""

PAGES = 2**30
"""duckdb's own memory: with less than 700 MB it writes a file by one thread."""

PAGES_READ = 64_000_000
"""That is enough for reading what was written."""

PAGES_LEFT = 8_000_000
"""To so many bytes duckdb lets go of what it has read, when the memory is needed for arrays."""

CLOSE = 4
"""Of rows so close to each other, on average, all between them are read too: it is quicker."""

LEAST_FOR_DUCKDB = 100_000_000
"""With less memory than 60 MB duckdb cannot read a file by two threads."""

MOST_TEXTS = 100_000
"""Of a column with more different texts than this, only those of some rows are held at once."""

READ = 8
"""Bytes a cell takes at most that is read as a number."""

PREFIX = "chainrule-"

M_ARENA_MAX = -8
"""What mallopt(3) calls the number of heaps."""

Held = NDArray[Any]
Reading = Held | Packed


class Kept:
    """Arrays worked out before, up to so many bytes: the least recently used are dropped.

    >>> kept = Kept(20)
    >>> for name in "ab":
    ...     kept.put((0, name), np.zeros(2))
    >>> kept.get((0, "a")) is None, kept.get((0, "b")) is None
    (True, False)
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._arrays: OrderedDict[tuple[int, str], Reading] = OrderedDict()
        self._bytes = 0
        self._lock = RLock()

    def get(self, key: tuple[int, str]) -> Any:
        """What was put there, if it is still; else None."""
        with self._lock:
            found = self._arrays.get(key)
            if found is not None:
                self._arrays.move_to_end(key)
            return found

    def put(self, key: tuple[int, str], array: Reading) -> None:
        """Keep an array, for as long as there is room."""
        with self._lock:
            before = self._arrays.pop(key, None)
            self._bytes += _bytes(array) - (0 if before is None else _bytes(before))
            self._arrays[key] = array
            self.make_room(0)

    def make_room(self, size: int) -> None:
        """Drop what would be in the way of so many bytes."""
        with self._lock:
            while self._bytes + size > self.limit and self._arrays:
                self._bytes -= _bytes(self._arrays.popitem(last=False)[1])

    def forget(self, owner: int) -> None:
        """Drop what belongs to somebody who is gone."""
        with self._lock:
            for key in [key for key in self._arrays if key[0] == owner]:
                self._bytes -= _bytes(self._arrays.pop(key))


def _bytes(array: Reading) -> int:
    """The bytes that are held: of an array that is one value again and again, those of one."""
    if isinstance(array, np.ndarray) and array.strides == (0,):
        return array.itemsize
    return array.nbytes


class Store:
    """The cells of a table on disk, in a folder that goes with the last column that reads it.

    `rows`: how many there are, all columns alike. `connection` is a database in `folder` whose
    table `cells` `fill` made.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, folder: Path, room: int) -> None:
        self.connection, self.folder = connection, folder
        self.kept, self.taken = Kept(room), Kept(room // 16)
        self.kinds: list[str] = []
        self.rows = 0
        self._shared: dict[int, str] = {}
        self._values: dict[int, list[str | None]] = {}
        self._foreign: dict[int, tuple[tuple[str, float], ...]] = {}
        self._many: dict[int, bool] = {}
        self._lock = RLock()  # threads have cursors of their own, and write one after the other
        weakref.finalize(self, _gone, connection, folder)

    @classmethod
    def new(cls) -> Store:
        """An empty store, within the memory that there is."""
        import duckdb

        _share_heap()
        folder, room = scratch(), allowance()
        settings: dict[str, str | bool | int | float | list[str]] = {
            "autoinstall_known_extensions": "false",
            "memory_limit": f"{max(min(room // 4, PAGES), LEAST_FOR_DUCKDB)}B",
        }
        connection = duckdb.connect(folder / "cells", config=settings)
        connection.execute("set enable_progress_bar = false")
        return cls(connection, folder, min(room // 4, KEPT))

    def fill(self, sample: str, source: str, settings: Sequence[object], width: int) -> None:
        """Take all rows of a query whose columns are texts c0, c1, ... (`width` of them).

        `sample` gives some of its rows, `settings` what both are to be told.
        """
        tests = ", ".join(f"{_share(i, kind)}" for i in range(width) for kind in KINDS)
        found = self.connection.execute(f"select {tests} from ({sample})", settings).fetchone()
        assert found is not None
        many = len(KINDS)
        shares = [found[many * i : many * (i + 1)] for i in range(width)]
        self.kinds = [_kind(some) for some in shares]
        numbers = [i for i, kind in enumerate(self.kinds) if kind != "varchar"]
        clean = [i for i in numbers if max(shares[i]) == 1.0]
        self._shared = {i: f"odd[{place}]" for place, i in enumerate(clean, start=1)}
        self.connection.execute(f"create table cells as {self._held(numbers, source)}", settings)
        self.rows = int(self._one("select count(*) from cells"))
        self.kept.limit = max(self.kept.limit, READ * self.rows)  # one column in any case
        if self._shared and not self._one("select count(odd) from cells"):
            self._shared = dict.fromkeys(self._shared, "null::varchar")
        self.connection.execute(f"set memory_limit = '{PAGES_READ}B'")  # gives back the rest

    def give_back(self) -> None:
        """Let go of what is soon there again, to make room for arrays; no other thread reads."""
        self.taken.make_room(self.taken.limit)
        for pages in (PAGES_LEFT, PAGES_READ):
            self.connection.execute(f"set memory_limit = '{pages}B'")
        _trim_heap()

    def _held(self, numbers: Sequence[int], source: str) -> str:
        """SQL: what is kept of a query's rows.

        Texts that no number stands for are a column beside the numbers if some of the first cells
        are such; else they are seldom, and all of a row's stand in one list, written much sooner.
        """
        casts = "".join(f", try_cast(c{i} as {self.kinds[i]}) as n{i}" for i in numbers)
        exact = "".join(f", n{i}::varchar is not distinct from c{i} as e{i}" for i in numbers)
        odd = {i: f"case when e{i} then null else c{i} end" for i in numbers}
        held = [f"c{i} as t{i}" for i, kind in enumerate(self.kinds) if kind == "varchar"]
        held += [f"case when e{i} then n{i} end as n{i}" for i in numbers]
        held += [f"{text} as t{i}" for i, text in odd.items() if i not in self._shared]
        if self._shared:
            none = " and ".join(f"e{i}" for i in self._shared)
            texts = ", ".join(odd[i] for i in self._shared)
            held.append(f"case when {none} then null else [{texts}] end as odd")
        read = f"select *{exact} from (select *{casts} from ({source}))"
        return f"select {', '.join(held)} from ({read})"

    def text(self, place: int) -> str:
        """SQL: the text of a column's cells."""
        own = self.own(place)
        return own if self.kinds[place] == "varchar" else f"coalesce({own}, n{place}::varchar)"

    def own(self, place: int) -> str:
        """SQL: the text of a cell that no number stands for."""
        return self._shared.get(place, f"t{place}")

    def number(self, place: int) -> str:
        """SQL: what a column keeps as texts, as numbers, whatever the digits."""
        foreign, own = self.foreign(place), self.own(place)
        read = NUMBER.replace("text", own)
        if not foreign:
            return read
        cases = " ".join(f"when {literal(text)} then {n!r}" for text, n in foreign)
        return f"case {own} {cases} else {read} end"

    def scale(self, place: int) -> float:
        """What makes whole numbers of a column's, as most of them are written."""
        return 10.0 ** KINDS.index(self.kinds[place]) if "decimal" in self.kinds[place] else 1.0

    def odd(self, place: int, select: str, first: int, last: int) -> tuple[Held, list[Held]]:
        """`select` of the cells that are kept as texts, and their places among the rows."""
        with self.connection.cursor() as cursor:
            found = cursor.execute(
                f"select rowid, {select} from cells where {self.own(place)} is not null "
                f"and rowid >= {first} and rowid < {last}"
            ).fetchnumpy()
        number, *arrays = found.values()
        return number - first, arrays

    def foreign(self, place: int) -> tuple[tuple[str, float], ...]:
        """The texts of a column that are numbers in other digits than those of ASCII."""
        with self._lock:
            if place not in self._foreign:
                self._foreign[place] = self._in_other_digits(place)
            return self._foreign[place]

    def _in_other_digits(self, place: int) -> tuple[tuple[str, float], ...]:
        own = self.own(place)
        wide = f"strlen({own}) <> length({own}) and regexp_matches({own}, '\\p{{Nd}}')"
        found = self.connection.execute(f"select distinct {own} from cells where {wide}")
        numbers = [(str(text), number_of(text)) for (text,) in found.fetchall()]
        return tuple(pair for pair in numbers if pair[1] == pair[1])

    def many(self, place: int) -> bool:
        """Whether a column has more different texts than are to be held at once, about."""
        with self._lock:
            if place not in self._many:
                count = self._one(f"select approx_count_distinct({self.text(place)}) from cells")
                self._many[place] = count > MOST_TEXTS
            return self._many[place]

    def fetch(self, select: str, first: int, last: int) -> list[Held]:
        """The columns of `select` in the rows from `first` to before `last`, in their order."""
        some = first > 0 or last < self.rows
        where = f" where rowid >= {first} and rowid < {last}" if some else ""
        with self.connection.cursor() as cursor:
            found = cursor.execute(f"select rowid, {select} from cells{where}").fetchnumpy()
        number, *arrays = found.values()
        return in_order(number - first, arrays)

    def texts_at(self, place: int, rows: NDArray[np.int64]) -> Cells:
        """The texts of a column in some rows, object [rows]."""
        texts: Cells = np.full(len(rows), None, dtype=object)
        if len(rows) == 0:
            return texts
        first, last = int(rows.min()), int(rows.max()) + 1
        if last - first <= CLOSE * len(rows):
            (every,) = self.fetch(self.text(place), first, last)
            return np.asarray(plain(every)[rows - first], dtype=object)
        picks = {"place": np.arange(len(rows)), "number": rows}
        with self.connection.cursor() as cursor:
            cursor.register("picks", picks)
            found = cursor.execute(
                f"select picks.place as place, {self.text(place)} as text "
                "from cells join picks on cells.rowid = picks.number "
                f"where cells.rowid >= {first} and cells.rowid < {last}"  # passes over the rest
            ).fetchnumpy()
        texts[found["place"]] = plain(found["text"])
        return texts

    def values(self, place: int) -> list[str | None]:
        """The distinct texts of a column, as they first come up; None last, if a cell is empty."""
        with self._lock:
            if place not in self._values:
                self._values[place] = self._distinct(place)
            return self._values[place]

    def _distinct(self, place: int) -> list[str | None]:
        """The same, and a table of them in the database."""
        text = self.text(place)
        self.connection.execute(
            f"create table d{place} as select c, row_number() over (order by f) - 1 as code "
            f"from (select {text} as c, min(rowid) as f from cells group by c) where c is not null"
        )
        found = self.connection.execute(f"select c from d{place} order by code").fetchall()
        empty = self._one(f"select count(*) - count({text}) from cells")
        return [row[0] for row in found] + [None] * bool(empty)

    def codes(self, place: int, first: int, last: int) -> Held:
        """For each cell the place of its text in `values`, in the smallest integers that do."""
        values = self.values(place)
        with self.connection.cursor() as cursor:
            found = cursor.execute(
                f"select cells.rowid - {first} as place, code from cells "
                f"join d{place} on {self.text(place)} = c "
                f"where cells.rowid >= {first} and cells.rowid < {last}"
            ).fetchnumpy()
        codes = np.full(last - first, len(values) - 1, dtype=np.min_scalar_type(len(values)))
        codes[np.asarray(found["place"])] = np.asarray(found["code"])
        return codes

    def _one(self, query: str) -> Any:
        row = self.connection.execute(query).fetchone()
        assert row is not None
        return row[0]


KINDS = ("bigint", *(f"decimal(15, {places})" for places in range(1, 7)), "double")
"""Types of numbers; of those that hold equally many cells, the first is taken. A decimal holds
cells with just so many places (prices, measurements), and becomes the same double as its text."""


def _share(place: int, kind: str) -> str:
    """SQL: which share of a column's known cells a type holds as they are written."""
    exact = f"try_cast(c{place} as {kind})::varchar = c{place}"
    return f"count(case when {exact} then 1 end) / greatest(1, count(c{place}))"


def _kind(shares: Sequence[float]) -> str:
    """The type for a column, by the shares that fit each of `KINDS`."""
    best = max(range(len(KINDS)), key=lambda kind: shares[kind])
    return KINDS[best] if shares[best] > MOSTLY else "varchar"


def literal(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


@cache
def _share_heap() -> None:
    """Let threads use one heap: with one each, glibc held 750 MB of a million rows where 620 do."""
    _malloc("mallopt", M_ARENA_MAX, 1)


def _trim_heap() -> None:
    """Give memory that was freed back to the system: glibc keeps some tens of MB."""
    _malloc("malloc_trim", 0)


def _malloc(name: str, *given: int) -> None:
    """Call a function of glibc's allocator, where it is the one in use."""
    function = getattr(ctypes.CDLL(None), name, None) if os.name == "posix" else None
    if function is not None:
        function(*given)


def scratch() -> Path:
    """A new folder for what need not last; those of processes that ended early are removed."""
    root = Path(tempfile.gettempdir())
    for left in root.glob(f"{PREFIX}*-*"):
        owner = left.name.removeprefix(PREFIX).partition("-")[0]
        if owner.isdigit() and not _alive(int(owner)):
            shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is somebody else's
        return True
    return True


@contextmanager
def kept_on_disk() -> Iterator[None]:
    """DataError where duckdb finds no space left for a store."""
    import duckdb

    try:
        yield
    except duckdb.Error as problem:
        if "No space left" not in str(problem):
            raise
        raise DataError(
            f"the rows cannot be kept in {tempfile.gettempdir()}: no space is left",
            hint="another folder, TMPDIR=FOLDER",
        ) from None


def _gone(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    connection.close()
    shutil.rmtree(folder, ignore_errors=True)
