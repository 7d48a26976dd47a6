"""What is kept about each column: its kind and why, its counts, and what became of it."""

from chainrule.data import Table, prepare
from chainrule.data.decisions import TARGET, DataReport

ROWS = 60
CELLS = {
    "number": range(1, ROWS + 1),
    "age": [str(20 + row * 7 % 31) if row % 6 else "?" for row in range(ROWS)],
    "town": ["Oslo", "Rome", "Bern"] * 20,
    "code": [1, 2, 3, 4] * 15,
    "spent": [row * 37 % 101 + 0.5 for row in range(ROWS)],
}


def kept(**settings):
    prepared = prepare(Table.of(CELLS), "spent", **settings)
    return prepared, {column.name: column for column in prepared.report.columns}


def test_every_column_is_there_in_the_order_of_the_file():
    prepared, columns = kept(drop=["town"])
    assert list(columns) == list(CELLS)
    assert columns["number"].use == "left out: it numbers the rows"
    assert columns["town"].use == "left out: asked for"
    assert columns["spent"].use == TARGET
    uses = {record.name: record.treatment() for record in prepared.preparation.inputs}
    assert {name: columns[name].use for name in uses} == uses


def test_counts_are_those_of_the_training_rows():
    prepared, columns = kept()
    cells = [CELLS["age"][line - 1] for line in prepared.train.lines]
    assert columns["age"].missing == cells.count("?")
    assert columns["age"].markers == {"?": cells.count("?")}
    assert columns["age"].distinct == len(set(cells) - {"?"})


def test_what_was_asked_for_is_told_by_name_or_position():
    _, columns = kept(types={"-2": "numeric"}, encodings={"2": "quantile"})
    assert columns["code"].kind == "numeric"
    assert columns["code"].asked
    assert columns["code"].use.endswith("(asked for)")
    assert columns["age"].use.endswith("(asked for)")
    assert not columns["town"].asked


def test_the_report_reads_back_and_old_ones_too():
    prepared, columns = kept()
    again = DataReport.model_validate_json(prepared.report.to_json())
    assert again == prepared.report
    assert len(again.columns) == len(columns)
    assert DataReport.model_validate_json('{"source": "t", "notes": []}').columns == []
