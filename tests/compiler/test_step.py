"""compile(): the recorded step is the eager one bit for bit, and recorded again when needed."""

from __future__ import annotations

import functools
import types
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.core.state import RECORDER
from chainrule.errors import RecordingError

X = cr.tensor([1.0, 2.0])


class Net(cr.nn.Module):
    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.w = cr.Parameter(rng.standard_normal((3, 4)).astype("float32"))
        self.b = cr.Parameter(np.zeros(4, "float32"))
        self.v = cr.Parameter(rng.standard_normal((4, 2)).astype("float32"))
        self.seen = cr.Buffer(np.zeros(3, "float32"))

    def forward(self, x: Any) -> Any:
        if self.training:
            self.seen += x.mean(axis=0)
        return (x @ self.w + self.b).tanh() @ self.v


def training(net: Net, rate: Any) -> Callable[..., Any]:
    momenta = [cr.Cell(np.zeros(p.shape, "float32"), "m") for p in net.parameters()]

    def step(x: Any, y: Any) -> Any:
        loss = (net(x) - y).square().mean()
        net.zero_grad()
        loss.backward()
        with cr.no_grad():
            for p, m in zip(net.parameters(), momenta, strict=True):
                m.assign(m * 0.9 + p.grad)
                p -= rate * m
        return loss

    return step


def test_a_training_is_the_eager_one_bit_for_bit() -> None:
    rng = np.random.default_rng(1)
    batches = [
        (
            rng.standard_normal((n, 3)).astype("float32"),
            rng.standard_normal((n, 2)).astype("float32"),
        )
        for n in (8, 8, 5, 8, 5, 8)
    ]
    results = []
    for compiled in (False, True):
        net, rate = Net(), cr.Cell(np.float64(0.1), "rate")
        step: Any = training(net, rate)
        step = cr.compile(step, "interpret") if compiled else step
        losses = []
        for k, (x, y) in enumerate(batches):
            rate.assign(0.1 / (k + 1))
            losses.append(step(cr.from_numpy(x), cr.from_numpy(y)).numpy())
        state = [cell.numpy() for cell in (net.w, net.b, net.v, net.seen)]
        gradients = [p.grad.numpy() for p in net.parameters() if p.grad is not None]
        results.append([*losses, *state, *gradients])
        if compiled:
            assert len(step.programs) == 2, "one per batch size, however often they alternate"
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)


# -- recorded again exactly when needed

Case = tuple[Callable[[Any], Any], Callable[[], None]]
FACTOR = 2.0


def closure_number() -> Case:
    k = 2.0

    def change() -> None:
        nonlocal k
        k = 3.0

    return (lambda x: x * k), change


def global_number() -> Case:
    def change() -> None:
        globals()["FACTOR"] = 3.0

    globals()["FACTOR"] = 2.0
    return (lambda x: x * FACTOR), change


def number_in_a_helper() -> Case:
    k = [2.0]

    def helper(x: Any) -> Any:
        return x * k[0]

    return (lambda x: helper(helper(x))), lambda: k.__setitem__(0, 3.0)


def replaced_helper() -> Case:
    space = {"helper": lambda x: x * 2.0}
    return (lambda x: space["helper"](x)), lambda: space.update(helper=lambda x: x * 3.0)


def default_argument() -> Case:
    def step(x: Any, k: float = 2.0) -> Any:
        return x * k

    def change() -> None:
        step.__defaults__ = (3.0,)

    return step, change


def settings_object() -> Case:
    config = types.SimpleNamespace(k=2.0)
    return (lambda x: x * config.k), lambda: setattr(config, "k", 3.0)


def nested_settings() -> Case:
    config = types.SimpleNamespace(inner=types.SimpleNamespace(k=2.0))
    return (lambda x: x * config.inner.k), lambda: setattr(config.inner, "k", 3.0)


def class_attribute() -> Case:
    class Config:
        k = 2.0

    return (lambda x: x * Config.k), lambda: setattr(Config, "k", 3.0)


def slots_and_property() -> Case:
    class Config:
        __slots__ = ("k",)

        def __init__(self) -> None:
            self.k = 2.0

        @property
        def twice(self) -> float:
            return self.k * 2

    config = Config()
    return (lambda x: x * config.twice), lambda: setattr(config, "k", 3.0)


def method_of_an_object() -> Case:
    class Scaler:
        def __init__(self) -> None:
            self.k = 2.0

        def scale(self, x: Any) -> Any:
            return self.once(x)

        def once(self, x: Any) -> Any:
            return x * self.k

    scaler = Scaler()
    return (lambda x: scaler.scale(x)), lambda: setattr(scaler, "k", 3.0)


def dict_item() -> Case:
    config = {"deep": {"k": 2.0}}
    return (lambda x: x * config["deep"]["k"]), lambda: config["deep"].update(k=3.0)


def rebound_tensor() -> Case:
    t = cr.tensor([2.0, 2.0])

    def change() -> None:
        nonlocal t
        t = cr.tensor([3.0, 3.0])

    return (lambda x: x * t), change


def partial_function() -> Case:
    k = [2.0]

    def scale(times: float, x: Any) -> Any:
        return x * times * k[0]

    bound = functools.partial(scale, 1.0)
    return (lambda x: bound(x)), lambda: k.__setitem__(0, 3.0)


def decorated_function() -> Case:
    k = [2.0]

    def decorator(fn: Any) -> Any:
        @functools.wraps(fn)
        def wrapper(*args: Any) -> Any:
            return fn(*args)

        return wrapper

    @decorator
    def scale(x: Any) -> Any:
        return x * k[0]

    return (lambda x: scale(x)), lambda: k.__setitem__(0, 3.0)


def compiled_inside() -> Case:
    k = [2.0]
    inner = cr.compile(lambda x: x * k[0])
    return (lambda x: inner(x) + 1.0), lambda: k.__setitem__(0, 3.0)


def sign_of_zero() -> Case:
    k = [0.0]
    return (lambda x: 1.0 / (x * k[0])), lambda: k.__setitem__(0, -0.0)


def kind_of_number() -> Case:
    k: list[Any] = [1]
    return (lambda x: x.long() + k[0]), lambda: k.__setitem__(0, True) or k.__setitem__(0, 1.5)


def module_setting() -> Case:
    class Scale(cr.nn.Module):
        def __init__(self) -> None:
            self.k, self.table = 2.0, {"k": 2.0}

        def forward(self, x: Any) -> Any:
            return x * self.k

    net = Scale()
    return (lambda x: net(x)), lambda: setattr(net, "k", 3.0)


def table_of_a_module() -> Case:
    class Scale(cr.nn.Module):
        def __init__(self) -> None:
            self.table = {"k": 2.0}

        def forward(self, x: Any) -> Any:
            return self.scaled(x)

        def scaled(self, x: Any) -> Any:
            return x * self.table["k"]

    outer = cr.nn.Module()
    outer.inner = Scale()  # type: ignore[attr-defined]
    return (lambda x: outer.inner(x)), lambda: outer.inner.table.update(k=3.0)  # type: ignore[attr-defined]


def training_mode() -> Case:
    class Switch(cr.nn.Module):
        def forward(self, x: Any) -> Any:
            return x * 2.0 if self.training else x

    net = Switch().train()
    return (lambda x: net(x)), lambda: net.eval() and None


CASES = [
    closure_number, global_number, number_in_a_helper, replaced_helper, default_argument,
    settings_object, nested_settings, class_attribute, slots_and_property, method_of_an_object,
    dict_item, rebound_tensor, partial_function, decorated_function, compiled_inside, sign_of_zero,
    kind_of_number, module_setting, table_of_a_module, training_mode,
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_recorded_again(case: Callable[[], Case]) -> None:
    fn, change = case()
    step = cr.compile(fn)
    before = step(X).tolist()
    assert before == fn(X).tolist()
    step(X)
    step(X + 1.0)
    assert len(step.programs) == 1, "not without need"
    change()
    after = step(X).tolist()
    assert after == fn(X).tolist()
    assert after != before
    assert len(step.programs) == 2
    step(X)
    assert len(step.programs) == 2


def test_shapes_dtypes_and_structure_of_arguments() -> None:
    step = cr.compile(lambda x: {"sum": x["a"].sum(), "pair": (x["b"][0] * 2, [x["b"][1]])})
    one = {"a": X, "b": (X, X)}
    for _ in range(2):
        found = step(one)
        assert found["sum"].item() == 3.0
        assert found["pair"][0].tolist() == [2.0, 4.0]
        assert found["pair"][1][0].tolist() == [1.0, 2.0]
    assert len(step.programs) == 1
    step({"a": X.double(), "b": (X, X)})
    step({"a": cr.tensor([1.0]), "b": (X, X)})
    assert len(step.programs) == 3


def test_arguments_that_are_no_tensors() -> None:
    def fn(x: Any, *, times: Any = 1, mode: str = "mul", array: Any = None) -> Any:
        out = x * times if mode == "mul" else x + times
        return out if array is None else out * array

    step = cr.compile(fn)
    for kwargs in [
        {},
        {"times": 2},
        {"times": 2.0},
        {"times": True},
        {"mode": "add"},
        {"times": np.float32(3)},
    ]:
        assert step(X, **kwargs).tolist() == fn(X, **kwargs).tolist()
        assert step(X, **kwargs).dtype == fn(X, **kwargs).dtype
    assert len(step.programs) == 6
    step(X, times=np.float32(3))
    assert len(step.programs) == 6, "a number is compared by value"
    for k in (1.0, 2.0):
        assert step(X, array=np.array([k, k], "float32")).tolist() == [k, 2 * k]
    assert len(step.programs) == 7, "an array is an argument like a tensor"


def test_results_of_all_kinds() -> None:
    w = cr.Parameter([1.0, 2.0])
    step = cr.compile(lambda x: (x, w, 3, None, "text", [], {"w": w * 1.0}))
    x, cell, three, none, text, empty, table = step(X)
    assert (three, none, text, empty) == (3, None, "text", [])
    assert x.tolist() == cell.tolist() == table["w"].tolist() == [1.0, 2.0]
    assert type(cell) is cr.Tensor


def test_an_object_among_the_arguments_is_looked_into() -> None:
    config = types.SimpleNamespace(k=2.0)
    step = cr.compile(lambda x, c: x * c.k)
    assert step(X, config).tolist() == [2.0, 4.0]
    config.k = 3.0
    assert step(X, config).tolist() == [3.0, 6.0]


def test_methods() -> None:
    class Trainer:
        def __init__(self, k: float) -> None:
            self.k = k

        @cr.compile
        def step(self, x: Any) -> Any:
            """Scale."""
            return x * self.k

    a, b = Trainer(2.0), Trainer(3.0)
    assert [t.step(X).tolist() for t in (a, b, a)] == [[2.0, 4.0], [3.0, 6.0], [2.0, 4.0]]
    assert len(Trainer.step.programs) == 2
    a.k = 5.0
    assert a.step(X).tolist() == [5.0, 10.0]
    assert Trainer.step.__doc__ == "Scale."


def test_tensors_from_outside_are_read_by_reference() -> None:
    w = cr.Cell(np.ones(2, "float32"), "w")
    step = cr.compile(lambda x: x * w)
    assert step(X).tolist() == [1.0, 2.0]
    w.assign([5.0, 5.0])
    assert step(X).tolist() == [5.0, 10.0]
    assert len(step.programs) == 1


def test_freezing_is_noticed() -> None:
    a, b = cr.Parameter([1.0, 1.0], name="a"), cr.Parameter([1.0, 1.0], name="b")

    @cr.compile
    def step(x: Any) -> None:
        a.grad = b.grad = None
        (x * a * b).sum().backward()

    step(X)
    assert a.grad is not None
    a.requires_grad = False
    step(X)
    assert a.grad is None
    assert b.grad is not None
    assert b.grad.tolist() == [1.0, 2.0]
    a.requires_grad = True
    step(X)
    assert len(step.programs) == 2


def test_tracking_is_part_of_the_situation() -> None:
    w = cr.Parameter([1.0, 1.0])
    step = cr.compile(lambda x: (x * w, (x * w).requires_grad))
    assert step(X)[1] is True
    with cr.no_grad():
        assert step(X)[1] is False
    assert step(X)[1] is True
    assert len(step.programs) == 2


@pytest.mark.parametrize("zero", ["first", "last", "never"])
def test_gradients_across_calls(zero: str) -> None:
    """Without zero_grad they accumulate from call to call, as in eager."""

    def run(wrap: Any) -> list[Any]:
        w = cr.Parameter([1.0, 2.0])

        def step(x: Any) -> Any:
            if zero == "first":
                w.grad = None
            loss = (x * w * w).sum()
            loss.backward()
            if zero == "last":
                w.grad = None
            return loss

        step = wrap(step)
        seen = []
        for k in range(3):
            step(X + float(k))
            seen.append(None if w.grad is None else w.grad.tolist())
        w.grad = None
        step(X)
        return [*seen, None if w.grad is None else w.grad.tolist()]

    assert run(cr.compile) == run(lambda step: step)


def test_gradients_changed_inside() -> None:
    w = cr.Parameter([1.0, 2.0])

    @cr.compile
    def step(x: Any) -> Any:
        (x * w).sum().backward()
        w.grad = w.grad * 0.5  # type: ignore[operator]
        return w.grad

    assert step(X).tolist() == [0.5, 1.0]
    assert w.grad is not None
    assert w.grad.tolist() == [0.5, 1.0]
    w.grad.zero_()
    assert step(X).tolist() == [0.5, 1.0]


def test_numpy_randomness_is_warned_of() -> None:
    step = cr.compile(lambda x: x * np.random.rand())  # noqa: NPY002
    with pytest.warns(UserWarning, match=r"np\.random"):
        step(X)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        step(X)


def test_recording_again_and_again_is_warned_of() -> None:
    step = cr.compile(lambda x, k: x * k)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for k in range(31):
            step(X, k)
    with pytest.warns(UserWarning, match="another at each call"):
        step(X, 31)


def test_an_exception_leaves_nothing_behind() -> None:
    w = cr.Parameter([1.0, 2.0])
    fails = [True]

    @cr.compile
    def step(x: Any) -> Any:
        (x * w).sum().backward()
        with cr.no_grad():
            w.assign(w - w.grad)
            if fails[0]:
                raise ZeroDivisionError("user's own")
        return w

    with pytest.raises(ZeroDivisionError, match="user's own"):
        step(X)
    assert RECORDER.get() is None
    assert cr.is_grad_enabled()
    assert (w.grad, w.tolist(), step.programs) == (None, [1.0, 2.0], [])
    fails[0] = False
    step(X)
    assert w.tolist() == [0.0, 0.0]


def test_reading_a_value_is_an_error_at_the_users_line() -> None:
    def step(x: Any) -> Any:
        if x.sum() > 0:
            return x
        return -x

    with pytest.raises(RecordingError, match="if tensor") as caught:
        cr.compile(step)(X)
    assert f"test_step.py:{step.__code__.co_firstlineno + 1}" in str(caught.value)


def test_inside_another_step_it_is_part_of_that() -> None:
    inner = cr.compile(lambda x: x * 2.0)
    outer = cr.compile(lambda x: inner(inner(x)) + 1.0)
    assert outer(X).tolist() == [5.0, 9.0]
    assert inner.programs == []
    assert [made.op.name for made in outer.programs[0].instructions] == ["mul", "mul", "add"]


def test_program_without_running() -> None:
    w = cr.Parameter([1.0, 2.0], name="w")

    @cr.compile
    def step(x: Any) -> Any:
        w.assign(w + x)
        return w

    program = step.program(X)
    assert w.tolist() == [1.0, 2.0]
    step(X)
    assert step.programs == [program]
    assert repr(step) == "<compiled step step: 1 recorded>"


def test_arrays_as_arguments_may_have_the_methods_that_the_step_uses() -> None:
    step = cr.compile(lambda x: cr.as_tensor(x).reshape(-1).sum(), "interpret")
    for value in (1.0, 2.0):
        assert step(np.full((2, 3), value)).item() == 6 * value
    assert len(step.programs) == 1


def test_methods_written_in_c_are_not_watched() -> None:
    class Sizes(list[int]):
        pass

    sizes = Sizes([3, 4])

    def total(x: Any) -> Any:
        return x.sum() * sizes.index(4) + len(sizes.copy())

    step = cr.compile(total, "interpret")
    assert [step(X).item(), step(X).item()] == [5.0, 5.0]
    assert len(step.programs) == 1
