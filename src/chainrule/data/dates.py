"""Columns of dates and times: how they are written, and their expansion into parts and cycles."""

from __future__ import annotations

import re
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import field_validator

from chainrule.data.cast import NO_TIME, SINCE_1970, cast_times
from chainrule.data.column import AT_ONCE, Column
from chainrule.data.report import Record

DATE_SHARE = 0.95
"""A text column is one of dates when at least this share of its known cells are."""

FARTHEST = 5.0
"""Scaled numbers are clipped here, so that one far date cannot outshout all others."""

FORMS = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y",
    "%d %b %Y", "%d-%b-%Y", "%d %B %Y", "%d. %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y",
    "%B %d %Y", "%d.%m.%y",
    "%d/%m/%y", "%m/%d/%y", "%Y-%m", "%b %Y", "%B %Y", "%a, %d %b %Y", "",
)  # fmt: skip
"""How days are written, in `strptime`'s words; of two that fit equally many cells the first."""

COMPACT = ("%Y%m%d", "%Y%m%d%H%M%S", "%Y", SINCE_1970)
"""Numbers that are dates only where that is asked for."""

_IN_WORDS = {"": "time of day", SINCE_1970: "seconds or milliseconds since 1970"}

TIMES = ("%H:%M:%S", "%H:%M", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p")
ZONES = ("", "Z", "%z")

TWINS = {"%d/%m/%Y": "%m/%d/%Y", "%d-%m-%Y": "%m-%d-%Y", "%d/%m/%y": "%m/%d/%y"}
"""Forms that tell day and month apart only by a day after the 12th."""

_MAYBE = re.compile(r"\d[-/.:]\d")
_MONTH = re.compile(r"(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec).*\d")
_COMPACT = re.compile(r"^\d+$")
_FORM = re.compile(r"(?:[^%]|%-?[dHIjmMSy]|%[aAbBfpsYzZ%])*")


def is_form(text: str) -> bool:
    """Whether a text is written in `strptime`'s words, as far as dates are read by them.

    >>> is_form("%d.%m.%Y"), is_form("%0"), is_form("%")
    (True, False, False)
    """
    return _FORM.fullmatch(text) is not None


def forms_of(day: str) -> list[str]:
    """All `strptime` forms of a column whose days are written like `day`: without and with times.

    >>> forms_of("%d.%m.%Y")[:3]
    ['%d.%m.%Y', '%d.%m.%Y %H:%M:%S', '%d.%m.%YT%H:%M:%S']
    """
    if not day:
        return list(TIMES[:3])
    if day == SINCE_1970:
        return [day]
    joints = (" ", "T", ", ")
    return [day, *(day + j + time + zone for zone in ZONES for time in TIMES for j in joints)]


def seconds(column: Column, day: str) -> NDArray[np.int64]:
    """A column's cells as seconds since 1970, int64 [n]; NO_TIME where missing or no date.

    >>> seconds(Column.of(["01.01.1970 00:01", "?"]), "%d.%m.%Y").tolist()[0]
    60
    """
    return np.where(column.missing, NO_TIME, column.times(forms_of(day)))


def day_form(column: Column, compact: bool = False) -> tuple[str | None, str | None]:
    """How a column writes its days, if most of its cells are dates; and what cannot be decided.

    `compact` also tries numbers such as 20200131. The second text is the other form that fits as
    well, where nothing says whether the day or the month stands first.

    >>> day_form(Column.of(["3/4/2021", "13/4/2021"])), day_form(Column.of(["3/4/2021"]))
    (('%d/%m/%Y', None), ('%d/%m/%Y', '%m/%d/%Y'))
    """
    present = np.flatnonzero(~column.missing)
    some = column.at(present[:: max(1, len(present) // 64)])
    days = [day for day in (*FORMS, *(COMPACT if compact else ())) if _looks_like(some, day)]
    if not days:
        return None, None
    counts = {day: _known(some, day) for day in days}
    best = max(counts, key=counts.__getitem__)
    if counts[best] < 0.9 * len(some):
        return None, None
    return _decided(column, len(present), best)


def _looks_like(some: NDArray[np.object_], day: str) -> bool:
    """Whether most of some texts have the signs, and the letters, of a form; a quick look."""
    signs = set(re.findall(r"[-/.,]", day)) or (set() if day else {":"})
    shape = _COMPACT if day in COMPACT else _MONTH if "%b" in day.lower() else _MAYBE
    like = sum(1 for text in some if shape.search(text) and signs <= set(text))
    return 2 * like > len(some)


def _decided(column: Column, present: int, day: str) -> tuple[str | None, str | None]:
    """A form judged by every cell: the better of two that differ in the order of day and month."""
    known = {
        d: int(np.count_nonzero(seconds(column, d) != NO_TIME))
        for d in (day, TWINS.get(day))
        if d is not None
    }
    best = max(known, key=known.__getitem__)
    if known[best] < DATE_SHARE * present:
        return None, None
    equal = len(known) == 2 and len(set(known.values())) == 1
    return best, TWINS[day] if equal else None


def _known(present: NDArray[np.object_], day: str) -> int:
    return int(np.count_nonzero(cast_times(present, forms_of(day)) != NO_TIME))


def parts_of(times: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
    """Year, month, day (from 1), weekday (0 is Monday) and hour of seconds since 1970.

    >>> {name: part.tolist() for name, part in parts_of(np.array([0, 90_000])).items()}
    {'year': [1970, 1970], 'month': [1, 1], 'day': [1, 2], 'weekday': [3, 4], 'hour': [0, 1]}
    """
    moments = times.astype("datetime64[s]")
    months, days = moments.astype("datetime64[M]"), moments.astype("datetime64[D]")
    month = months.astype(np.int64)
    return {
        "year": 1970 + month // 12,
        "month": 1 + month % 12,
        "day": 1 + (days - months.astype("datetime64[D]")).astype(np.int64),
        "weekday": (days.astype(np.int64) + 3) % 7,
        "hour": times // 3600 % 24,
    }


def bounds_of(times: NDArray[np.int64]) -> dict[str, tuple[int, int]]:
    """The lowest and the highest of each of `parts_of`, and of the second of the day.

    >>> bounds_of(np.array([0, 90_000]))["day"], bounds_of(np.array([0, 90_000]))["time of day"]
    ((1, 2), (0, 3600))
    """
    found: dict[str, tuple[int, int]] = {}
    for start in range(0, len(times), AT_ONCE):  # for all at once it would be ten arrays
        piece = times[start : start + AT_ONCE]
        for part, values in (parts_of(piece) | {"time of day": piece % 86400}).items():
            ends = int(values.min()), int(values.max())
            low, high = found.get(part, ends)
            found[part] = min(low, ends[0]), max(high, ends[1])
    return found


def cycles_of(times: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    """How far seconds since 1970 have come through their year, week and day: 0 to below 1."""
    years = times.astype("datetime64[s]").astype("datetime64[Y]")
    begins, ends = (y.astype("datetime64[s]").astype(np.int64) for y in (years, years + 1))
    return {
        "time of year": (times - begins) / (ends - begins),
        "time of week": (times + 3 * 86400) % (7 * 86400) / (7 * 86400),
        "time of day": times % 86400 / 86400,
    }


CYCLE_OF = {"month": "time of year", "day": "time of year", "weekday": "time of week"}
"""The cycle that is worth having where a part differs from row to row; hours have their own."""


class Dates(Record):
    """A column of dates: the time as a scaled number, its parts, and its place in each cycle.

    The features: (seconds - mean) / std; each of `parts` from -1 (its lowest value in training) to
    1 (its highest); for each of `cycles` sine and cosine of 2 pi times how far it has come; with
    `indicator` a last number, 1 where the cell was missing. All are clipped to `clip` on both
    sides. Missing cells become `fill`, the median. float32 [n, features].

    >>> record = Dates.fit("day", Column.of(["2020-03-03", "2020-03-01", "?"]), "%Y-%m-%d")
    >>> record.features[:3]
    ['day', 'day day', 'day weekday']
    >>> record.apply(Column.of(["2020-03-02"])).round(2).tolist()[0][:2]
    [0.0, 0.0]
    """

    kind: Literal["date"] = "date"
    name: str
    form: str
    fill: int
    mean: float
    std: float
    clip: float
    parts: dict[str, tuple[int, int]]
    cycles: list[str]
    indicator: bool

    @field_validator("form")
    @classmethod
    def _known_form(cls, form: str) -> str:
        if not is_form(form):
            raise ValueError(f"{form!r} is no way to write dates")
        return form

    @classmethod
    def fit(cls, name: str, column: Column, form: str) -> Dates:
        """Learn from a column of training rows that holds at least one date written as `form`."""
        times = seconds(column, form)
        known = times[times != NO_TIME]
        fill = int(np.median(known))
        bounds = bounds_of(known)
        earliest, latest = bounds.pop("time of day")
        varied = [part for part, (low, high) in bounds.items() if low < high]
        cycles = [CYCLE_OF[part] for part in varied if part in CYCLE_OF]
        cycles += ["time of day"] if earliest < latest else []
        return cls(
            name=name,
            form=form,
            fill=fill,
            mean=float(known.mean()),
            std=max(1.0, float(known.std())),
            clip=FARTHEST,
            parts={part: bounds[part] for part in varied},
            cycles=list(dict.fromkeys(cycles)),
            indicator=len(known) < len(times),
        )

    @property
    def features(self) -> list[str]:
        """The names of the numbers it makes."""
        waves = [f"{cycle} {wave}" for cycle in self.cycles for wave in ("sin", "cos")]
        missing = ["missing"] if self.indicator else []
        return [self.name, *(f"{self.name} {part}" for part in [*self.parts, *waves, *missing])]

    def apply(self, column: Column) -> NDArray[np.float32]:
        """A column's cells as numbers, float32 [n, features]."""
        times = seconds(column, self.form)
        absent = times == NO_TIME
        times = np.where(absent, self.fill, times)
        parts, cycles = parts_of(times), cycles_of(times)
        made = [(times - self.mean) / self.std]
        made += [2 * (parts[p] - low) / (high - low) - 1 for p, (low, high) in self.parts.items()]
        for cycle in self.cycles:
            angle = 2 * np.pi * cycles[cycle]
            made += [np.sin(angle), np.cos(angle)]
        made += [absent] if self.indicator else []
        return np.clip(np.stack(made, axis=1), -self.clip, self.clip).astype(np.float32)

    def inverse(self, numbers: NDArray[Any]) -> NDArray[Any]:
        """The times, datetime64[s] [n], of features [n, features]; NaT where missing.

        Exact to about a hundred-thousandth of the time between the first training row and the last.
        """
        times = np.round(numbers[:, 0].astype(np.float64) * self.std + self.mean)
        found = times.astype(np.int64).astype("datetime64[s]")
        if self.indicator:
            found[numbers[:, -1] > 0.5] = np.datetime64("NaT")
        return found

    def unseen(self, column: Column) -> dict[str, int]:
        """Categories that training has not seen: none, for these are dates."""
        return {}

    def treatment(self) -> str:
        """What becomes of the column, in words."""
        told = [f"date ({_IN_WORDS.get(self.form, self.form)}), scaled"]
        if self.parts:
            told.append(f"with {', '.join(self.parts)}")
        if self.cycles:
            told.append(f"and {', '.join(self.cycles)} as sine and cosine")
        filled = ", missing as the median and marked" if self.indicator else ""
        return " ".join(told) + filled
