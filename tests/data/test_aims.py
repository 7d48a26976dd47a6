"""Several targets and labels: which they are, what they become, which rows count for which."""

import json

import numpy as np
import pytest
from tests.train.several import INPUTS, columns, table

from chainrule.data import Preparation, Table, prepare, prepare_more
from chainrule.data.aims import choose_aims, target_columns
from chainrule.errors import DataError, SettingError


def aims(names, task=None, **types):
    return [(aim.columns, aim.task) for aim in choose_aims(table(*names), names, task, types)]


def test_targets_are_named_in_a_text_or_a_list():
    some = Table.of({"x": [1], "a,b": [2], "y": [3]})
    assert target_columns(some, "a,b") == ["a,b"]
    assert target_columns(some, "x, -1") == ["x", "y"]
    assert target_columns(some, ["a,b", 1]) == ["a,b", "x"]
    assert target_columns(some, -1) == ["y"]
    with pytest.raises(SettingError, match="a column of its own"):
        target_columns(some, "x,1")
    with pytest.raises(DataError, match="no column 'z'"):
        target_columns(some, "x,z")


def test_each_target_has_its_own_task():
    names = ["price", "kind", "genre", "fever"]
    assert [task for _, task in aims(names)] == [
        "regression",
        "classification",
        "multi-label",
        "classification",
    ]
    assert aims(["rent", "fever"], "regression") == [
        (["rent"], "regression"),
        (["fever"], "regression"),
    ]


def test_columns_of_yes_and_no_are_one_target():
    names = ["fever", "cough", "ill"]
    assert aims(names) == [(names, "multi-label")]
    assert aims(names, "multi-label") == [(names, "multi-label")]
    assert [task for _, task in aims(names, "classification")] == ["classification"] * 3
    assert [task for _, task in aims(names, fever="boolean")] == ["classification"] * 3
    assert aims(["fever"]) == [(["fever"], "classification")]


def test_a_separator_can_be_asked_for():
    some = Table.of({"y": ["a/b", "b", "a", "b/c"] * 5, "x": range(20)})
    assert choose_aims(some, ["y"], None, {})[0].task == "classification"
    aim = choose_aims(some, ["y"], None, {"y": "labels:/"})[0]
    assert aim.fit(some).labels == ["a", "b", "c"]
    assert choose_aims(some, ["y"], "multi-label", {})[0].separator == "|"


def test_the_parts_have_an_answer_for_each_target():
    prepared = prepare(table("price", "kind", "genre"), ["price", "kind", "genre"])
    price, kind, genre = prepared.train.targets
    assert (price.shape, price.dtype) == ((210, 1), np.float32)
    assert (kind.shape, kind.dtype) == ((210,), np.int64)
    assert (genre.shape, genre.dtype) == ((210, 4), np.float32)
    assert prepared.task == "mixed"
    assert prepared.preparation.outputs == 1 + 2 + 4
    assert [record.name for record in prepared.preparation.inputs] == INPUTS
    rows = prepared.train.lines - 1
    expected = np.array(columns()["price"])[rows]
    np.testing.assert_allclose(prepared.preparation.targets[0].inverse(price), expected, rtol=1e-5)
    for label, column in zip(prepared.preparation.targets[2].labels, genre.T, strict=True):
        held = [label in columns()["genre"][row].split("|") for row in rows]
        assert column.tolist() == [float(holds) for holds in held]
    assert [len(trivial) for trivial in prepared.trivial] == [1, 2, 4]
    with pytest.raises(DataError, match="have 3 targets"):
        _ = prepared.train.target
    with pytest.raises(SettingError, match="several targets: price, kind, genre"):
        _ = prepared.preparation.target


def test_rows_that_lack_a_target_count_for_the_others():
    every = columns()
    every["price"][0] = None  # which lacks the rent, too
    every["price"][1] = "dear"
    prepared = prepare(Table.of({n: every[n] for n in [*INPUTS, "price", "rent"]}), "price,rent")
    texts = [str(note) for note in prepared.report.about("target")]
    assert texts[0] == "1 row left out: all targets are missing (line 1)"
    assert texts[1] == "1 row without price, used for the others only (line 2)"
    assert texts[2].startswith("33 rows without rent, used for the others only (lines 10, 19,")
    assert texts[3] == "of these, 'dear' in price is no number (line 2)"
    for part in (prepared.train, prepared.validation, prepared.test):
        known = np.array([every["rent"][line - 1] is not None for line in part.lines])
        assert (np.isnan(part.targets[1][:, 0]) == ~known).all()
        assert (part.weights[:, 1] > 0).tolist() == known.tolist()
        np.testing.assert_allclose(part.weights.mean(axis=0), 1, rtol=1e-5)
    rent = prepared.preparation.targets[1]
    known = [every["rent"][line - 1] for line in prepared.train.lines]
    assert rent.mean == pytest.approx(np.mean([value for value in known if value is not None]))


def test_all_known_and_nothing_weighed_has_no_weights():
    prepared = prepare(table("price", "kind"), "price,kind")
    assert prepared.train.weights is None


def test_labels_that_are_not_known_count_nothing():
    names = ["fever", "cough", "ill"]
    prepared = prepare(table(*names), names, class_weight="balanced")
    answers, weights = prepared.train.targets[0], prepared.train.weights
    assert (np.isnan(answers) == (weights == 0)).all()
    for column, share in zip(answers.T, weights.T, strict=True):
        sums = [share[column == side].sum() for side in (0, 1)]
        np.testing.assert_allclose(sums, len(answers) / 2, rtol=1e-5)
    target = prepared.preparation.target
    assert target.words == [("0", "1"), ("no", "yes"), ("n", "y")]
    values = target.inverse(np.nan_to_num(answers))
    cells = target.cells(values)
    rows = prepared.train.lines - 1
    assert cells["cough"] == [columns()["cough"][row] for row in rows]
    assert prepared.baseline == [
        n for n, share in zip(names, prepared.trivial[0], strict=True) if share > 0.5
    ]


def test_weights_of_rows_and_classes_meet():
    every = columns()
    every["w"] = [1.0 + i % 2 for i in range(300)]
    some = Table.of({name: every[name] for name in [*INPUTS, "price", "kind", "w"]})
    part = prepare(some, "price,kind", weight="w", class_weight="balanced").train
    row = np.array(every["w"])[part.lines - 1]
    np.testing.assert_allclose(part.weights[:, 0], row / row.mean(), rtol=1e-5)
    shares = np.bincount(part.targets[1]) / len(part)
    balance = 1 / (2 * shares[part.targets[1]])
    np.testing.assert_allclose(part.weights[:, 1], balance * row / row.mean(), rtol=1e-5)
    with pytest.raises(SettingError, match="class weights need classes"):
        prepare(table("price", "rent"), "price,rent", class_weight="balanced")


def test_training_rows_have_every_class_of_every_target():
    every = columns()
    every["rare"] = ["once" if i == 5 else "twice" if i < 8 else "often" for i in range(300)]
    some = Table.of({name: every[name] for name in [*INPUTS, "kind", "rare"]})
    for seed in range(5):
        prepared = prepare(some, "kind,rare", seed=seed)
        assert prepared.preparation.targets[1].classes == ["often", "once", "twice"]
        sizes = [len(part) for part in (prepared.train, prepared.validation, prepared.test)]
        assert sum(sizes) == 300


def test_validation_and_test_rows_teach_targets_nothing():
    names = ["price", "rent", "kind", "genre"]
    clean = prepare(table(*names), names)
    every = {name: list(values) for name, values in columns().items() if name in [*INPUTS, *names]}
    for part in (clean.validation, clean.test):
        for row in part.lines - 1:
            every["price"][row], every["rent"][row] = 1e6 + row, None
            every["genre"][row] = "poison|venom"
    spoilt = prepare(Table.of(every, "t.csv"), names)
    assert spoilt.preparation.to_json() == clean.preparation.to_json()
    for ours, theirs in zip(spoilt.train.targets, clean.train.targets, strict=True):
        assert ours.tobytes() == theirs.tobytes()


def test_labels_of_other_rows_that_were_not_learned_are_told():
    prepared = prepare(table("genre"), "genre")
    some = Table.of(
        {**{name: columns()[name][:3] for name in INPUTS}, "genre": ["opera|drama", "action", None]}
    )
    part, report = prepare_more(prepared.preparation, some)
    assert part.target.tolist() == [[0, 0, 1, 0], [1, 0, 0, 0]]
    texts = [note.text for note in report.about("target")]
    assert texts[1] == "genre: 'opera' in fewer than 3 training rows: not learned"
    with pytest.raises(DataError, match="has no target column 'genre'"):
        prepare_more(prepared.preparation, table("price"))


def test_a_word_that_is_neither_yes_nor_no_is_told():
    prepared = prepare(table("fever", "cough"), "fever,cough")
    some = table("fever", "cough").take(np.arange(3))
    odd = Table.of(
        {
            **{n: some.column(n).cells for n in INPUTS},
            "fever": [1, 0, 1],
            "cough": ["no", "perhaps", "?"],
        }
    )
    part, report = prepare_more(prepared.preparation, odd)
    np.testing.assert_array_equal(part.target, [[1, 0], [0, np.nan], [1, np.nan]])
    texts = [str(note) for note in report.about("target")]
    assert "cough: 'perhaps' is neither no nor yes; taken as missing (line 2)" in texts


def test_saved_and_read_with_the_older_formats():
    made = prepare(table("price", "genre", "kind"), "price,genre,kind").preparation
    assert Preparation.from_json(made.to_json()) == made
    single = prepare(table("price"), "price").preparation
    saved = json.loads(single.to_json())
    saved["format"], saved["target"] = "chainrule preparation 2", saved.pop("targets")[0]
    assert Preparation.from_json(json.dumps(saved)).targets == single.targets


def test_what_gives_a_target_away_names_it():
    every = columns()
    some = Table.of({**{n: every[n] for n in INPUTS}, "p": every["fever"], "q": every["ill"],
                     "twin": every["fever"]}, "t.csv")  # fmt: skip
    found = [str(note) for note in prepare(some, "p,q").report.about("leak")]
    assert any(text.startswith("twin alone tells 100.0% of p:") for text in found)
    assert any(text.startswith("zone alone tells 100.0% of q:") for text in found)
