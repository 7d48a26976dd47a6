"""The wording of errors, and that they are caught by the names Python gives them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule import errors
from chainrule.errors import ChainruleError, nearest

ALL = [
    kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)
]


def test_all_parts() -> None:
    error = ChainruleError("it broke", expected="a", got=0, hint="mend it")
    assert str(error) == "it broke\n  expected: a\n  got:      0\n  try:      mend it"
    assert error.one_line() == "it broke; expected a; got 0; try mend it"


def test_parts_left_out() -> None:
    assert str(ChainruleError("it broke")) == "it broke"
    assert str(ChainruleError("it broke", got="")) == "it broke\n  got:      "
    assert ChainruleError("it broke", hint="h").parts() == [("try", "h")]


@pytest.mark.parametrize(
    ("kind", "builtin", "code"),
    [
        (errors.ShapeError, ValueError, 1),
        (errors.IndexRangeError, IndexError, 1),
        (errors.GradientError, RuntimeError, 1),
        (errors.RecordingError, RuntimeError, 1),
        (errors.ProgramError, ValueError, 1),
        (errors.SettingError, ValueError, 2),
        (errors.DataError, ValueError, 3),
        (errors.TrainingError, RuntimeError, 4),
        (errors.ArtefactError, ValueError, 5),
    ],
)
def test_kinds(kind: type[ChainruleError], builtin: type[Exception], code: int) -> None:
    assert issubclass(kind, builtin)
    assert issubclass(kind, ChainruleError)
    assert kind.exit_code == code


def test_every_kind_is_ours() -> None:
    assert all(issubclass(kind, ChainruleError) for kind in ALL)


def test_nearest() -> None:
    assert nearest("medhouseval", ["MedInc", "MedHouseVal"]) == "MedHouseVal"
    assert nearest("lr", ["epochs", "seed"]) is None
    assert nearest("x", []) is None


@given(st.lists(st.text(min_size=1), min_size=1), st.data())
def test_a_name_is_nearest_to_itself(names: list[str], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(names))
    found = nearest(name, names)
    assert found is not None
    assert found.lower() == name.lower()
