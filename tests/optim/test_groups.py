"""Parameter groups: what they take, what they read as, what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule import optim
from chainrule.errors import RecordingError, SettingError


def parameter(name: str = "w") -> cr.Parameter:
    return cr.Parameter([1.0, 2.0], name=name)


def test_groups_have_numbers_of_their_own() -> None:
    first, second = parameter(), parameter()
    optimizer = optim.SGD([{"params": [first], "lr": 0.5}, {"params": second}], lr=0.1)
    for w in (first, second):
        w.grad = cr.tensor([1.0, 1.0])
    optimizer.step()
    assert first.tolist() == [0.5, 1.5]
    assert second.tolist() == pytest.approx([0.9, 1.9])


def test_a_group_can_be_added_after_recording() -> None:
    first, second = parameter("first"), parameter("second")
    optimizer = optim.SGD([first], lr=0.1)

    @cr.compile
    def step() -> None:
        optimizer.zero_grad()
        (first * second).sum().backward()
        optimizer.step()

    step()
    assert second.tolist() == [1.0, 2.0]
    optimizer.add_param_group({"params": [second], "lr": 1.0})
    step()
    assert second.tolist() != [1.0, 2.0]
    assert "lr of group 1" in step.programs[-1].reads


def test_numbers_read_and_write_as_in_a_dictionary() -> None:
    optimizer = optim.Adam([parameter()], lr=1e-3)
    group = optimizer.param_groups[0]
    assert group["lr"] == 1e-3
    assert type(group["lr"]) is float
    assert group["betas"] == (0.9, 0.999)
    group["lr"], group["betas"], group["maximize"] = 0.5, (0.8, 0.9), True
    assert (group["lr"], group["betas"], group["maximize"]) == (0.5, (0.8, 0.9), True)
    assert set(group) == {"params", "lr", "betas", "eps", "weight_decay", "maximize"}
    assert len(group) == 6
    assert {**group}["eps"] == 1e-8
    assert "momentum" not in group
    assert group.cells["lr"][0].dtype == np.float64


def test_pairs_name_the_parameters() -> None:
    w = cr.Parameter([1.0])
    optim.SGD([("layer.weight", w)], lr=0.1)
    assert w.name == "layer.weight"


def test_repr() -> None:
    text = repr(optim.SGD([parameter()], lr=0.1))
    assert text.startswith("SGD (\nParameter Group 0\n    dampening: 0.0\n    lr: 0.1\n")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: optim.SGD([]), "(?s)empty list.*at least one parameter"),
        (lambda: optim.SGD([{"params": []}]), "empty list"),
        (lambda: optim.SGD(parameter()), "(?s)takes a list.*one Parameter"),
        (lambda: optim.SGD([cr.tensor([1.0])]), r"(?s)only cells.*a computed tensor, f32\[1\]"),
        (lambda: optim.SGD([3.0]), "(?s)only cells.*got: *float"),
        (lambda: optim.SGD([{"lr": 0.1}]), "(?s)not a parameter group.*'params'"),
        (lambda: optim.SGD([parameter()], lr=-1), "(?s)lr is out of range.*at least 0.*got: *-1"),
        (lambda: optim.SGD([parameter()], lr=float("nan")), "(?s)lr.*nan"),
        (lambda: optim.SGD([parameter()], lr="fast"), "(?s)lr.*'fast'"),
        (lambda: optim.Adam([parameter()], betas=(0.9, 1.0)), "(?s)betas.*below 1.*got: *1.0"),
        (lambda: optim.RMSprop([parameter()], alpha=-0.1), "alpha is out of range"),
        (lambda: optim.Adagrad([parameter()], lr_decay=-0.1), "lr_decay is out of range"),
        (lambda: optim.SGD([parameter()], nesterov=True), "(?s)Nesterov.*momentum 0.0"),
        (
            lambda: optim.SGD([{"params": [parameter()], "momentums": 0.1}]),
            "(?s)no 'momentums'.*did you mean 'momentum'",
        ),
    ],
)
def test_errors(make: Any, says: str) -> None:
    with pytest.raises(SettingError, match=says):
        make()


def test_a_parameter_given_twice() -> None:
    w = parameter("shared")
    with pytest.raises(SettingError, match=r"(?s)twice.*shared: f32\[2\] again"):
        optim.SGD([w, w])
    optimizer = optim.SGD([w])
    with pytest.raises(SettingError, match="twice"):
        optimizer.add_param_group({"params": [w]})


def test_a_group_that_is_refused_leaves_nothing_behind() -> None:
    optimizer = optim.SGD([parameter()])
    second = parameter()
    with pytest.raises(SettingError, match="lr is out of range"):
        optimizer.add_param_group({"params": [second], "lr": -1})
    optimizer.add_param_group({"params": [second], "lr": 1})
    assert len(optimizer.param_groups) == 2


def test_assignments_are_checked() -> None:
    group = optim.Adam([parameter()]).param_groups[0]
    with pytest.raises(SettingError, match="lr is out of range"):
        group["lr"] = -0.1
    with pytest.raises(SettingError, match=r"(?s)betas.*\(0.9, 0.999\)"):
        group["betas"] = 0.5
    with pytest.raises(SettingError, match="no 'lrs'"):
        group["lrs"] = 0.5
    with pytest.raises(SettingError, match="cannot be removed"):
        del group["lr"]
    assert group["lr"] == 1e-3


def test_numbers_do_not_change_inside_a_recorded_step() -> None:
    group = optim.SGD([parameter()]).param_groups[0]

    @cr.compile
    def assigns() -> None:
        group["lr"] = 0.5

    @cr.compile
    def reads() -> Any:
        return group["lr"]

    with pytest.raises(RecordingError, match=r"(?s)lr of an optimizer.*test_groups.py:\d+"):
        assigns()
    with pytest.raises(RecordingError, match="asks for a number"):
        reads()
