"""Targets whose classes are called like missing markers, and texts among classes of numbers."""

import pytest

from chainrule.data import Preparation, Table, prepare, prepare_more
from chainrule.errors import DataError


def table(answers, rows=90):
    size = [place * 7 % 31 for place in range(rows)]
    return Table.of({"size": size, "y": [answers[place % len(answers)] for place in range(rows)]})


def classes(answers, **settings):
    return prepare(table(answers), "y", **settings).preparation.targets[0].classes


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        (["none", "mild", "severe"], ["mild", "none", "severe"]),
        (["None", "Insomnia", ""], ["Insomnia", "None"]),
        (["+", "-", "?"], ["+", "-"]),
        (["yes", "no", "none"], ["no", "yes"]),
        (["up", "down", "-"], ["down", "up"]),
        ([0, 1, 1, "none"], ["0", "1"]),
        (["EU", "NA", "SA"], ["EU", "SA"]),
    ],
)
def test_a_marker_is_a_class_where_it_names_one(answers, found):
    assert classes(answers) == found


def test_it_is_said_kept_and_can_be_undone():
    prepared = prepare(table(["none", "mild", "?"]), "y")
    said = [str(note) for note in prepared.report.about("target")]
    assert "'none' is a class of y, in 30 rows; if it means missing, --missing y=none" in said
    saved = Preparation.from_json(prepared.preparation.to_json())
    part, _ = prepare_more(saved, table(["none", "mild", "?"], rows=30))
    assert part.target.tolist() == [1, 0] * 10
    given = {"missing": {"y": "none"}}
    assert classes(["none", "mild", "well"], **given) == ["mild", "well"]


def test_how_missing_classes_are_written_is_said_with_the_flag_that_keeps_them():
    said = str(prepare(table(["EU", "SA", "NA"]), "y").report.about("target")[0])
    assert "the target y is missing, written 'NA'; if that is a class, --missing y= (line" in said
    assert classes(["EU", "SA", "NA"], missing={"y": ""}) == ["EU", "NA", "SA"]
    with pytest.raises(DataError) as caught:
        prepare(table(["SA", "NA"]), "y")
    assert caught.value.hint.startswith("--missing y= if 'NA' does not mean missing")


def test_a_bad_cell_among_classes_of_numbers_is_no_class():
    answers = [*([0, 1, 2] * 29), "bad", 1, 2]
    assert classes(answers) == ["0", "1", "2"]
    said = str(prepare(table(answers), "y").report.about("target")[0])
    assert "written 'bad'; if that is a class, --missing y= (line 88)" in said
    asked = {"types": {"y": "category"}}
    assert classes(answers, **asked) == ["0", "1", "2", "bad"]
