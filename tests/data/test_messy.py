"""Messy tables: each dirt is found on its lines, alone and with any others, and nothing else is."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.data.messy.dirt import DIRTS, clean_rows, written

from chainrule.data import inspect_table, prepare, read_table
from chainrule.errors import FindingsError

KINDS = {
    "customer_id": "id",
    "age": "numeric",
    "fee": "numeric",
    "town": "category",
    "member": "boolean",
    "since": "date",
    "said": "text",
    "spent": "numeric",
}


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """Write a messy table to a file and read it."""
    path = tmp_path_factory.mktemp("messy") / "t.csv"

    def of(dirts):
        rows = clean_rows()
        for dirt in dirts:
            dirt.spoil(rows)
        path.write_text(written(rows))
        return read_table(path)

    return of


def said_of(notes, dirt):
    return [note.lines for note in notes if dirt.text in str(note)]


def test_a_clean_table_has_no_findings(read):
    found = inspect_table(read([]))
    assert found.findings == []
    assert {kind.name: kind.kind for kind in found.columns} == KINDS
    prepared = prepare(read([]), "spent", strict=True)
    assert not any(note.finding for note in prepared.report.notes)


@pytest.mark.parametrize("dirt", DIRTS, ids=lambda dirt: dirt.name)
def test_each_dirt_is_the_only_finding(read, dirt):
    found = inspect_table(read([dirt]))
    assert said_of(found.findings, dirt) == [dirt.lines]
    assert len(found.findings) == 1
    assert {kind.name: kind.kind for kind in found.columns} == KINDS
    if dirt.name != "a short row":  # whose line has no cells of its own
        assert found.usable >= found.rows - 1


@settings(max_examples=6)
@given(st.lists(st.sampled_from(DIRTS), unique_by=lambda dirt: dirt.name, min_size=2))
def test_any_dirts_together_are_found_on_their_lines(read, dirts):
    found = inspect_table(read(dirts))
    for dirt in dirts:
        assert said_of(found.findings, dirt) == [dirt.lines]
    assert len(found.findings) == len(dirts)
    assert json.loads(found.model_dump_json())["notes"]


@pytest.mark.parametrize("delimiter", [";", "|", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_all_dirts_are_found_whatever_the_dialect(tmp_path, delimiter, encoding):
    rows = clean_rows()
    for dirt in DIRTS:
        dirt.spoil(rows)
    text = written(rows).replace(",", delimiter).replace("\n", "\r\n")
    (tmp_path / "t.csv").write_bytes(text.encode(encoding))
    found = inspect_table(read_table(tmp_path / "t.csv"))
    for dirt in DIRTS:
        assert said_of(found.findings, dirt) == [dirt.lines], dirt.name
    assert len(found.findings) == len(DIRTS)


def test_all_of_it_is_prepared_and_reported(read):
    prepared = prepare(read(DIRTS), "spent", missing={"fee": "999", "age": "-inf"})
    text = prepared.report.text()
    for dirt in DIRTS:
        if dirt.name not in ("a stand-in", "a bad number", "a bad date", "an infinite number"):
            assert said_of(prepared.report.notes, dirt) == [dirt.lines], dirt.name
    assert "'forty' taken as missing (line 10)" in text
    assert "'2021-02-30' taken as missing (line 11)" in text
    assert "--missing" not in text
    parts = (prepared.train, prepared.validation, prepared.test)
    used = sorted(line for part in parts for line in part.lines.tolist())
    assert used == [line for line in range(2, 62) if line not in (15, 16, 17, 18)]
    together = [{4, 19} & set(part.lines.tolist()) for part in parts]
    assert {4, 19} in together


def test_markers_that_were_given_are_kept_for_new_rows(read):
    prepared = prepare(read(DIRTS), "spent", missing={"fee": "999", "age": "-inf"})
    new = read([DIRTS[2]])
    _, met = prepared.preparation.apply(new)
    assert [column.missing for column in met.columns if column.name == "fee"] == [3]


FINDINGS = [dirt for dirt in DIRTS if dirt.name != "an infinite number"]  # always refused


@pytest.mark.parametrize("dirt", FINDINGS, ids=lambda dirt: dirt.name)
def test_strict_refuses_each(read, dirt):
    with pytest.raises(FindingsError, match="strict refuses") as caught:
        prepare(read([dirt]), "spent", strict=True)
    assert caught.value.exit_code == 10
