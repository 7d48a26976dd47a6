"""Delimited text: every layout that can be told is, and what cannot be is asked for."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chainrule.data import Table, read_table
from chainrule.errors import DataError, SettingError

Written = Callable[..., Table]


def cells(table: Table) -> list[list[str | None]]:
    return [column.cells.tolist() for column in table.columns.values()]


@pytest.mark.parametrize(
    ("encoding", "note"),
    [
        ("utf-8", None),
        ("utf-8-sig", None),
        ("utf-16", "read as utf-16"),
        ("utf-16-le", "read as utf-16-le"),
        ("utf-16-be", "read as utf-16-be"),
        ("utf-32", "read as utf-32"),
        ("latin-1", "read as latin-1, as it is not UTF-8"),
    ],
)
def test_encodings_are_told_by_the_bytes(written: Written, encoding: str, note: str | None) -> None:
    table = written("name;größe\nJosé;3\nZoë;5\n".encode(encoding))
    assert table.names == ["name", "größe"]
    assert cells(table) == [["José", "Zoë"], ["3", "5"]]
    assert table.lines.tolist() == [2, 3]
    assert [str(found).partition(";")[0] for found in table.notes] == ([note] if note else [])


def test_quotes_of_windows_are_no_latin_1(written: Written) -> None:
    table = written("a,b\n1,“x”\n2,it’s\n".encode("cp1252"))
    assert cells(table)[1] == ["“x”", "it’s"]


def test_a_text_in_no_western_encoding_asks_for_it(written: Written) -> None:
    raw = "город,цена\nМосква,3\nТверь,5\n".encode("cp1251")
    with pytest.raises(DataError, match=r"encoding of .* cannot be told") as caught:
        written(raw)
    assert "--encoding" in str(caught.value.hint)
    assert written(raw, encoding="cp1251").names == ["город", "цена"]
    with pytest.raises(DataError, match="is not in utf-8"):
        written(raw, encoding="utf-8-sig")
    with pytest.raises(SettingError, match="no encoding 'utf-9'"):
        written(raw, encoding="utf-9")


def test_packed_by_zstandard(tmp_path: Path) -> None:
    zstd = pytest.importorskip("backports.zstd")
    path = tmp_path / "t.csv.zst"
    path.write_bytes(zstd.compress(b"a,b\n1,2\n\n3,4\n"))
    table = read_table(path)
    assert (cells(table), table.lines.tolist()) == ([["1", "3"], ["2", "4"]], [2, 4])


def test_packed_whatever_the_name(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(gzip.compress("ä;b\n1;2\n".encode("utf-16")))
    assert read_table(path).names == ["ä", "b"]
    path.write_bytes(gzip.compress(b"a,b\n1,2\n")[:-5])
    with pytest.raises(DataError, match="cannot be read as a gzip file"):
        read_table(path)


def test_a_delimiter_that_cannot_be_told_is_asked_for(written: Written) -> None:
    text = "a,b;c\n1,x;3\n2,y;4\n"
    with pytest.raises(DataError, match=r"the delimiter of .* cannot be told") as caught:
        written(text)
    assert caught.value.got == "',' makes 2 columns; ';' makes 2 columns"
    assert written(text, delimiter=",").names == ["a", "b;c"]
    assert written(text, delimiter="semicolon").names == ["a,b", "c"]
    assert written("a:b\n1:2\n", delimiter=":").names == ["a", "b"]
    for wrong in ("", "ab", '"', "\n"):
        with pytest.raises(SettingError, match="the delimiter cannot be"):
            written(text, delimiter=wrong)


def test_the_ending_speaks_for_a_tab(written: Written) -> None:
    text = "name, first\tage\nAnn, B\t3\nCy, D\t5\n"
    assert written(text, name="t.tsv").names == ["name, first", "age"]
    with pytest.raises(DataError, match="delimiter"):
        written(text)


@pytest.mark.parametrize(
    ("first", "second", "decimal", "expected"),
    [
        (["1,5", "2,25"], ["7", "8"], None, ["1.5", "2.25"]),
        (["1.234,5", "12"], ["7", "8"], None, ["1234.5", "12"]),
        (["1,234.5", "12"], ["7", "8"], None, ["1234.5", "12"]),
        (["1,234", "1,234,567"], ["7", "8"], None, ["1234", "1234567"]),
        (["1 234,5", "-3"], ["7", "8"], None, ["1234.5", "-3"]),
        (["1'234.5", "+3e2"], ["7", "8"], None, ["1234.5", "+3e2"]),
        (["1.234", "5.678"], ["0,5", "0,25"], None, ["1234", "5678"]),
        (["1.234", "5.678"], ["0.5", "0.25"], None, ["1.234", "5.678"]),
        (["1,234", "5,678"], ["0,5", "0,25"], None, ["1.234", "5.678"]),
        (["1,234", "5,678"], ["7", "8"], ",", ["1.234", "5.678"]),
        (["1,234", "5,678"], ["7", "8"], ".", ["1234", "5678"]),
        (["1,2,3", "4,5"], ["7", "8"], None, ["1,2,3", "4,5"]),
    ],
)
def test_decimal_commas_and_thousands(
    written: Written,
    first: list[str],
    second: list[str],
    decimal: str | None,
    expected: list[str],
) -> None:
    rows = zip(first, second, strict=True)
    table = written("a;b\n" + "".join(f"{x};{y}\n" for x, y in rows), decimal=decimal)
    assert cells(table)[0] == expected
    assert any(note.about == "numbers" for note in table.notes) is (
        expected != first or second[0] != cells(table)[1][0]
    )


def test_a_bad_cell_among_numbers_with_commas_keeps_its_text(written: Written) -> None:
    table = written('n,x\n1,"1,5"\n2,"2,5"\n3,"0,5"\n4,"7,25"\n5,about 3\n')
    assert cells(table)[1] == ["1.5", "2.5", "0.5", "7.25", "about 3"]


def test_a_comma_far_below_is_seen(written: Written) -> None:
    rows = [*map(str, range(2000)), "1,5", "1.234,5"]
    table = written("n;x\n" + "".join(f"{place};{x}\n" for place, x in enumerate(rows)))
    assert cells(table)[1][-2:] == ["1.5", "1234.5"]


def test_a_comma_that_could_be_both_is_asked_for(written: Written) -> None:
    with pytest.raises(DataError, match=r"column 1 of .* is a decimal comma cannot be told") as got:
        written("a;b\n1,234;7\n5,678;8\n")
    assert got.value.got == "1,234: 1.234, or 1234"
    with pytest.raises(SettingError, match="the decimal cannot be"):
        written("a;b\n1;7\n", decimal="·")


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("label,text\nspam,buy\nham,hello\n", True),
        ("M,yes\nF,no\nM,no\nF,yes\n", False),
    ],
)
def test_a_first_row_of_text_above_text(written: Written, text: str, header: bool) -> None:
    assert written(text).named is header


def test_a_header_that_cannot_be_told_is_asked_for(written: Written) -> None:
    text = "x,y\nx,q\nr,s\n"
    with pytest.raises(DataError, match="names its columns cannot be told") as caught:
        written(text)
    assert caught.value.hint == "--header or --no-header"
    assert written(text, header=True).names == ["x", "y"]
    assert written(text, header=False).names == ["column1", "column2"]
    assert written("1,2\n3,4\n", header=True).names == ["1", "2"]


letters = st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters="$€£¥₹%")
words = st.text(letters, min_size=1, max_size=5)
numbers = st.floats(-1e6, 1e6).map(lambda number: f"{number:.3f}")


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=st.lists(st.tuples(numbers, words, numbers), min_size=2, max_size=8),
    delimiter=st.sampled_from(";\t|,"),
    decimal=st.sampled_from(".,"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    ending=st.sampled_from(["\n", "\r\n"]),
    header=st.booleans(),
    packed=st.booleans(),
)
def test_what_is_written_in_any_layout_is_read_back(
    tmp_path: Path,
    rows: list[tuple[str, str, str]],
    delimiter: str,
    decimal: str,
    encoding: str,
    ending: str,
    header: bool,
    packed: bool,
) -> None:
    """With the layout said, random tables come back; what is found out is tested above."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=ending, quoting=csv.QUOTE_ALL)
    if header:
        writer.writerow(["first", "second", "third"])
    writer.writerows(
        [[x.replace(".", decimal), word, y.replace(".", decimal)] for x, word, y in rows]
    )
    raw = text.getvalue().encode(encoding)
    path = tmp_path / "t.csv"
    path.write_bytes(gzip.compress(raw) if packed else raw)
    table = read_table(path, delimiter=delimiter, decimal=decimal, header=header)
    assert table.named is header
    assert cells(table)[1] == [word for _, word, _ in rows]
    for place in (0, 2):
        expected = [float(row[place]) for row in rows]
        assert list(map(float, map(str, cells(table)[place]))) == expected
    first = 1 + header
    assert table.lines.tolist() == list(range(first, first + len(rows)))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=st.lists(
        st.tuples(
            st.integers(0, 10**6),
            st.integers(-(10**5), 10**5),
            st.text("abcdefgh éßñ", min_size=1, max_size=6).map(lambda word: f"w{word}w"),
        ),
        min_size=3,
        max_size=10,
    ),
    delimiter=st.sampled_from(";\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_german_tables_are_read_without_being_told_how(
    tmp_path: Path, rows: list[tuple[int, int, str]], delimiter: str, encoding: str
) -> None:
    """A count, an amount with two decimals after a comma and a dot at thousands, and a word."""
    lines = [f"n{delimiter}amount{delimiter}word"]
    for count, cents, word in rows:
        amount = f"{cents / 100:,.2f}".translate(str.maketrans(",.", ".,"))
        lines.append(delimiter.join([str(count), amount, word]))
    path = tmp_path / "t.csv"
    path.write_bytes("\n".join(lines).encode(encoding))
    table = read_table(path)
    assert table.column("amount").numbers.tolist() == [cents / 100 for _, cents, _ in rows]
    assert table.column("n").numbers.tolist() == [count for count, _, _ in rows]
    assert table.column("word").cells.tolist() == [word for _, _, word in rows]
