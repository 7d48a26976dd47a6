"""From a table to arrays, whole: no leak, nothing silent, one clear error for bad data."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.data import Column, Table, prepare, prepare_more, read_table
from chainrule.data.decisions import DataReport
from chainrule.errors import DataError, SettingError


def people(rows=200, seed=0, **more):
    rng = np.random.default_rng(seed)
    age = rng.normal(40, 12, rows)
    return Table.of(
        {
            "age": age,
            "job": [["cook", "nurse", "clerk"][place] for place in rng.integers(0, 3, rows)],
            "pay": age * 100 + rng.normal(0, 50, rows),
            "glad": ["yes" if p else "no" for p in rng.random(rows) < 0.3],
            **more,
        },
        "people.csv",
    )


def poisoned(table, rows, value, text):
    """The same table with other inputs in some rows."""
    age, job = table.column("age").numbers.copy(), table.column("job").cells.copy()
    age[rows], job[rows] = value + np.arange(len(rows)), text
    return Table({**table.columns, "age": Column(numbers=age), "job": Column(job)}, table.lines)


@settings(max_examples=25)
@given(
    st.integers(0, 50), st.sampled_from(["pay", "glad"]), st.floats(-1e6, 1e6), st.text(max_size=3)
)
def test_validation_and_test_rows_teach_the_preparation_nothing(seed, target, value, text):
    table = people()
    clean = prepare(table, target, seed=seed)
    others = np.concatenate([clean.validation.lines, clean.test.lines]) - 1
    spoilt = prepare(poisoned(table, others, value, text), target, seed=seed)
    assert (spoilt.train.lines == clean.train.lines).all()
    assert spoilt.preparation.to_json() == clean.preparation.to_json()
    assert spoilt.train.numbers.tobytes() == clean.train.numbers.tobytes()
    assert spoilt.baseline == clean.baseline


def test_training_rows_do_teach_it():
    table = people()
    clean = prepare(table, "pay")
    spoilt = prepare(poisoned(table, clean.train.lines[:5] - 1, 999.0, "spy"), "pay")
    assert spoilt.preparation.to_json() != clean.preparation.to_json()


def test_given_files_teach_the_preparation_nothing():
    table = people()
    fitted = [
        prepare(table, "pay", validation=people(30, seed), test=people(40, seed + 1))
        for seed in (1, 5)
    ]
    assert fitted[0].preparation.to_json() == fitted[1].preparation.to_json()
    assert [len(part) for part in (fitted[0].train, fitted[0].validation, fitted[0].test)] == [
        200,
        30,
        40,
    ]


def test_the_parts_of_a_regression():
    prepared = prepare(people(), "pay")
    assert prepared.task == "regression"
    assert [len(p) for p in (prepared.train, prepared.validation, prepared.test)] == [140, 30, 30]
    assert prepared.train.target.shape == (140, 1)
    assert prepared.train.target.dtype == np.float32
    lines = prepared.train.lines
    pay = people().column("pay").numbers[lines - 1]
    assert prepared.baseline == pytest.approx(pay.mean())
    back = prepared.preparation.target.inverse(prepared.train.target)
    np.testing.assert_allclose(back, pay, rtol=1e-4)


def test_the_parts_of_a_classification():
    prepared = prepare(people(), "glad")
    assert prepared.task == "classification"
    assert prepared.train.target.dtype == np.int64
    assert prepared.baseline == "no"
    shares = [(p.target == 1).mean() for p in (prepared.train, prepared.validation, prepared.test)]
    assert max(shares) - min(shares) < 0.05


def test_only_one_part_given():
    prepared = prepare(people(), "pay", test=people(50, seed=3))
    assert [len(p) for p in (prepared.train, prepared.validation, prepared.test)] == [170, 30, 50]
    prepared = prepare(people(), "pay", validation=people(50, seed=3))
    assert [len(p) for p in (prepared.train, prepared.validation, prepared.test)] == [170, 50, 30]


def test_seeds_decide_the_split_and_nothing_else_does():
    first, again, other = (prepare(people(), "pay", seed=seed) for seed in (4, 4, 5))
    assert first.test.lines.tolist() == again.test.lines.tolist()
    assert first.train.numbers.tobytes() == again.train.numbers.tobytes()
    assert first.test.lines.tolist() != other.test.lines.tolist()


def test_the_report_names_everything_that_was_done(written):
    rows = [f"{place},{place * 7 % 13}.5,{'ab'[place % 2]},k,,{place * 3}" for place in range(40)]
    rows[10] = "10,oops,a,k,,30"
    rows[11] = "11,1.5,b,k,,"
    rows[12] = rows[9]
    rows[13] = "13,1.5"
    table = written("id,x,c,same,none,y\n" + "\n".join(rows) + "\n")
    prepared = prepare(table, "y", drop=["c"])
    text = prepared.report.text().splitlines()[1:]
    assert "  1 line left out: 2 cells where 6 are expected (line 15)" in text
    assert "  1 row left out: the target y is missing (line 13)" in text
    assert "  1 row left out: repeats an earlier row (line 14)" in text
    assert "  c: left out: asked for" in text
    assert "  id: left out: it numbers the rows" in text
    assert "  same: left out: every cell has the same value" in text
    assert "  none: left out: every cell is missing" in text
    assert any("x: 'oops' taken as missing (line 12)" in line for line in text)
    parts = (prepared.train, prepared.validation, prepared.test)
    used = sorted(np.concatenate([part.lines for part in parts]).tolist())
    assert used == [line for line in range(2, 42) if line not in (13, 14, 15)]
    assert DataReport.model_validate_json(prepared.report.to_json()) == prepared.report


def test_given_rows_stay_though_training_has_them_too():
    table = people()
    shared = table.take(np.arange(30))
    prepared = prepare(table, "pay", test=shared)
    trained = len(set(prepared.train.lines.tolist()) & set(range(1, 31)))
    assert len(prepared.test) == 30
    assert [note.count for note in prepared.report.about("duplicates")] == [trained]


def test_given_rows_without_a_target():
    table = people()
    some = people(30, 1, glad=[None] * 5 + ["yes", "no."] * 12 + ["yes"])
    prepared = prepare(table, "glad", test=some)
    assert len(prepared.test) == 25
    texts = [note.text for note in prepared.report.about("target")]
    assert texts == [
        "5 rows left out: the target glad is missing in people.csv",
        "12 labels of people.csv end in a dot, which was ignored",
    ]
    with pytest.raises(DataError, match="has no target column 'glad'"):
        prepare(table, "glad", test=table.without(["glad"]))
    with pytest.raises(DataError, match=r"no row of people\.csv has a target"):
        prepare(table, "glad", test=people(30, 1, glad=[None] * 30))


def test_rare_classes_train_only_and_are_named():
    glad = ["so"] * 2 + ["yes", "no"] * 99
    prepared = prepare(people(glad=glad), "glad")
    assert {1, 2} <= set(prepared.train.lines.tolist())
    note = prepared.report.about("target")[0]
    assert str(note) == "'so': fewer than 3 rows, used for training only (lines 1, 2)"


def test_choices_can_be_overridden():
    table = people(age=[place % 7 for place in range(200)])
    prepared = prepare(table, "glad", types={"age": "category"}, drop=["pay"])
    assert prepared.preparation.features[:2] == ["age = 0", "age = 1"]
    assert "pay" in prepared.preparation.left_out
    assert prepare(table, "age").task == "classification"
    assert prepare(table, "age", task="regression").task == "regression"
    assert prepare(table, "age", types={"age": "numeric"}).task == "regression"


def test_settings_that_cannot_be():
    with pytest.raises(SettingError, match="is the target"):
        prepare(people(), "pay", drop=["pay"])
    with pytest.raises(DataError, match="no column 'payy'") as caught:
        prepare(people(), "payy")
    assert caught.value.hint == "did you mean 'pay'?"
    with pytest.raises(DataError, match="no column 'jobb'"):
        prepare(people(), "pay", drop=["jobb"])


@pytest.mark.parametrize(
    ("change", "target", "words"),
    [
        ({"pay": [5] * 200}, "pay", "only the value"),
        ({"pay": [f"n{p}" for p in range(200)]}, "pay", "text with 200 different values"),
        ({"pay": [1.5, "inf"] + [2.5] * 198}, "pay", "infinite"),
        (
            {"age": [None] * 200, "job": [None] * 200, "glad": "?" * 200},
            "pay",
            "no column to learn",
        ),
        ({"pay": [None] * 190 + list(range(10))}, "pay", "10 usable rows, too few"),
    ],
)
def test_bad_data_is_one_clear_error(change, target, words):
    with pytest.raises(DataError, match=words) as caught:
        prepare(people(**change), target)
    assert caught.value.exit_code == 3
    assert "\n" not in caught.value.one_line()


def test_an_infinite_target_is_refused_in_every_part():
    test = people(30, 1, pay=[1.0, "inf"] * 15)
    with pytest.raises(DataError, match="infinite"):
        prepare(people(), "pay", test=test)


@pytest.mark.parametrize("infinite", ["-inf", "1e999", float("inf")])
def test_an_infinite_input_is_refused_in_every_part_unless_it_means_missing(infinite):
    ages = people().column("age").numbers.tolist()
    train, test = people(age=[*ages[:4], infinite, *ages[5:]]), people(30, 1, age=[infinite] * 30)
    for tables in ({"table": train}, {"table": people(), "test": test}):
        with pytest.raises(DataError, match="infinite") as caught:
            prepare(**tables, target="pay")
        assert "'age', line" in caught.value.got
    flag = caught.value.hint.split("--missing age=")[1].split()[0]
    prepared = prepare(train, "pay", test=test, missing={"age": flag})
    assert np.isfinite(prepared.train.numbers).all()
    assert "age missing" in prepared.preparation.features


def test_other_rows_under_a_preparation_that_exists():
    prepared = prepare(people(), "glad")
    part, report = prepare_more(prepared.preparation, people(40, seed=9))
    assert part.numbers.shape == (40, prepared.train.numbers.shape[1])
    assert set(part.target.tolist()) == {0, 1}
    assert report.source == "people.csv"


ADULT = [f"feature{place}" for place in range(1, 15)] + ["income"]


def test_adult_keeps_its_own_test_file_and_has_two_classes(shared_tables):
    table = read_table(shared_tables / "adult" / "adult-train.csv", names=ADULT)
    prepared = prepare(table, "income", test=read_table(shared_tables / "adult" / "adult-test.csv"))
    target = prepared.preparation.target
    assert target.classes == ["<=50K", ">50K"]
    assert np.bincount(prepared.test.target).tolist() == [12435, 3846]
    assert prepared.report.about("duplicates")[0].count == 24
    assert len(prepared.train) + len(prepared.validation) == 32561 - 24
    assert [record.name for record in prepared.preparation.embedded] == ["feature14"]


def test_california_is_a_regression(shared_tables):
    file = shared_tables / "california_housing" / "california_housing.csv"
    prepared = prepare(read_table(file), "MedHouseVal")
    assert prepared.baseline == pytest.approx(2.07, abs=0.02)
    assert [len(part) for part in (prepared.train, prepared.validation, prepared.test)] == [
        14448,
        3096,
        3096,
    ]
    assert np.isfinite(prepared.train.numbers).all()


def test_titanic_leaves_out_what_names_rows(shared_tables):
    prepared = prepare(read_table(shared_tables / "titanic.csv"), "Survived")
    assert list(prepared.preparation.left_out) == ["PassengerId", "Ticket"]
    assert "Age missing" in prepared.preparation.features
    assert "Cabin missing" in prepared.preparation.features
