"""What holds for every layer and every loss: one test walks the tables of cases."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import numpy as np
import pytest
from tests.nn.cases import ANY_SHAPE, LAYERS, LOSSES, WRONG, Case
from tests.nn.steps import assert_same, joined, run, written

import chainrule as cr
from chainrule.errors import IndexRangeError, ShapeError

CASES = [pytest.param(case, id=str(case)) for case in [*LAYERS, *LOSSES]]


def built(case: Case) -> cr.nn.Module:
    """The module of a case, in float64, with parameters unlike their first values."""
    module: cr.nn.Module = case.make(cr.nn).double()
    rng = np.random.default_rng(5)
    for parameter in module.parameters():
        parameter.assign(cr.tensor(rng.standard_normal(parameter.shape)))
    return module.train(case.training)


def state(module: cr.nn.Module) -> dict[str, Any]:
    return {name: tensor.numpy() for name, tensor in module.state_dict().items()}


@pytest.mark.parametrize("case", CASES)
def test_gradients_agree_with_differences(case: Case) -> None:
    parameters = [p.numpy() for p in built(case).parameters()]

    def fn(*leaves: cr.Tensor) -> cr.Tensor:
        module = built(case)
        count = len(leaves) - len(parameters)
        for (name, _), leaf in zip(module.named_parameters(), leaves[count:], strict=True):
            path, _, last = name.rpartition(".")
            object.__setattr__(dict(module.named_modules())[path], last, leaf)
        return joined(module(*leaves[:count]))

    inputs = [*case.arrays(), *parameters]
    if not any(np.asarray(x).dtype.kind == "f" for x in inputs):
        return
    cr.gradient_check(fn, inputs, order=1)
    if case.smooth:
        cr.gradient_check(fn, inputs, order=2, tolerance=1e-5)


@pytest.mark.parametrize("case", CASES)
def test_recorded_and_interpreted_equals_eager(case: Case) -> None:
    eager, recorded = built(case), built(case)
    order = 2 if case.smooth else 1
    expected = run(eager, case.arrays(), list(eager.parameters()), order)
    got = run(recorded, case.arrays(), list(recorded.parameters()), order, recorded=True)
    assert_same(got, expected, 1e-12)
    assert_same(list(state(recorded).values()), list(state(eager).values()), 1e-12)


@pytest.mark.parametrize("case", CASES)
def test_state_goes_into_another_and_back(case: Case) -> None:
    first, second = built(case), built(case)
    for _, cell in [*second.named_parameters(), *second.named_buffers()]:
        cell.assign(cr.tensor(np.full(cell.shape, 3, cell.dtype)))
    second.load_state_dict(first.state_dict())
    assert state(second).keys() == state(first).keys()
    for name, array in state(first).items():
        np.testing.assert_array_equal(state(second)[name], array)


@pytest.mark.parametrize("case", [c for c in LAYERS if c.name not in ("Identity", "Flatten")])
def test_single_precision_stays_single(case: Case) -> None:
    module = case.make(cr.nn).train(case.training)
    inputs = [cr.tensor(x.astype("float32") if x.dtype.kind == "f" else x) for x in case.arrays()]
    out = joined(module(*inputs))
    assert out.dtype == np.float32
    if out.requires_grad:
        out.sum().backward()
        assert {p.grad.dtype for p in module.parameters()} == {np.dtype("float32")}


@pytest.mark.parametrize("case", LOSSES, ids=str)
def test_a_loss_belongs_to_the_phase_loss(case: Case) -> None:
    module = built(case)
    inputs = [cr.tensor(x) for x in case.arrays()]
    program = written(lambda: (module(*inputs),))
    assert {made.phase for made in program.instructions} == {"loss"}


def test_the_targets_gradient_is_finite_at_the_ends() -> None:
    p = cr.tensor(np.array([0.0, 1.0, 1e-13, 0.5]))
    y = cr.Cell(np.array([0.0, 1.0, 1.0, 0.5]), "y", True)
    cr.nn.BCELoss(reduction="sum")(p, y).backward()
    expected = [100.0, -100.0, -np.log(1e-13), 0.0]
    np.testing.assert_allclose(y.grad.numpy(), expected, rtol=1e-12, atol=1e-12)


def test_every_class_of_nn_is_in_a_case() -> None:
    named = {case.name for case in [*LAYERS, *LOSSES]}
    others = {"functional", "init", "utils", "Module", "Parameter", "Buffer", "Sequential",
              "ModuleList", "ModuleDict"}  # fmt: skip
    assert named == set(cr.nn.__all__) - others


def test_every_public_module_of_the_folder_is_in_nn() -> None:
    names = [found.name for found in iter_modules(cr.nn.__path__) if not found.ispkg]
    files = [import_module(f"chainrule.nn.{name}") for name in names]
    classes = [x for file in files for x in vars(file).values() if isinstance(x, type)]
    layers = {x.__name__ for x in classes if issubclass(x, cr.nn.Module)}
    assert {name for name in layers if name[0] != "_"} <= set(cr.nn.__all__)


@pytest.mark.parametrize(("case", "place"), [pytest.param(*one, id=str(one[0])) for one in WRONG])
def test_what_does_not_fit_names_the_layer_and_a_remedy(case: Case, place: str) -> None:
    module = case.make(cr.nn).double()
    with pytest.raises((ShapeError, IndexRangeError)) as caught:
        module(*map(cr.tensor, case.arrays()))
    wrong = caught.value
    assert f", in {place}" in wrong.what
    assert all(part is not None for part in (wrong.expected, wrong.got, wrong.hint)), str(wrong)


def test_images_without_their_channel_axis_are_told_where_it_goes() -> None:
    layer = cr.nn.Conv2d(1, 3, 3)
    for given, axis in ((cr.ones(64, 9, 9), 1), (cr.ones(9, 9), 0)):
        with pytest.raises(ShapeError, match=rf"unsqueeze\({axis}\)"):
            layer(given)
        assert layer(given.unsqueeze(axis)).shape[-3:] == (3, 7, 7)


def test_every_layer_that_wants_a_shape_says_so() -> None:
    named = {case.name for case in [*LAYERS, *LOSSES]}
    assert {case.name for case, _ in WRONG} == named - ANY_SHAPE
