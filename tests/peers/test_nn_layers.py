"""Every layer and loss against PyTorch in float64: values, gradients, state, text, edges."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.nn.against_torch import agree, prove, torch_run
from tests.nn.cases import LAYERS, LOSSES, Case
from tests.nn.steps import assert_close, run

import chainrule as cr

torch = pytest.importorskip("torch")
pytestmark = [
    pytest.mark.peers,
    # PyTorch's advice on its own speed.
    pytest.mark.filterwarnings("ignore:Using padding='same'", "ignore:enable_nested_tensor"),
]


def both(case: Case) -> tuple[Any, Any]:
    """The module here and there, in float64, with the same parameters."""
    mine = case.make(cr.nn).double()
    rng = np.random.default_rng(5)
    for parameter in mine.parameters():
        parameter.assign(cr.tensor(rng.standard_normal(parameter.shape)))
    theirs = case.make(torch.nn, torch_weight).double()
    theirs.load_state_dict({k: torch.tensor(t.numpy()) for k, t in mine.state_dict().items()})
    return mine.train(case.training), theirs.train(case.training)


def torch_weight(value: Any) -> Any:
    return torch.tensor(value) if isinstance(value, list) else value


CASES = [pytest.param(case, id=str(case)) for case in [*LAYERS, *LOSSES] if case.peer]


@pytest.mark.parametrize("recorded", [False, True], ids=["eager", "recorded"])
@pytest.mark.parametrize("case", CASES)
def test_values_and_gradients(case: Case, recorded: bool) -> None:
    mine, theirs = both(case)
    order = 2 if case.smooth else 1
    got = run(mine, case.arrays(), list(mine.parameters()), order, recorded)
    agree(got, torch_run(theirs, case.arrays(), order, list(theirs.parameters())))
    for name, tensor in mine.state_dict().items():  # the running statistics have moved alike
        assert_close(tensor.numpy(), theirs.state_dict()[name].numpy())


@pytest.mark.parametrize("case", CASES)
def test_text_and_state(case: Case) -> None:
    mine, theirs = both(case)
    assert repr(mine) == repr(theirs).replace("NonDynamicallyQuantizableLinear", "Linear")
    assert list(mine.state_dict()) == list(theirs.state_dict())
    for name, tensor in mine.state_dict().items():
        assert tensor.shape == tuple(theirs.state_dict()[name].shape)
        assert str(theirs.state_dict()[name].dtype) == f"torch.{tensor.dtype}"


def network(nn: Any) -> Any:
    return nn.Sequential(
        nn.Embedding(5, 4),
        nn.Flatten(1),
        nn.Sequential(nn.Linear(8, 6), nn.ReLU(), nn.Dropout(0.1)),
        nn.ModuleList([nn.Tanh(), nn.Tanh(), nn.GELU()]),
        nn.BatchNorm1d(6),
        nn.Identity(),
    )


def test_text_and_state_of_a_tree() -> None:
    mine, theirs = network(cr.nn), network(torch.nn)
    assert repr(mine) == repr(theirs)
    assert list(mine.state_dict()) == list(theirs.state_dict())
    assert [n for n, _ in mine.named_parameters()] == [n for n, _ in theirs.named_parameters()]
    assert [n for n, _ in mine.named_modules()] == [n for n, _ in theirs.named_modules()]


# -- shapes and numbers drawn at random

SHAPES = st.lists(st.integers(1, 4), min_size=1, max_size=4)
ELEMENTWISE = ["ReLU", "LeakyReLU", "GELU", "SiLU", "Sigmoid", "Tanh", "Softplus"]
ANY = settings(deadline=None, max_examples=25)
# With ties and zeros, and large enough to saturate everything.
NUMBERS = st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.5, 20.0, 20.5, -30.0, 80.0, -80.0, 1e-8, 300.0])


@ANY
@given(name=st.sampled_from(ELEMENTWISE), xs=st.lists(NUMBERS, min_size=0, max_size=9))
def test_activations_at_kinks_thresholds_and_far_out(name: str, xs: list[float]) -> None:
    array = np.array(xs)
    got = run(getattr(cr.nn, name)(), [array])
    agree(got, torch_run(getattr(torch.nn, name)(), [array], 1))


@ANY
@given(shape=SHAPES, out=st.integers(1, 4), seed=st.integers(0, 99))
def test_linear_of_any_leading_axes(shape: list[int], out: int, seed: int) -> None:
    mine, theirs = both(Case("Linear", (shape[-1], out), lambda rng: []))
    array = np.random.default_rng(seed).standard_normal(shape)
    got = run(mine, [array], list(mine.parameters()))
    agree(got, torch_run(theirs, [array], 1, list(theirs.parameters())))


@ANY
@given(shape=SHAPES, data=st.data(), seed=st.integers(0, 99))
def test_softmax_along_any_axis(shape: list[int], data: Any, seed: int) -> None:
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    array = np.random.default_rng(seed).standard_normal(shape) * 50
    for name in ("Softmax", "LogSoftmax"):
        got = run(getattr(cr.nn, name)(axis), [array])
        agree(got, torch_run(getattr(torch.nn, name)(axis), [array], 1))


@ANY
@given(shape=SHAPES, data=st.data(), seed=st.integers(0, 99))
def test_layer_norm_over_any_last_axes(shape: list[int], data: Any, seed: int) -> None:
    last = tuple(shape[data.draw(st.integers(0, len(shape) - 1)) :])
    mine, theirs = both(Case("LayerNorm", (last,), lambda rng: []))
    array = np.random.default_rng(seed).standard_normal(shape)
    got = run(mine, [array], list(mine.parameters()))
    agree(got, torch_run(theirs, [array], 1, list(theirs.parameters())))


@ANY
@given(
    rows=st.lists(st.integers(1, 4), max_size=3),
    classes=st.integers(1, 5),
    ignored=st.sampled_from([-100, 0, -1, 3]),
    smoothing=st.sampled_from([0.0, 0.1, 1.0]),
    weighted=st.booleans(),
    reduction=st.sampled_from(["none", "mean", "sum"]),
    seed=st.integers(0, 99),
)
def test_cross_entropy_of_any_options(
    rows: list[int],
    classes: int,
    ignored: int,
    smoothing: float,
    weighted: bool,
    reduction: str,
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((*rows[:1], classes, *rows[1:])) * 10
    target = rng.integers(0, classes, rows)
    target = np.where(rng.random(rows) < 0.3, ignored, target) if rows else target
    if ignored >= classes:  # then it is only a number that no target has
        target = np.where(target == ignored, 0, target)
    options = {"ignore_index": ignored, "reduction": reduction, "label_smoothing": smoothing}
    weight = rng.random(classes) + 0.1 if weighted else None
    with np.errstate(all="ignore"):  # the mean of nothing is 0 / 0
        got = run(cr.nn.CrossEntropyLoss(weight, **options), [x, target])
    theirs = None if weight is None else torch.tensor(weight)
    agree(got, torch_run(torch.nn.CrossEntropyLoss(theirs, **options), [x, target], 1))


# -- edges


def equal_losses(name: str, arrays: list[Any], **options: Any) -> list[Any]:
    """Value and gradients here and there agree; gives them."""
    with np.errstate(all="ignore"):
        got = run(getattr(cr.nn, name)(**options), arrays)
    recorded = run(getattr(cr.nn, name)(**options), arrays, recorded=True)
    expected = torch_run(getattr(torch.nn, name)(**options), arrays, 1)
    agree(got, expected)
    agree(recorded, expected)
    return expected


@pytest.mark.parametrize("name", ["MSELoss", "L1Loss", "HuberLoss", "SmoothL1Loss"])
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_ties_thresholds_and_infinities_of_distances(name: str, reduction: str) -> None:
    x = np.array([0.0, 1.0, -1.0, 1.5, -7.0, 0.5])
    equal_losses(name, [x, np.zeros(6)], reduction=reduction)
    equal_losses(name, [x, x], reduction=reduction)
    if reduction == "none":
        equal_losses(name, [np.array([np.inf, -np.inf, 1e200]), np.zeros(3)], reduction=reduction)


@pytest.mark.parametrize("name", ["MSELoss", "L1Loss", "HuberLoss", "SmoothL1Loss", "BCELoss",
                                  "BCEWithLogitsLoss"])  # fmt: skip
def test_an_empty_batch_has_no_mean_and_sum_0(name: str) -> None:
    empty = [np.zeros((0, 3)), np.zeros((0, 3))]
    assert np.isnan(equal_losses(name, empty)[0])
    assert equal_losses(name, empty, reduction="sum")[0] == 0
    equal_losses(name, empty, reduction="none")


@pytest.mark.parametrize("name", ["CrossEntropyLoss", "NLLLoss"])
def test_an_empty_batch_of_classes(name: str) -> None:
    empty = [np.zeros((0, 3)), np.zeros(0, "int64")]
    assert np.isnan(equal_losses(name, empty)[0])
    assert equal_losses(name, empty, reduction="sum")[0] == 0
    equal_losses(name, empty, reduction="none")
    if name == "CrossEntropyLoss":
        equal_losses(name, [np.zeros((0, 3)), np.zeros((0, 3))])


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("name", ["CrossEntropyLoss", "NLLLoss"])
def test_all_targets_ignored(name: str, reduction: str) -> None:
    x = np.random.default_rng(0).standard_normal((3, 4))
    expected = equal_losses(name, [x, np.full(3, -100)], reduction=reduction)
    assert np.isnan(expected[0]).any() == (reduction == "mean")


def test_infinite_scores_where_the_loss_is_finite() -> None:
    x = np.array([[1.0, -np.inf, 2.0], [0.0, 1.0, -np.inf]])
    expected = equal_losses("CrossEntropyLoss", [x, np.array([0, 1])])
    assert np.isfinite(expected[0])
    expected = equal_losses("CrossEntropyLoss", [x, np.array([1, 1])], reduction="none")
    assert np.isposinf(expected[0][0])


def test_huge_scores() -> None:
    x = np.array([[1e300, -1e300, 0.0], [1000.0, 999.0, -1000.0]])
    expected = equal_losses("CrossEntropyLoss", [x, np.array([0, 1])], reduction="none")
    np.testing.assert_allclose(expected[0], [0.0, 1.3132616875182228])


def test_binary_losses_at_the_ends() -> None:
    p = np.array([0.0, 0.0, 1.0, 1.0, 1e-13, 1e-13, 1 - 1e-13, 1e-50, 0.3, 5e-12])
    y = np.array([0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.25, 1.0, 0.5, 0.5])
    for reduction in ("none", "mean", "sum"):
        mine = cr.nn.BCELoss(reduction=reduction)
        theirs = torch.nn.BCELoss(reduction=reduction)
        prove(
            lambda p, mine=mine: mine(p, cr.tensor(y)),
            lambda p, theirs=theirs: theirs(p, torch.tensor(y)),
            [p],
            order=1,
        )
    x = np.array([0.0, 0.0, 40.0, -40.0, 800.0, -800.0, 800.0, -800.0, -np.inf])
    y = np.array([0.0, 1.0, 0.3, 0.3, 0.0, 1.0, 1.0, 0.0, 1.0])
    equal_losses("BCEWithLogitsLoss", [x, y], reduction="none")


def test_binary_loss_at_the_ends_in_single_precision() -> None:
    p = np.array([0.0, 1.0, 0.0, 1.0, 1e-42, 0.25], "float32")
    y = np.array([1.0, 0.0, 0.0, 1.0, 1.0, 0.25], "float32")
    got = cr.nn.BCELoss(reduction="none")(cr.tensor(p), cr.tensor(y)).numpy()
    theirs = torch.nn.BCELoss(reduction="none")(torch.tensor(p), torch.tensor(y)).numpy()
    np.testing.assert_allclose(got, theirs, rtol=1e-6)


def test_the_same_refusals() -> None:
    """What PyTorch refuses, or warns of because it broadcasts, is an error here."""
    column, row = np.zeros((3, 1)), np.zeros(3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="target size"):
            torch.nn.MSELoss()(torch.tensor(column), torch.tensor(row))
    with pytest.raises(cr.errors.ShapeError, match="element by element"):
        cr.nn.MSELoss()(cr.tensor(column), cr.tensor(row))
    with pytest.raises(IndexError):
        torch.nn.CrossEntropyLoss()(torch.zeros(1, 3), torch.tensor([3]))
    with pytest.raises(IndexError):
        cr.nn.CrossEntropyLoss()(cr.tensor(np.zeros((1, 3))), cr.tensor([3]))


# -- clipping


@pytest.mark.parametrize("kind", [2.0, 1.0, 3.0, float("inf")])
@pytest.mark.parametrize("limit", [0.1, 100.0])
def test_clipping_by_norm(kind: float, limit: float) -> None:
    gradients = [np.random.default_rng(i).standard_normal((3, i + 1)) for i in range(3)]
    mine = [cr.Parameter(np.zeros_like(g)) for g in gradients]
    theirs = [torch.nn.Parameter(torch.zeros(g.shape, dtype=torch.float64)) for g in gradients]
    for a, b, g in zip(mine, theirs, gradients, strict=True):
        a.grad, b.grad = cr.tensor(g), torch.tensor(g)
    got = cr.nn.utils.clip_grad_norm_(mine, limit, kind)
    assert_close(got.numpy(), torch.nn.utils.clip_grad_norm_(theirs, limit, kind).numpy())
    for a, b in zip(mine, theirs, strict=True):
        assert_close(a.grad.numpy(), b.grad.numpy())
    cr.nn.utils.clip_grad_value_(mine, 0.05)
    torch.nn.utils.clip_grad_value_(theirs, 0.05)
    for a, b in zip(mine, theirs, strict=True):
        assert_close(a.grad.numpy(), b.grad.numpy())


# -- initialisers: the numbers are chainrule's own, the gains and fans PyTorch's


@pytest.mark.parametrize(
    "name", ["linear", "conv2d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"]
)
def test_gains(name: str) -> None:
    assert cr.nn.init.calculate_gain(name) == torch.nn.init.calculate_gain(name)


@pytest.mark.parametrize(
    "name", ["xavier_uniform_", "xavier_normal_", "kaiming_uniform_", "kaiming_normal_"]
)
@pytest.mark.parametrize("shape", [(200, 300), (50, 20, 5, 7)])
def test_spread_of_the_first_values(name: str, shape: tuple[int, ...]) -> None:
    mine = getattr(cr.nn.init, name)(cr.Parameter(np.zeros(shape))).numpy()
    theirs = getattr(torch.nn.init, name)(torch.zeros(shape, dtype=torch.float64)).numpy()
    assert mine.std() == pytest.approx(theirs.std(), rel=0.03)
    if "uniform" in name:
        assert np.abs(mine).max() == pytest.approx(np.abs(theirs).max(), rel=1e-3)


@pytest.mark.parametrize(("name", "args"), [("Linear", (100, 300)), ("Embedding", (300, 100))])
def test_spread_of_a_layers_first_values(name: str, args: tuple[int, ...]) -> None:
    mine, theirs = getattr(cr.nn, name)(*args), getattr(torch.nn, name)(*args)
    for key, tensor in theirs.state_dict().items():
        got = mine.state_dict()[key].numpy()
        assert got.std() == pytest.approx(tensor.numpy().std(), rel=0.1)
