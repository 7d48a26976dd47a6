"""Dates: how they are written, and the way to numbers and back."""

from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from chainrule.data import Column, Table, column_kinds
from chainrule.data.cast import NO_TIME, cast_numbers
from chainrule.data.column import number_of
from chainrule.data.dates import Dates, cycles_of, day_form, is_form, parts_of, seconds
from chainrule.errors import SettingError

moments = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)).map(
    lambda moment: moment.replace(microsecond=0)
)


def since_1970(moment):
    return int((moment - datetime(1970, 1, 1)).total_seconds())


@settings(max_examples=20)
@given(
    st.lists(moments, min_size=1, max_size=5),
    st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%Y/%m/%d", "%d %b %Y", "%B %d, %Y"]),
    st.sampled_from([" %H:%M:%S", "T%H:%M:%S", " %I:%M:%S %p"]),
)
def test_what_python_writes_is_read(dates, day, time):
    assume("%B" not in day or any(moment.month != 5 for moment in dates))  # May is May in both
    column = Column.of([moment.strftime(day + time) for moment in dates])
    assert day_form(column) == (day, None)
    assert seconds(column, day).tolist() == [since_1970(moment) for moment in dates]


@pytest.mark.parametrize(
    ("texts", "form", "other"),
    [
        (["1949-01", "1949-12"], "%Y-%m", None),
        (["03/04/2021", "12/13/2021"], "%m/%d/%Y", None),
        (["03/04/2021", "13/12/2021"], "%d/%m/%Y", None),
        (["03/04/2021", "05/12/2021"], "%d/%m/%Y", "%m/%d/%Y"),
        (["12:30", "08:05"], "", None),
        (["1.5", "2.25"], None, None),
        (["10-20", "20-30", "30-40"], None, None),
        (["A-1", "B-2"], None, None),
        (["infinity", "epoch"], None, None),
        (["2021-01-01T10:00:00Z", "2021-01-01T10:00:00+02:00"], "%Y-%m-%d", None),
    ],
)
def test_forms(texts, form, other):
    assert day_form(Column.of(texts)) == (form, other)


@given(
    st.lists(st.datetimes(datetime(1974, 1, 1), datetime(2285, 1, 1)), min_size=1, max_size=5),
    st.booleans(),
)
def test_counts_since_1970_are_dates_where_that_is_asked_for(dates, fine):
    dates = [date.replace(microsecond=0) for date in dates]
    column = Column.of([str(since_1970(date) * (1000 if fine else 1)) for date in dates])
    assert day_form(column) == (None, None)
    assert day_form(column, compact=True)[0] in ("%s", "%Y%m%d%H%M%S")
    assert seconds(column, "%s").tolist() == [since_1970(date) for date in dates]


def test_a_count_since_1970_is_neither_a_small_number_nor_a_compact_date():
    column = Column.of(["12", "20210102", "1e30", "-1609459200", "x", "1609459200.7"])
    assert seconds(column, "%s").tolist() == [NO_TIME] * 5 + [1609459200]
    assert day_form(Column.of(["20210102", "20211231"]), compact=True)[0] == "%Y%m%d"
    assert day_form(Column.of(["1609459200", "1640995199"]), compact=True)[0] == "%s"
    kinds = column_kinds(Table.of({"at": [1609459200, 1640995199]}), {"at": "date"})
    assert (kinds["at"].kind, kinds["at"].form) == ("date", "%s")


def test_offsets_become_utc_and_impossible_days_are_none():
    column = Column.of(["2021-01-01T10:00:00Z", "2021-01-01T10:00:00+0200", "2021-02-30", "?"])
    found = seconds(column, "%Y-%m-%d").tolist()
    assert found[0] - found[1] == 7200
    assert found[2:] == [NO_TIME, NO_TIME]


@given(st.lists(moments, min_size=1))
def test_parts_are_those_of_python(dates):
    parts = parts_of(np.array([since_1970(moment) for moment in dates]))
    expected = [(d.year, d.month, d.day, d.weekday(), d.hour) for d in dates]
    assert list(zip(*(part.tolist() for part in parts.values()), strict=True)) == expected


@given(moments)
def test_cycles_begin_with_year_week_and_day(moment):
    begin = datetime(moment.year, 1, 1)
    midnight = datetime(moment.year, moment.month, moment.day)
    monday = midnight - timedelta(days=moment.weekday())
    times = np.array([since_1970(start) for start in (begin, monday, midnight)])
    assert [cycle[place] for place, cycle in enumerate(cycles_of(times).values())] == [0, 0, 0]


@settings(max_examples=20)
@given(st.lists(moments, min_size=2, max_size=9))
def test_the_way_back(dates):
    column = Column.of([str(moment) for moment in dates] + ["?"])
    record = Dates.fit("when", column, "%Y-%m-%d")
    made = record.apply(column)
    assert made.shape == (len(column), len(record.features))
    assert np.isfinite(made).all()
    assert np.abs(made).max() <= record.clip
    back = record.inverse(made)
    times = np.array([since_1970(moment) for moment in dates])
    room = 1 + 1e-4 * (times.max() - times.min())
    np.testing.assert_allclose(back[:-1].astype(np.int64), times, atol=room)
    assert np.isnat(back[-1])


@settings(max_examples=50)
@given(st.lists(st.text("0123456789.eE+-_ infatyx", max_size=6), min_size=1, max_size=8))
def test_numbers_are_those_of_python(texts):
    cells = np.empty(len(texts), dtype=object)
    cells[:] = texts
    np.testing.assert_array_equal(cast_numbers(cells), [number_of(text) for text in texts])


@settings(max_examples=60)
@given(st.text("%-YmdHMSpfzZQ0 .", max_size=8))
def test_what_is_taken_for_a_form_is_one(form):
    column = Column.of(["2020-01-02"])
    if is_form(form):
        seconds(column, form)
    else:
        with pytest.raises(SettingError, match="cannot be read as"):
            column_kinds(Table.of({"day": ["2020-01-02"]}), {"day": f"date:{form}"})
