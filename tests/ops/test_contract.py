"""The one contract test: it walks the registry, so an op is tested the moment its record exists."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.core.interpret import interpret
from chainrule.core.op import CALLS, OPS, Composite, Create, Op, Place, Pointwise, Reduce, Reindex
from chainrule.core.program import Program
from chainrule.core.record import record
from chainrule.errors import ShapeError
from chainrule.spec import Spec, spec_of


def built_in() -> list[Op]:
    return [op for op in OPS.values() if op.samples(np.random.default_rng(0))]


def cases(wanted: Callable[[Op, list[Any], dict[str, Any]], bool]) -> list[Any]:
    """The samples of every op for which `wanted(op, inputs, settings)`."""
    return [
        pytest.param(op, number, id=f"{op.name}-{number}")
        for op in built_in()
        for number, (xs, settings) in enumerate(op.samples(np.random.default_rng(0)))
        if wanted(op, xs, settings)
    ]


def has_gradient(op: Op, xs: list[Any], settings: dict[str, Any]) -> bool:
    rules = op.grad if isinstance(op.grad, tuple) else (op.grad,)
    floats = any(np.asarray(x).dtype.kind == "f" for x in xs)
    return any(rules) and floats and np.dtype(settings.get("dtype", "float64")).kind == "f"


CASES = cases(lambda op, xs, settings: True)
DIFFERENTIABLE = cases(has_gradient)
DESCRIBED = cases(
    lambda op, xs, s: isinstance(
        op.lower, Pointwise | Create | Reindex | Place | Reduce | Composite
    )
)


def sample(op: Op, number: int) -> tuple[list[Any], dict[str, Any]]:
    xs, settings = op.samples(np.random.default_rng(number))[number]
    return [np.asarray(x) for x in xs], settings


def outputs(found: Any) -> tuple[Any, ...]:
    return found if isinstance(found, tuple) else (found,)


def test_every_op_but_scan_has_samples() -> None:
    """scan, whose samples would be programs, has tests of its own."""
    own = {name for name, op in OPS.items() if op.forward.__module__.startswith("chainrule.ops")}
    assert own - {op.name for op in built_in()} <= {"scan"}


@pytest.mark.parametrize(("op", "number"), CASES)
def test_spec_is_that_of_the_output(op: Op, number: int) -> None:
    xs, settings = sample(op, number)
    found = op.forward(*xs, **settings)
    expected = op.spec(*map(spec_of, xs), **settings)
    assert tuple(map(spec_of, map(np.asarray, outputs(found)))) == outputs(expected)


@pytest.mark.parametrize(("op", "number"), CASES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_recorded_equals_eager_and_survives_json(op: Op, number: int, dtype: str) -> None:
    xs, settings = sample(op, number)
    xs = [x.astype(dtype) if x.dtype.kind == "f" else x for x in xs]
    eager = outputs(CALLS[op.name](*map(cr.from_numpy, xs), **settings))
    call = CALLS[op.name]
    specs = [spec_of(x) for x in xs]
    program, _ = record(lambda *vs: outputs(call(*vs, **settings)), specs)
    saved = Program.from_json(program.verify().to_json())
    assert saved.listing() == program.listing()
    for found in (interpret(program, xs), interpret(saved, xs)):
        for one, value in zip(found, eager, strict=True):
            raw = value.array if isinstance(value, cr.Tensor) else value
            assert spec_of(one) == spec_of(raw)
            np.testing.assert_array_equal(one, raw)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize(("op", "number"), DIFFERENTIABLE)
def test_gradient_in_a_random_direction(op: Op, number: int, order: int) -> None:
    xs, settings = sample(op, number)
    cr.gradient_check(lambda *vs: CALLS[op.name](*vs, **settings), xs, order=order)


@pytest.mark.parametrize(("op", "number"), DIFFERENTIABLE)
def test_gradient_only_towards_what_is_asked(op: Op, number: int) -> None:
    """Every subset of inputs gets the same gradients as all of them together."""
    xs, settings = sample(op, number)
    floats = [i for i, x in enumerate(xs) if x.dtype.kind == "f"]

    def gradients(wanted: list[int]) -> list[Any]:
        vs = [cr.Cell(x, f"x{i}", i in wanted) for i, x in enumerate(xs)]
        out = CALLS[op.name](*vs, **settings)
        if not out.requires_grad:  # an input without a rule, such as the condition of where
            return []
        out.backward(gradient=np.ones(out.shape, out.dtype))
        return [None if v.grad is None else v.grad.numpy() for v in vs]

    together = gradients(floats)
    for i in floats:
        alone = gradients([i])
        if alone:
            np.testing.assert_array_equal(alone[i], together[i])
            assert all(g is None for j, g in enumerate(alone) if j != i)


class NumPyEmitter:
    """Evaluates a lowering with NumPy: what the native back end must agree with."""

    def __getattr__(self, name: str) -> Any:
        special = {
            "neg": np.negative,
            "sub": np.subtract,
            "mul": np.multiply,
            "div": np.divide,
            "constant": lambda value, dtype: np.dtype(dtype).type(value),
            "cast": lambda x, dtype: np.asarray(x).astype(dtype),
        }
        if name in special:
            return special[name]
        return OPS[name].forward if name in OPS else getattr(np, name)


@pytest.mark.parametrize(("op", "number"), DESCRIBED)
def test_lowering_describes_the_same_op(op: Op, number: int) -> None:
    xs, settings = sample(op, number)
    expected = op.forward(*xs, **settings)
    emitter = NumPyEmitter()
    if isinstance(op.lower, Pointwise):
        found = op.lower.expression(emitter, *xs, **settings)
    elif isinstance(op.lower, Create):
        at = np.indices(expected.shape)
        found = np.broadcast_to(op.lower.expression(emitter, *at, **settings), expected.shape)
    elif isinstance(op.lower, Reindex):
        at = op.lower.index(tuple(np.indices(expected.shape)), xs[0].shape, **settings)
        found = reindexed(xs[0], at, expected.shape)
    elif isinstance(op.lower, Place):
        found = np.full_like(expected, settings.get("value", 0))
        found[op.lower.index(tuple(np.indices(xs[0].shape)), **settings)] = xs[0]
    elif isinstance(op.lower, Composite):
        found = op.lower.expand(*xs, **settings)
        assert spec_of(found) == spec_of(np.asarray(expected))
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
        return
    else:
        assert isinstance(op.lower, Reduce)
        fold = {"add": np.add, "max": np.maximum, "min": np.minimum}[op.lower.combine]
        start = op.lower.start
        found = fold.reduce(xs[0], axis=settings["axes"], initial=start)
    np.testing.assert_array_equal(found, expected)


def reindexed(x: Any, at: Any, shape: tuple[int, ...]) -> Any:
    at = [np.broadcast_to(a, shape) for a in at]
    inside = np.ones(shape, bool)
    for a, size in zip(at, x.shape, strict=True):
        inside &= (a >= 0) & (a < size)
    if not x.size:
        return np.zeros(shape, x.dtype)
    places = tuple(np.clip(a, 0, n - 1) for a, n in zip(at, x.shape, strict=True))
    return np.where(inside, x[places], 0)


@pytest.mark.parametrize("op", built_in(), ids=lambda op: op.name)
def test_record_is_documented(op: Op) -> None:
    assert op.doc.endswith(".")
    assert op.formula


BAD = {
    "add": ([Spec((3,), cr.float32), Spec((2,), cr.float32)], {}, "shapes that broadcast"),
    "where": (
        [Spec((2,), np.dtype(bool)), Spec((3,), cr.float32), Spec((), cr.float32)],
        {},
        "where",
    ),
    "reshape": ([Spec((3, 4), cr.float32)], {"shape": (5,)}, "number of elements"),
    "permute": ([Spec((3, 4), cr.float32)], {"axes": (0, 0)}, "every axis once"),
    "slice": ([Spec((3,), cr.float32)], {"start": (2,), "stop": (9,), "step": (1,)}, "within"),
    "concat": ([Spec((3, 2), cr.float32), Spec((4, 3), cr.float32)], {"axis": 0}, "other axes"),
    "sum": ([Spec((3,), cr.float32)], {"axes": (4,)}, "no such axis"),
    "broadcast_to": ([Spec((3,), cr.float32)], {"shape": (4,)}, "repeats"),
    "max": ([Spec((0,), cr.float32)], {"axes": (0,)}, "of nothing"),
    "contract": (
        [Spec((3, 4), cr.float32), Spec((5, 6), cr.float32)],
        {"dims": "ik,kj->ij"},
        "inner",
    ),
    "take": ([Spec((3,), cr.float32), Spec((2,), cr.float32)], {}, "integer"),
    "scatter_add": ([Spec((3,), cr.float32), Spec((2,), cr.int64)], {"length": 4}, "row per index"),
    "convolve": (
        [Spec((1, 3, 8), cr.float32), Spec((4, 2, 3), cr.float32)],
        {"stride": (1,), "padding": (0,), "dilation": (1,), "groups": 1},
        "channels",
    ),
    "windows": (
        [Spec((2, 3), cr.float32)],
        {"axis": 1, "window": (4,), "stride": (1,), "dilation": (1,)},
        "larger than",
    ),
    "max_pool": (
        [Spec((2, 3, 4), cr.float32)],
        dict.fromkeys(("window", "stride", "dilation"), (3,)) | {"low": (0,), "high": (1,)},
        "larger than",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_wrong_arguments_are_worded_alike_in_eager_and_recorded(name: str) -> None:
    specs, settings, words = BAD[name]
    call = CALLS[name]
    with pytest.raises(ShapeError, match=words) as eager:
        call(*(cr.from_numpy(np.ones(s.shape, s.dtype)) for s in specs), **settings)
    with pytest.raises(ShapeError, match=words) as recorded:
        record(lambda *vs: (call(*vs, **settings),), specs)
    assert eager.value.what == recorded.value.what
    assert eager.value.got == recorded.value.got
    assert "test_contract.py" in str(recorded.value)
