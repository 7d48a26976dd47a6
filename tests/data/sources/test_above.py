"""Titles and remarks above a table."""

import io

import pytest

from chainrule.data import read_table

BODY = "town,size,price\n" + "".join(f"Oslo,{place * 1.5},{place * 3 % 7}\n" for place in range(30))


def read(folder, text, **reading):
    (folder / "t.csv").write_text(text)
    return read_table(folder / "t.csv", **reading)


@pytest.mark.parametrize(
    ("above", "put_aside"),
    [
        ("Sales 2021\n\n", [1]),
        ("# made by a tool\n# on Monday\n", [1, 2]),
        ("Sales 2021,,\n,,\n", [1, 2]),
        ("Sales 2021\nall towns,,\n", [1, 2]),
    ],
)
def test_lines_above_are_put_aside_by_line(tmp_path, above, put_aside):
    table = read(tmp_path, above + BODY + "short,1\n")
    first = 1 + above.count("\n")
    assert table.names == ["town", "size", "price"]
    assert table.lines.tolist() == [*range(first + 1, first + 31)]
    found = [bad for bad in table.rejected if bad.reason == "above the table"]
    assert [bad.line for bad in found] == put_aside
    assert table.rejected[-1].line == first + 31


@pytest.mark.parametrize(
    "text",
    [
        "name\nOslo\nRome\n",
        "a,b,c\n" + "1,,\n" * 3,
        "x,,\n1,2,3\n4,5,6\n",
        "a,b\nc,\n1,2\n",
        "a\n" + '"1,5"\n' * 9,
    ],
)
def test_what_may_be_a_row_stays(tmp_path, text):
    table = read(tmp_path, text, header=True)
    assert table.rejected == ()
    assert len(table) == text.count("\n") - 1


def test_titles_of_workbooks(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    pytest.importorskip("python_calamine")
    book, raw = openpyxl.Workbook(), io.BytesIO()
    for row in (["Sales 2021"], [], ["town", "size", "price"], ["Oslo", 1, 2], ["Rome", 3, 4]):
        book.active.append(row)
    book.save(raw)
    (tmp_path / "t.xlsx").write_bytes(raw.getvalue())
    table = read_table(tmp_path / "t.xlsx")
    assert table.names == ["town", "size", "price"]
    assert table.lines.tolist() == [4, 5]
    assert [(bad.line, bad.text) for bad in table.rejected] == [(1, "Sales 2021")]
