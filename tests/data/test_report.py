"""Reports in print."""

from chainrule.data import Note, Report


def test_columns_that_fare_alike_share_a_line():
    notes = [
        Note(about="column", column="a", text="number"),
        Note(about="column", column="b", text="one-hot"),
        Note(about="column", column="c", text="number"),
        Note(about="cells", text="x", lines=[3, 4]),
        Note(about="cells", text="x", lines=[5]),
    ]
    text = Report(source="t.csv", notes=notes).text()
    assert text.splitlines() == [
        "t.csv",
        "  a, c: number",
        "  b: one-hot",
        "  x (lines 3, 4)",
        "  x (line 5)",
    ]


def test_print_shows_a_few_lines_and_json_all():
    report = Report(source="t.csv", notes=[Note(about="cells", text="x", lines=list(range(50)))])
    assert report.text() == "t.csv\n  x (lines 0, 1, 2, 3, 4 and 45 more)"
    assert Report.model_validate_json(report.to_json()) == report
    assert report.about("cells") == report.notes
    assert report.about("split") == []
