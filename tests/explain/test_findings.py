"""Each finding is provoked on two networks or courses, and named; what is healthy raises none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.explain.networks import learning

import chainrule as cr
from chainrule import nn
from chainrule.data import Note
from chainrule.explain import diagnose_step
from chainrule.explain.checks import CHECKS
from chainrule.explain.evidence import Course, Evidence, first_not_finite
from chainrule.explain.findings import Check, Seen, Trial, findings
from chainrule.explain.trace import trace

RNG = np.random.default_rng(0)
X = RNG.standard_normal((40, 3)).astype(np.float32)
NUMBER = X[:, :1] * 2 + 1
CLASS = (X[:, 0] > 0).astype(np.int64)
YES = CLASS[:, None].astype(np.float32)


def deep(activation: type[nn.Module], outputs: int = 1, depth: int = 2) -> nn.Sequential:
    layers: list[nn.Module] = []
    for place in range(depth):
        layers += [nn.Linear(3 if place == 0 else 8, 8), activation()]
    return nn.Sequential(*layers, nn.Linear(8, outputs))


def scaled(model: nn.Sequential, factor: float, bias: float | None = None) -> nn.Sequential:
    for module in list(model)[:-1]:
        if isinstance(module, nn.Linear):
            module.weight.assign(module.weight.numpy() * factor)
            if bias is not None:
                module.bias.assign(np.full(8, bias, np.float32))
    return model


def alike(model: nn.Sequential) -> nn.Sequential:
    model[0].weight.assign(np.full((8, 3), 0.1, np.float32))
    return model


def names(step: Any, *args: Any, network: nn.Module | None = None) -> list[str]:
    return [found.name for found in diagnose_step(step, *args, network=network)]


def clearing(model: nn.Module, where: str, set_to_none: bool = True) -> Any:
    """A step that clears the gradients before the backward pass, at its end, or nowhere."""
    optimizer = cr.optim.SGD(model.parameters(), lr=0.01)

    def step(x: Any, y: Any) -> Any:
        loss = ((model(x) - y) ** 2).mean()
        if where == "before":
            optimizer.zero_grad(set_to_none)
        loss.backward()
        optimizer.step()
        if where == "end":
            optimizer.zero_grad(set_to_none)
        return loss

    return step


class HalfUsed(nn.Module):
    def __init__(self) -> None:
        self.used, self.lost = nn.Linear(3, 1), nn.Linear(3, 1)

    def forward(self, x: Any) -> Any:
        return self.used(x)


class CutOff(nn.Module):
    def __init__(self) -> None:
        self.first, self.last = nn.Linear(3, 4), nn.Linear(4, 1)

    def forward(self, x: Any) -> Any:
        with cr.no_grad():
            hidden = self.first(x)
        return self.last(hidden)


def mean_of_squares(output: Any, target: Any) -> Any:
    return ((output - target) ** 2).mean()


class Own(nn.Module):
    """A loss of the user's own, which spreads what does not fit."""

    phase = "loss"

    def __init__(self, fn: Callable[..., Any]) -> None:
        self.fn = fn

    def forward(self, output: Any, target: Any) -> Any:
        return self.fn(output, target)


def mean_of_sizes(output: Any, target: Any) -> Any:
    return (target - output).abs().mean()


HEALTHY = [
    (lambda: deep(nn.ReLU), nn.MSELoss(), NUMBER),
    (lambda: deep(nn.Tanh, 2), nn.CrossEntropyLoss(), CLASS),
    (lambda: deep(nn.GELU, 2, 3), nn.CrossEntropyLoss(), CLASS),
    (lambda: nn.Linear(3, 1), nn.MSELoss(), NUMBER),
    (lambda: deep(nn.ReLU), nn.BCEWithLogitsLoss(), YES),
    (lambda: nn.Sequential(deep(nn.ReLU), nn.Sigmoid()), nn.BCELoss(), YES),
    (lambda: nn.Sequential(deep(nn.ReLU), nn.Sigmoid()), nn.MSELoss(), YES),
    (lambda: nn.Sequential(deep(nn.ReLU, 2), nn.LogSoftmax(1)), nn.NLLLoss(), CLASS),
    (lambda: nn.Sequential(deep(nn.ReLU, 2), nn.Softmax(1)), nn.L1Loss(), X[:, :2] * 0),
]


@pytest.mark.parametrize("case", range(len(HEALTHY)))
def test_healthy_steps_raise_none(case: int) -> None:
    make, loss, target = HEALTHY[case]
    cr.manual_seed(case)
    model = make()
    assert names(learning(model, loss), X, target, network=model) == []


STATIC: list[tuple[str, Callable[[], nn.Module], nn.Module, Any, Any]] = [
    ("unreached parameter", HalfUsed, nn.MSELoss(), X, NUMBER),
    ("unreached parameter", CutOff, nn.MSELoss(), X, NUMBER),
    ("shapes spread", lambda: deep(nn.ReLU), Own(mean_of_squares), X, NUMBER[:, 0]),
    ("shapes spread", lambda: nn.Linear(3, 1), Own(mean_of_sizes), X, NUMBER[:, 0]),
    ("probabilities twice", lambda: nn.Sequential(deep(nn.ReLU, 3), nn.Softmax(1)),
     nn.CrossEntropyLoss(), X, CLASS),
    ("probabilities twice", lambda: nn.Sequential(nn.Linear(3, 2), nn.Softmax(1)),
     nn.CrossEntropyLoss(), X, CLASS),
    ("probabilities twice", lambda: nn.Sequential(deep(nn.ReLU), nn.Sigmoid()),
     nn.BCEWithLogitsLoss(), X, YES),
    ("probabilities twice", lambda: nn.Sequential(nn.Linear(3, 1), nn.Sigmoid()),
     nn.BCEWithLogitsLoss(reduction="sum"), X, YES),
    ("no logarithm", lambda: nn.Sequential(deep(nn.ReLU, 2), nn.Softmax(1)), nn.NLLLoss(), X,
     CLASS),
    ("no logarithm", lambda: nn.Linear(3, 4), nn.NLLLoss(), X, CLASS),
    ("one class alone", lambda: deep(nn.ReLU), nn.CrossEntropyLoss(), X, CLASS * 0),
    ("one class alone", lambda: nn.Linear(3, 1), nn.CrossEntropyLoss(), X, CLASS * 0),
    ("no probabilities", lambda: scaled(deep(nn.ReLU), 5), nn.BCELoss(), X, YES),
    ("no probabilities", lambda: nn.Linear(3, 1), nn.BCELoss(), X, YES),
    ("diverged", lambda: deep(nn.ReLU), nn.MSELoss(), X, NUMBER * np.float32(np.inf)),
    ("diverged", lambda: nn.Linear(3, 1), nn.L1Loss(), X * np.float32(np.nan), NUMBER),
    ("unscaled numbers", lambda: nn.Linear(3, 1), nn.MSELoss(), X * 100, NUMBER),
    ("unscaled numbers", lambda: deep(nn.Tanh), nn.MSELoss(), X, NUMBER * 1000),
    ("dead units", lambda: scaled(deep(nn.ReLU), 1, bias=-20), nn.MSELoss(), X, NUMBER),
    ("dead units", lambda: scaled(deep(nn.ReLU, 2, 3), 0.1, bias=-9), nn.CrossEntropyLoss(), X,
     CLASS),
    ("saturated activations", lambda: scaled(deep(nn.Tanh), 20), nn.MSELoss(), X, NUMBER),
    ("saturated activations", lambda: scaled(deep(nn.Sigmoid, 2), 40), nn.CrossEntropyLoss(), X,
     CLASS),
    ("vanishing gradients", lambda: scaled(deep(nn.Sigmoid, 1, 8), 1), nn.MSELoss(), X, NUMBER),
    ("vanishing gradients", lambda: scaled(deep(nn.Tanh, 2, 8), 0.2), nn.CrossEntropyLoss(), X,
     CLASS),
    ("exploding gradients", lambda: scaled(deep(nn.ReLU, 1, 6), 9, bias=2), nn.MSELoss(), X,
     NUMBER),
    ("exploding gradients", lambda: scaled(deep(nn.SiLU, 2, 6), 12), nn.CrossEntropyLoss(), X,
     CLASS),
    ("first weights", lambda: alike(deep(nn.ReLU)), nn.MSELoss(), X, NUMBER),
    ("first weights", lambda: scaled(deep(nn.ReLU, 2, 3), 100), nn.CrossEntropyLoss(), X, CLASS),
]  # fmt: skip


@pytest.mark.parametrize("case", range(len(STATIC)), ids=[case[0] for case in STATIC])
def test_a_finding_in_a_step(case: int) -> None:
    name, make, loss, x, y = STATIC[case]
    cr.manual_seed(0)
    model = make()
    step = learning(model, loss)
    found = {one.name: one for one in diagnose_step(step, x, y, network=model)}
    assert name in found
    assert found[name].why in str(found[name])
    assert found[name].advice in str(found[name])


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("make", [lambda: deep(nn.ReLU), lambda: nn.Linear(3, 1)])
def test_forgotten_zero_grad(make: Callable[[], nn.Module], compiled: bool) -> None:
    """Before the first step, and after it."""
    model = make()
    step = clearing(model, "nowhere")
    step = cr.compile(step, "interpret") if compiled else step
    assert names(step, X, NUMBER, network=model) == ["gradients not cleared"]
    assert [weight.grad for weight in model.parameters()] == [None] * len([*model.parameters()])
    step(cr.tensor(X), cr.tensor(NUMBER))
    assert names(step, X, NUMBER) == ["gradients not cleared"]


@pytest.mark.parametrize("where", ["before", "end"])
@pytest.mark.parametrize("set_to_none", [True, False])
def test_gradients_that_are_cleared(where: str, set_to_none: bool) -> None:
    model = deep(nn.ReLU)
    step = cr.compile(clearing(model, where, set_to_none), "interpret")
    assert names(step, X, NUMBER, network=model) == []
    step(cr.tensor(X), cr.tensor(NUMBER))
    assert names(step, X, NUMBER, network=model) == []


def test_looking_leaves_no_trace() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5), nn.Linear(4, 1))
    step = learning(model, nn.MSELoss())
    before = {name: cell.numpy().copy() for name, cell in model.state_dict().items()}
    drawn = cr.generator.default_generator.state_dict()
    names(step, X, NUMBER, network=model)
    assert step.programs == []
    assert str(cr.generator.default_generator.state_dict()) == str(drawn)
    after = model.state_dict()
    assert all(np.array_equal(before[name], after[name].numpy()) for name in before)


@pytest.mark.parametrize(
    ("losses", "validation", "names"),
    [
        ([1.0, 40.0, 900.0], [], ["rate too large"]),
        ([1.0, float("nan")], [], ["diverged"]),
        ([0.9**n for n in range(40)], [0.5 + 0.02 * abs(n - 6) for n in range(40)],
         ["overfitting"]),
        ([0.9**n for n in range(40)], [0.1 + 0.9**n for n in range(40)], []),
        ([0.9**n for n in range(40)], [], []),
        ([], [], []),
    ],
)  # fmt: skip
def test_losses_of_a_loop_of_ones_own(losses: Any, validation: Any, names: list[str]) -> None:
    assert [found.name for found in cr.diagnose_losses(losses, validation, lr=0.1)] == names


def course(
    train: Any, validation: Any = None, trivial: float = 1.0, judged: int = 0, **settings: Any
) -> Evidence:
    train = np.asarray(train, float)
    checked = train if validation is None else np.asarray(validation, float)
    losses = np.repeat(train, settings.pop("per_epoch", 10))
    losses = losses + settings.pop("noise", 0.0) * RNG.standard_normal(len(losses))
    found = Course(train, checked, losses, trivial, trivial, judged)
    return Evidence(course=found, settings={"lr": 0.1, "batch_size": 32, **settings}, rows=1000)


E = np.arange(40)
COURSES: list[tuple[str, Evidence]] = [
    ("diverged", course([1.0, 5.0, np.nan])),
    ("diverged", course([np.inf])),
    ("rate too large", course([1.0, 9.0, 80.0])),
    ("rate too large", course(2.0 + 0.2 * E)),
    ("rate too small", course(1.0 - 0.001 * E)),
    ("rate too small", course(7.0 * 0.999**E)),
    ("loss not moving", course(1.0 + 0.001 * (-1.0) ** E)),
    ("loss not moving", course(2.3 + 0.01 * np.sin(E * 2.0))),
    ("overfitting", course(0.9**E, 0.5 + 0.02 * np.abs(E - 6.0))),
    ("overfitting", course(2 * 0.8**E, 1.0 + 0.05 * np.abs(E - 10.0))),
    ("underfitting", course(0.8 + 0.2 * 0.5**E, layers=[2])),
    ("underfitting", course(1.5 + 0.5 * 0.3**E, trivial=2.0, layers=[1, 1])),
    ("no better than trivial", course(0.9**E, 1.01 + 0.1 * E, judged=60)),
    ("no better than trivial", course(0.5 + 0.9 ** E[:8], 2.5 + 0.9 ** E[:8], 2.5, judged=900)),
    ("batch too large", course(0.97**E, per_epoch=1, batch_size=512)),
    ("batch too large", course(3 * 0.95 ** E[:20], per_epoch=2, batch_size=4000)),
    ("batch too small", course(1 / (1 + E), noise=0.1, batch_size=1)),
    ("batch too small", course(0.2 + 1 / (1 + E), noise=0.5, batch_size=4)),
]


def helps(settings: Any) -> Trial:
    return Trial(dict(settings), 10, 1, 3.2, 0.41)


@pytest.mark.parametrize("case", range(len(COURSES)), ids=[case[0] for case in COURSES])
def test_a_finding_in_a_course(case: int) -> None:
    name, evidence = COURSES[case]
    found = {one.name: one for one in findings(evidence, CHECKS, helps)}
    assert name in found
    if found[name].remedy:
        assert "validation loss 0.41 instead of validation loss 3.2" in str(found[name])


@pytest.mark.parametrize(
    "evidence",
    [
        course(0.9**E + 0.1, 0.9**E + 0.15),
        course(0.5 * 0.8**E + 0.01, 0.6 * 0.8**E + 0.02),
        course([1.0, 0.5]),
        course([0.7, *[0.0] * 12]),
        course([0.0] * 12, judged=100),
        Evidence(),
    ],
)
def test_healthy_courses_raise_none(evidence: Evidence) -> None:
    assert findings(evidence, CHECKS, helps) == []


def test_a_remedy_that_does_not_help_is_no_proof() -> None:
    def does_not(settings: Any) -> Trial:
        return Trial(dict(settings), 10, 1, 1.0, 1.1)

    evidence = course(1.0 - 0.001 * E)
    assert [one.name for one in findings(evidence, CHECKS, does_not)] == []
    assert [one.name for one in findings(evidence, CHECKS)] == []


@pytest.mark.parametrize(
    ("name", "evidence"),
    [
        ("useless columns", Evidence(worth={"a": 0.2, "b": 0.0})),
        ("useless columns", Evidence(worth={"a": 0.0005, "b": 0.3, "c": 0.0})),
        ("class imbalance", Evidence(shares={"yes": 0.8, "no": 0.2})),
        ("class imbalance", Evidence(shares={"a": 0.5, "b": 0.4, "c": 0.1})),
        ("leaking column", Evidence(notes=[Note(about="leak", text="a alone: x", column="a")])),
        ("leaking column", Evidence(notes=[Note(about="leak", text="b alone tells", column="b")])),
        *[
            ("rows in two parts", Evidence(notes=[Note(about="duplicates", count=n, text=text)]))
            for n, text in [(1, "1 row of t also among the training rows; kept"),
                            (7, "7 rows of v also among the training rows; kept")]
        ],
    ],
)  # fmt: skip
def test_a_finding_in_data(name: str, evidence: Evidence) -> None:
    assert [found.name for found in findings(evidence, CHECKS, helps)] == [name]


@pytest.mark.parametrize("rows", [[3], [0, 7]])
def test_the_first_operation_that_is_not_finite(rows: list[int]) -> None:
    model = nn.Linear(1, 1)
    step = learning(model, Own(lambda output, target: (output.exp() - target).mean()))
    x = np.ones((9, 1), np.float32)
    x[rows] = 1e4 * float(np.sign(model.weight.item()))
    program = step.program(cr.tensor(x), cr.tensor(x))
    found = first_not_finite(trace(program, [x, x]), list(range(100, 109)), 4)
    assert found is not None
    assert (found.op, found.phase) == ("exp", "loss")
    assert found.rows == [100 + row for row in rows]
    assert found.columns == ["argument 1[0]", "argument 2[0]"]
    named = first_not_finite(trace(program, [x, x]), list(range(9)), 4, ["numbers"], ["metres"])
    assert named is not None
    assert named.columns == ["metres", "argument 2[0]"]
    assert first_not_finite(trace(program, [x * 0, x * 0]), list(range(9)), 4) is None


def test_every_check_is_provoked_somewhere() -> None:
    provoked = {case[0] for case in STATIC} | {case[0] for case in COURSES}
    provoked |= {"gradients not cleared", "class imbalance", "leaking column", "rows in two parts"}
    provoked |= {"update size", "useless columns"}  # by runs, in tests/train/test_diagnosis.py
    assert {check.name for check in CHECKS} == provoked


def test_a_finding_is_one_record() -> None:
    check = Check("blue", "it is.", "paint it.", lambda evidence: [Seen("Blue", {"share": 1})])
    (found,) = findings(Evidence(), [check])
    assert str(found) == "Blue. Blue\n  why it matters: it is.\n  what to do: paint it."
    assert '"share": 1.0' in found.to_json()
