"""What is seen of real tables before any training."""

import pytest

from chainrule.data import inspect_table, prepare, read_table


def kinds_of(path, **settings):
    found = inspect_table(read_table(path), **settings)
    return found, {kind.name: kind for kind in found.columns}


def test_housing_lacks_207_bedrooms(shared_tables):
    found, kinds = kinds_of(shared_tables / "california_housing" / "housing_raw.csv")
    assert kinds["total_bedrooms"].missing == 207
    assert kinds["total_bedrooms"].markers == {"": 207}
    assert kinds["ocean_proximity"].kind == "category"
    assert {kind.kind for kind in kinds.values()} == {"numeric", "category"}
    assert found.usable == 20640


def test_titanic(shared_tables):
    _, kinds = kinds_of(shared_tables / "titanic.csv")
    found = {kind: [n for n, k in kinds.items() if k.kind == kind] for kind in ("id", "text")}
    assert found == {"id": ["PassengerId", "Ticket"], "text": ["Name"]}
    assert kinds["Pclass"].kind == "integer-category"


def test_horse_colic_marks_what_is_missing(shared_tables):
    _, kinds = kinds_of(shared_tables / "horse-colic.csv")
    assert set().union(*(kind.markers for kind in kinds.values())) == {"?"}
    assert sum(kind.missing for kind in kinds.values()) == 1605
    assert kinds["column26"].reason == "codes: digits with leading zeros"


def test_pollution(shared_tables):
    _, kinds = kinds_of(shared_tables / "pollution.csv")
    assert (kinds["No"].kind, kinds["pm2.5"].missing) == ("id", 2067)
    assert kinds["pm2.5"].markers == {"NA": 2067}


def test_months_of_passengers_are_dates(shared_tables):
    found, kinds = kinds_of(shared_tables / "airline-passengers.csv")
    assert (kinds["Month"].kind, kinds["Month"].form) == ("date", "%Y-%m")
    assert found.findings == []


def test_adult_has_two_classes_though_those_of_the_test_end_in_a_dot(shared_tables):
    folder = shared_tables / "adult"
    found, kinds = kinds_of(folder / "adult-train.csv")
    assert [note.count for note in found.findings if note.about == "duplicates"] == [24]
    assert any("--missing column11=99999" in note.text for note in found.findings)
    assert (kinds["column2"].markers, kinds["column3"].kind) == ({"?": 1836}, "numeric")
    test = read_table(folder / "adult-test.csv")
    prepared = prepare(read_table(folder / "adult-train.csv"), "-1", test=test)
    assert prepared.preparation.target.classes == ["<=50K", ">50K"]
    assert len(prepared.test) == 16281


@pytest.mark.parametrize("setting", [{"drop": ["Month"]}, {"types": {"Month": "category"}}])
def test_what_was_asked_for_holds(shared_tables, setting):
    _, kinds = kinds_of(shared_tables / "airline-passengers.csv", **setting)
    assert ("Month" in kinds) == ("types" in setting)
    assert all(kind.kind != "date" for kind in kinds.values())
