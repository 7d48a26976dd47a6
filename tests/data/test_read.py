"""Reading files: layouts, headers, exact lines, and one clear error for each bad file."""

import csv
import gzip
import io
import subprocess
import sys
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chainrule.data import BUILTIN, read_table
from chainrule.errors import DataError


def cells(table):
    return [table.column(name).cells.tolist() for name in table.names]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_delimiters_and_line_ends(written, delimiter, ending):
    rows = ["name;age", "Ann;3", "Bob;", "Cy;5"]
    table = written(ending.join(row.replace(";", delimiter) for row in rows) + ending)
    assert table.names == ["name", "age"]
    assert cells(table) == [["Ann", "Bob", "Cy"], ["3", None, "5"]]
    assert table.lines.tolist() == [2, 3, 4]


def test_spaces_around_cells_are_stripped(written):
    table = written("39, State-gov, <=50K\n50, ?, >50K\n", names=["age", "work", "income"])
    assert cells(table) == [["39", "50"], ["State-gov", "?"], ["<=50K", ">50K"]]


def test_a_byte_order_mark_is_no_part_of_the_first_name(written):
    assert written("\ufeffa,b\n1,2\n").names == ["a", "b"]


def test_packed_files(tmp_path):
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n1,2\n\n3,4\n"))
    table = read_table(path)
    assert table.lines.tolist() == [2, 4]
    assert cells(table) == [["1", "3"], ["2", "4"]]


def test_a_name_that_looks_like_a_pattern(written):
    assert len(written("a,b\n1,2\n", name="t[1]*.csv")) == 1


def test_lines_are_exact_with_breaks_inside_of_cells_blank_lines_and_bad_lines(written):
    text = 'a,b\n1,"x\ny\n\nz"\n\n2,p\n3,q,r\n"4\n",s\n5,"t"\n'
    table = written(text)
    assert table.column("a").cells.tolist() == ["1", "2", "4\n", "5"]
    assert table.lines.tolist() == [2, 7, 9, 11]
    assert [(bad.line, bad.reason) for bad in table.rejected] == [
        (8, "3 cells where 2 are expected")
    ]


def test_lines_that_do_not_fit_are_put_aside_with_a_reason(written):
    table = written("a,b\n1,2\n3\n4,5,6\n7,8\n9,10\n11,12\n")
    assert table.column("a").cells.tolist() == ["1", "7", "9", "11"]
    assert table.lines.tolist() == [2, 5, 6, 7]
    assert [(bad.line, bad.text) for bad in table.rejected] == [(3, "3"), (4, "4,5,6")]


def test_bytes_that_are_no_text_are_put_aside(written):
    table = written(b"a,b\n1,caf\xe9\n2,na\xc3\xafve\n3,y\n")
    assert table.column("b").cells.tolist() == ["na\u00efve", "y"]
    assert table.rejected[0].line == 2
    assert table.rejected[0].reason == "not UTF-8 text"


def test_lines_are_exact_far_into_a_large_file(written):
    rows = [
        f'{place},"line\n{place}"' if place % 100 == 0 else f"{place},x" for place in range(30000)
    ]
    rows[20000] = "1,2,3,4"
    table = written("a,b\n" + "\n".join(rows) + "\n")
    text = ("a,b\n" + "\n".join(rows)).split("\n")
    begins = [text[line - 1].split(",")[0] for line in table.lines.tolist()]
    assert begins == table.column("a").cells.tolist()
    assert [text[bad.line - 1] for bad in table.rejected] == ["1,2,3,4"]


@pytest.mark.parametrize(
    ("first", "header"),
    [
        ("age,sex", True),
        ("M,0.455", False),
        ("530101,A11", False),
        ("?,x", False),
        ("RI,Na", True),
        (",name", True),
        ("0,1", True),
        ("1,2", True),
        ("2,1", False),
        ("inf,nan", True),
    ],
)
def test_the_first_row_is_a_header_unless_it_plainly_is_data(written, first, header):
    table = written(f"{first}\n7,b\n8,c\n")
    assert table.named is header
    assert len(table) == (2 if header else 3)
    assert table.lines[0] == (2 if header else 1)


def test_columns_without_a_name_get_one(written):
    assert written(",b\nx,1\n").names == ["column1", "b"]
    assert written("1,5\n1,2\n").names == ["column1", "column2"]


def test_names_are_for_files_without_a_header_and_may_repeat_the_one_there_is(written):
    plain = written("x,5\ny,6\n", names=["a", "b"])
    assert plain.names == ["a", "b"]
    assert plain.named
    assert len(plain) == 2
    assert len(written("2010,2011\n5,6\n", names=["2010", "2011"])) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"a,b\n", "has a header but no rows"),
        (b"a,a\n1,2\n", "two columns called 'a'"),
        (bytes(range(256)) * 20, "cannot be read as a table of text"),
    ],
)
def test_files_that_are_no_table(written, text, words):
    with pytest.raises(DataError, match=words) as caught:
        written(text)
    assert caught.value.exit_code == 3
    assert "\n" not in caught.value.one_line()


def test_names_must_be_one_for_each_column(written):
    with pytest.raises(DataError, match="names and the columns") as caught:
        written("1,2,3\n", names=["a", "b"])
    assert caught.value.expected == "3 names"
    assert caught.value.got == "2: a, b"


def test_a_file_that_does_not_exist(tmp_path, monkeypatch):
    (tmp_path / "houses.csv").write_text("a\n1\n")
    with pytest.raises(DataError, match="there is no file") as caught:
        read_table(tmp_path / "house.csv")
    assert caught.value.hint == f"did you mean {tmp_path / 'houses.csv'}?"
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError) as caught:
        read_table("digit")
    assert caught.value.hint == "did you mean digits?"
    with pytest.raises(DataError, match="is a folder"):
        read_table(tmp_path)
    with pytest.raises(DataError) as caught:
        read_table("nowhere/qqqq.xyz")
    assert "digits, diabetes, courier, spirals" in str(caught.value.hint)


text_cells = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=6)


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(text_cells, text_cells), min_size=1, max_size=8), st.data())
def test_what_is_written_is_read_back(tmp_path, rows, data):
    out = io.StringIO()
    writer = csv.writer(
        out,
        delimiter=data.draw(st.sampled_from(",;\t")),
        lineterminator="\n",
        quoting=csv.QUOTE_ALL,
    )
    writer.writerows([("one", "two"), *rows])
    path = tmp_path / "t.csv"
    path.write_text(out.getvalue(), encoding="utf-8", newline="")
    table = read_table(path)
    expected = [[cell.strip(" \t") or None for cell in row] for row in rows]
    assert [list(row) for row in zip(*cells(table), strict=True)] == expected
    lines = out.getvalue().split("\n")
    begins = np.cumsum([1, *(1 + a.count("\n") + b.count("\n") for a, b in rows)])[:-1] + 1
    assert table.lines.tolist() == begins.tolist()
    assert len(lines) > table.lines[-1]


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.binary(max_size=200) | st.text(",;\n\"'a1?\t ", max_size=60).map(str.encode))
def test_any_bytes_are_a_table_or_a_clear_error(tmp_path, content):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with suppress(DataError):
        table = read_table(path)
        assert len(table) > 0
        assert (np.diff(table.lines) > 0).all()


def test_rows_and_columns_in_memory():
    table = read_table([{"x": 1, "y": "a"}, {"x": None}, {"x": 2.5, "y": " "}])
    assert cells(table) == [["1", None, "2.5"], ["a", None, None]]
    table = read_table({"x": np.array([1.0, np.nan]), "y": [True, "no"]})
    assert cells(table) == [["1", None], ["True", "no"]]
    assert read_table(table) is table
    assert read_table({"x": [1]}, names=["z"]).names == ["z"]


def test_memory_that_is_no_table():
    with pytest.raises(DataError, match="cannot be read as a table") as caught:
        read_table(3)
    assert caught.value.got == "int"
    with pytest.raises(DataError, match="no rows"):
        read_table([])


@pytest.mark.parametrize("library", ["polars", "pyarrow", "pandas"])
def test_data_frames(library):
    frames = pytest.importorskip(library)
    made = frames.table if library == "pyarrow" else frames.DataFrame
    table = read_table(made({"x": [1.5, None, 3.0], "n": [1, 2, 3], "t": ["a", None, "b"]}))
    assert table.names == ["x", "n", "t"]
    np.testing.assert_array_equal(table.column("x").numbers, [1.5, np.nan, 3.0])
    assert cells(table)[1:] == [["1", "2", "3"], ["a", None, "b"]]
    assert table.lines.tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("name", "rows", "columns"),
    [("digits", 1797, 65), ("diabetes", 442, 11), ("courier", 200, 2), ("spirals", 600, 3)],
)
def test_built_in_tables(name, rows, columns, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table = read_table(name)
    assert (len(table), len(table.names)) == (rows, columns)
    assert table.names[-1] == BUILTIN[name].target
    assert not np.isnan(table.column(1).numbers).any()
    (tmp_path / name).write_text("mine\nx\n")
    assert read_table(name).names == ["mine"]


def test_nothing_heavy_is_imported_before_a_file_is_read():
    code = "import sys, chainrule.data; print({'duckdb', 'narwhals'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("file", "rows", "named"),
    [
        ("abalone.csv", 4177, False),
        ("titanic.csv", 891, True),
        ("german_credit.csv", 1000, False),
        ("horse-colic.csv", 300, False),
        ("adult/adult-test.csv", 16281, False),
        ("wine_quality/winequality-red.csv", 1599, False),
        ("sms_spam.tsv", 5574, True),
        ("pollution.csv", 43824, True),
    ],
)
def test_real_files(shared_tables, file, rows, named):
    table = read_table(shared_tables / file)
    assert (len(table), table.named, table.rejected) == (rows, named, ())
    assert table.lines[-1] == rows + named


def test_spans_of_time_in_a_frame_are_seconds():
    pandas = pytest.importorskip("pandas")
    spans = pandas.to_timedelta([90, None, 1.5], unit="s")
    column = read_table(pandas.DataFrame({"span": spans})).column("span")
    np.testing.assert_array_equal(column.numbers, [90, np.nan, 1.5])
