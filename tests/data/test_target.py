"""The target: the task it asks for, classes and scales."""

import numpy as np
import pytest

from chainrule.data import ClassTarget, ScaledTarget, Table
from chainrule.data.target import in_order, moments
from chainrule.data.tasks import choose_task
from chainrule.errors import DataError, SettingError


def chosen(values, task=None):
    return choose_task(Table.of({"y": values}, "t.csv"), "y", task)


@pytest.mark.parametrize(
    ("values", "task", "reason"),
    [
        (["a", "b", "b", "a"], "classification", "'y' is text with 2 values"),
        ([0, 1, 1, 0, 1, 0], "classification", "'y' has 2 whole-number values"),
        (["0.0", "1.0"] * 5, "classification", "'y' has 2 whole-number values"),
        (list(range(20)) * 3, "classification", "'y' has 20 whole-number values"),
        (list(range(21)) * 3, "regression", "'y' is a number with 21 values"),
        (list(range(12)), "regression", "'y' is a number with 12 values"),
        ([0.5, 1.0] * 9, "regression", "'y' is a number with 2 values"),
    ],
)
def test_the_task_follows_from_the_target(values, task, reason):
    assert chosen(values) == (task, reason)


def test_the_task_can_be_asked_for():
    assert chosen([0, 1] * 5, "regression") == ("regression", "asked for")
    assert chosen([0.5, 1.5] * 5, "classification") == ("classification", "asked for")
    with pytest.raises(SettingError, match="no task 'regresion'") as caught:
        chosen([0, 1] * 5, "regresion")
    assert caught.value.hint == "did you mean 'regression'?"


@pytest.mark.parametrize(
    ("values", "task", "words"),
    [
        (["a"] * 9, None, "only the value 'a'"),
        ([1, 1, 1], None, "only the value '1.0'"),
        ([None, "?"], None, "no value at all"),
        (["a", "b", "c"], "regression", "no value at all"),
    ],
)
def test_nothing_to_tell_apart(values, task, words):
    with pytest.raises(DataError, match=f"target 'y' of t.csv has {words}"):
        chosen(values, task)


def test_text_with_thousands_of_classes():
    with pytest.raises(DataError, match="text with 3,000 different values in 9,000 rows") as caught:
        chosen([f"n{place % 3000}" for place in range(9000)])
    assert caught.value.hint == "choose a numeric target or another column"
    with pytest.raises(DataError, match="text with 20 different values"):
        chosen([f"n{place}" for place in range(20)])
    assert chosen([f"n{p % 300}" for p in range(900)], "classification")[0] == "classification"


def test_numbers_with_many_bad_cells_are_pointed_out():
    with pytest.raises(DataError) as caught:
        chosen([*range(150), *[f"about {n}" for n in range(20)]])
    assert caught.value.hint == "150 of its cells are numbers: ask for regression if it is one"


def test_classes_are_fitted_in_a_stable_order():
    assert ClassTarget.fit(Table.of({"y": ["b", "a", "?", "b"]}), "y").classes == ["a", "b"]
    assert ClassTarget.fit(Table.of({"y": [10, 9, 9]}), "y").classes == ["9", "10"]
    assert in_order(["x", "10", "9"]) == ["10", "9", "x"]


def test_a_dot_at_the_end_is_ignored_and_noted():
    target = ClassTarget(name="y", classes=["<=50K", ">50K"])
    table = Table.of({"y": [">50K.", "<=50K", None]}, "test.csv")
    assert target.apply(table).tolist() == [1, 0, -1]
    note = target.dotted(table)
    assert note is not None
    assert (note.count, note.text) == (1, "1 label of test.csv end in a dot, which was ignored")
    dots = ClassTarget(name="y", classes=["a.", "b"])
    assert dots.apply(Table.of({"y": ["a.", "b."]})).tolist() == [0, 1]
    assert dots.dotted(Table.of({"y": ["a.", "b"]})) is None


def test_dotted_labels_are_no_further_classes():
    assert chosen(["<=50K", ">50K", "<=50K.", ">50K."] * 5) == (
        "classification", "'y' is text with 2 values",
    )  # fmt: skip
    with pytest.raises(DataError, match="only the value 'yes'"):
        chosen(["yes", "yes."] * 5)


def test_an_unknown_class_is_refused_with_its_lines():
    target = ClassTarget(name="y", classes=["good", "bad"])
    with pytest.raises(DataError, match="'goood', which is no class") as caught:
        target.apply(Table.of({"y": ["good", "goood", "goood"]}))
    assert caught.value.got == "lines 2, 3"
    assert caught.value.hint == "did you mean 'good'?"


def test_classes_come_back_from_codes_and_scores():
    target = ClassTarget(name="y", classes=["a", "b"])
    assert target.inverse(np.array([1, 0])).tolist() == ["b", "a"]
    assert target.inverse(np.array([[0.2, 0.8], [3.0, -1.0]])).tolist() == ["b", "a"]


def test_numbers_are_scaled_and_come_back():
    table = Table.of({"y": [10.0, 20.0, 60.0]})
    target = ScaledTarget.fit(table, "y")
    scaled = target.apply(table)
    assert scaled.shape == (3, 1)
    assert scaled.dtype == np.float32
    assert scaled.mean() == pytest.approx(0, abs=1e-6)
    assert scaled.std() == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(target.inverse(scaled), [10, 20, 60], rtol=1e-6)
    assert np.isnan(target.apply(Table.of({"y": ["?", "x"]}))).all()


def test_a_constant_has_deviation_one():
    assert moments(np.full(3, 0.1)) == (pytest.approx(0.1), 1.0)
    assert moments(np.array([np.nan])) == (0.0, 1.0)
