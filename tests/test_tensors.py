"""Tensor and Cell against NumPy: operators, methods, indexing, text, and what is refused."""

from __future__ import annotations

import copy
import operator
import pickle
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import chainrule as cr
from chainrule.core.interpret import interpret
from chainrule.core.record import record
from chainrule.errors import (
    ChainruleError,
    GradientError,
    IndexRangeError,
    SettingError,
    ShapeError,
)
from chainrule.ops.contract import contract
from chainrule.spec import spec_of

QUICK = settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
FLOATS = hnp.arrays("float64", SHAPES, elements=st.floats(-8, 8, width=32))
SOLID = hnp.arrays(
    "float64",
    hnp.array_shapes(min_dims=1, max_dims=3, max_side=4),
    elements=st.floats(-8, 8, width=32),
)


def same(found: Any, expected: Any) -> None:
    assert type(found) is cr.Tensor
    expected = np.asarray(expected)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12, atol=1e-12)


# -- operators

BINARY = [
    operator.add, operator.sub, operator.mul, operator.truediv, operator.gt, operator.ge,
    operator.lt, operator.le, operator.eq, operator.ne,
]  # fmt: skip


@QUICK
@given(
    hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, min_side=0, max_side=3), st.data()
)
@pytest.mark.parametrize("op", BINARY, ids=lambda op: op.__name__)
def test_binary_operators(op: Any, shapes: Any, data: st.DataObject) -> None:
    a, b = (
        data.draw(
            hnp.arrays("float64", shape, elements=st.sampled_from([-2.0, -1.0, 0.5, 1.0, 3.0]))
        )
        for shape in shapes.input_shapes
    )
    expected = op(a, b)
    same(op(cr.tensor(a), cr.tensor(b)), expected)
    same(op(a, cr.tensor(b)), expected)
    same(op(cr.tensor(a), b), expected)
    same(op(cr.tensor(a), 2.0), op(a, 2.0))
    same(op(2.0, cr.tensor(a)), op(2.0, a))
    same(op(np.float64(2.0), cr.tensor(a)), op(2.0, a))


@QUICK
@given(FLOATS)
def test_unary_operators(a: Any) -> None:
    t = cr.tensor(a)
    for fn in (operator.neg, operator.abs):
        same(fn(t), fn(a))
    same(t**2, a**2)
    same(2.0**t, 2.0**a)
    same(t.exp(), np.exp(a))
    same(t.tanh(), np.tanh(a))
    same(t.relu(), np.maximum(a, 0))
    same(t.square(), a * a)
    same((t * t).sqrt(), np.abs(a))
    same(t.sin() + t.cos(), np.sin(a) + np.cos(a))
    same(t.sigmoid(), 1 / (1 + np.exp(-a)))


def test_truth_values_are_joined() -> None:
    a, b = np.array([True, True, False]), np.array([True, False, False])
    same(cr.tensor(a) & cr.tensor(b), a & b)
    same(cr.tensor(a) | b, a | b)
    same(~cr.tensor(a), ~a)
    same(True & cr.tensor(b), b)
    for fn in (lambda x: x & x, lambda x: x | 1, lambda x: ~x):
        with pytest.raises(ShapeError, match="truth values"):
            fn(cr.tensor([6, 3]))


def test_comparing_with_what_is_no_number() -> None:
    t = cr.tensor([1.0])
    assert (t == None) is False  # noqa: E711
    assert (t != None) is True  # noqa: E711
    assert (t == "a") is False
    for other in (None, "a", [1.0], object()):
        with pytest.raises((ShapeError, TypeError)):
            t + other


@QUICK
@given(SOLID, st.data())
def test_matrix_products(a: Any, data: st.DataObject) -> None:
    k = a.shape[-1]
    lead = a.shape[:-2] if a.ndim > 2 else ()
    shape = data.draw(st.sampled_from([(k,), (k, 2), (*lead, k, 3), (2, *(1 for _ in lead), k, 2)]))
    b = np.linspace(-1, 1, int(np.prod(shape))).reshape(shape)
    same(cr.tensor(a) @ cr.tensor(b), a @ b)
    same(a @ cr.tensor(b), a @ b)
    same(cr.tensor(a) @ b, a @ b)


def test_matrix_products_that_do_not_fit() -> None:
    for x, y in [((2, 3), (2, 3)), ((3,), (2,)), ((2, 2, 3), (5, 3, 2)), ((), (2,))]:
        with pytest.raises(ShapeError):
            cr.tensor(np.ones(x)) @ cr.tensor(np.ones(y))
    square = cr.tensor(np.ones((2, 2)))
    for other in (square[0], square[0, 0]):  # NumPy's dot would scale by a single number
        for pair in [(square, other), (other, square)]:
            with pytest.raises(ShapeError, match="another number of axes"):
                contract(*pair, dims="ik,kj->ij")


# -- reductions and shapes


@QUICK
@given(SOLID, st.data())
def test_reductions(a: Any, data: st.DataObject) -> None:
    axes = st.integers(-a.ndim, a.ndim - 1)
    axis = data.draw(st.none() | axes | st.sets(st.integers(0, a.ndim - 1)).map(tuple))
    kept = data.draw(st.booleans())
    t = cr.tensor(a)
    for name in ("sum", "mean", "var", "std"):
        same(getattr(t, name)(axis, kept), getattr(np, name)(a, axis=axis, keepdims=kept))
    if axis != ():
        same(t.max(axis, kept), np.max(a, axis=axis, keepdims=kept))
        same(t.min(axis, kept), np.min(a, axis=axis, keepdims=kept))
    one = data.draw(axes)
    same(t.argmax(one), np.argmax(a, axis=one))
    same(t.argmax(), np.argmax(a))


def test_reductions_of_nothing() -> None:
    empty = cr.tensor(np.zeros((0, 3)))
    assert empty.sum(axis=0).tolist() == [0, 0, 0]
    assert np.isnan(empty.mean().item())
    assert np.isnan(cr.tensor([1.0]).var(correction=1).item())
    assert empty.max(axis=1).shape == (0,)
    for name in ("max", "min", "argmax"):
        with pytest.raises(ShapeError, match="of nothing"):
            getattr(empty, name)(axis=0)


def test_the_mean_of_ones_is_one() -> None:
    for n in range(1, 200):
        assert cr.tensor(np.ones(n, "float32")).mean().item() == 1.0


def test_small_integers_do_not_overflow() -> None:
    t = cr.tensor(np.array([200, 100, 0], "uint8"))
    assert (t.sum().item(), t.min().item(), t.mean().item()) == (300, 0, 100.0)
    assert t.sqrt().dtype == t.sigmoid().dtype == np.float32
    assert t.sigmoid().tolist() == [1.0, 1.0, 0.5]


WRONG_AXES: list[Callable[[Any], Any]] = [
    lambda x: x.sum(2), lambda x: x.mean(-3), lambda x: x.max((0, 5)), lambda x: x.argmax(2),
    lambda x: x.squeeze(2), lambda x: x.unsqueeze(4), lambda x: x.flatten(0, 2),
    lambda x: x.transpose(0, 2), lambda x: x.permute(0, 2), lambda x: x.permute(0, 0),
    lambda x: x.sum((0, 0)), lambda x: x.sum((1, -1)),
]  # fmt: skip


@pytest.mark.parametrize("fn", WRONG_AXES)
def test_wrong_axes(fn: Callable[[Any], Any]) -> None:
    with pytest.raises(ShapeError):
        fn(cr.tensor(np.ones((2, 3))))


@QUICK
@given(SOLID, st.data())
def test_shapes(a: Any, data: st.DataObject) -> None:
    t = cr.tensor(a)
    order = data.draw(st.permutations(range(a.ndim)))
    same(t.permute(*order), a.transpose(order))
    same(t.permute(order), a.transpose(order))
    i, j = (data.draw(st.integers(-a.ndim, a.ndim - 1)) for _ in range(2))
    same(t.transpose(i, j), a.swapaxes(i, j))
    same(t.T, a.T)
    same(t.reshape(-1), a.reshape(-1))
    same(t.reshape(a.shape[0], -1), a.reshape(a.shape[0], -1))
    same(t.view((1, *a.shape)), a[None])
    same(t.flatten(), a.reshape(-1))
    same(t.squeeze(), a.squeeze())
    k = data.draw(st.integers(-a.ndim - 1, a.ndim))
    same(t.unsqueeze(k), np.expand_dims(a, k))
    same(t.unsqueeze(k).squeeze(k), a)
    start = data.draw(st.integers(0, a.ndim - 1))
    same(t.flatten(start), a.reshape(*a.shape[:start], -1))
    assert (len(t), t.numel(), t.size, t.ndim) == (len(a), a.size, a.size, a.ndim)
    for one, row in zip(t, a, strict=True):
        same(one, row)


def test_shapes_of_numpy_integers() -> None:
    t = cr.tensor([1.0, 2.0])
    assert t.reshape(np.int64(2), np.int64(1)).shape == (2, 1)
    assert t.reshape(np.int64(2)).shape == (2,)
    assert t.sum(axis=np.int64(0)).item() == 3.0
    program, _ = record(lambda x: (x.reshape(np.int64(2), 1),), [spec_of(t)])
    assert "shape=(2, 1)" in program.listing()
    program.to_json()


@pytest.mark.parametrize("shape", [(5,), (-1, -1), (4, -1), (-2,), (0, -1)])
def test_shapes_that_do_not_fit(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError):
        cr.tensor(np.ones(6)).reshape(shape)


# -- indexing


def index_parts(size: int) -> st.SearchStrategy[Any]:
    positions = st.integers(-size, size - 1) if size else st.nothing()
    steps = st.integers(-3, 3).filter(bool) | st.none()
    ends = st.none() | st.integers(-6, 6)
    arrays = hnp.arrays("int64", hnp.array_shapes(max_dims=2, max_side=3), elements=positions)
    masks = hnp.arrays(bool, (size,))
    return st.one_of(
        positions,
        st.builds(slice, ends, ends, steps),
        arrays,
        arrays.map(lambda a: a.tolist()),
        masks,
    )


@st.composite
def keys(draw: Any, shape: tuple[int, ...]) -> Any:
    parts: list[Any] = []
    for size in shape[: draw(st.integers(0, len(shape)))]:
        if draw(st.integers(0, 5)) == 0:
            parts.append(None)
        parts.append(draw(index_parts(size)))
    if draw(st.booleans()):
        parts.append(...)
    if len(parts) == 1 and draw(st.booleans()):
        return parts[0]
    return tuple(parts)


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_indexing(data: st.DataObject) -> None:
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4))
    a = np.arange(np.prod(shape), dtype="float64").reshape(shape)
    key = data.draw(keys(shape))
    try:
        expected = a[key]
    except IndexError:  # index arrays of shapes that do not broadcast
        with pytest.raises(ChainruleError):
            cr.tensor(a)[key]
        return
    found = cr.tensor(a)[key]
    assert found.shape == expected.shape
    np.testing.assert_array_equal(found.numpy(), expected)
    program, _ = record(lambda x: (x[key],), [spec_of(a)])
    np.testing.assert_array_equal(interpret(program.verify(), [a])[0], expected)
    assert not program.captured, "an index written in the code is a constant"


def test_indexing_with_tensors() -> None:
    a = np.arange(12.0).reshape(3, 4)
    t, i, j = cr.tensor(a), cr.tensor([0, 2, -1]), cr.tensor([1, -4, 3])
    same(t[i], a[[0, 2, -1]])
    same(t[i, j], a[[0, 2, -1], [1, -4, 3]])
    same(t[:, j], a[:, [1, -4, 3]])
    same(t[t > 4], a[a > 4])
    same(t[i[1]], a[2])
    same(t[: i[1]], a[:2])


def test_recorded_positions() -> None:
    """An index that is computed in the step is read as it is then."""
    a = np.arange(12.0).reshape(3, 4)
    specs = [spec_of(a), spec_of(np.array([0, 1])), spec_of(np.int64(0))]
    program, _ = record(lambda x, i, k: (x[i, i + 1], x[k], x[:, i]), specs)
    for i, k in (([0, 2], 1), ([-3, -2], -1)):
        index = np.array(i)
        found = interpret(program, [a, index, np.asarray(k)])
        np.testing.assert_array_equal(found[0], a[index, index + 1])
        np.testing.assert_array_equal(found[1], a[k])
        np.testing.assert_array_equal(found[2], a[:, index])
    for wrong in ([0, 3], [-4, 0], [0, 2**40]):
        with pytest.raises(IndexRangeError):
            interpret(program, [a, np.array(wrong), np.asarray(0)])


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        (3, IndexRangeError),
        (-4, IndexRangeError),
        ((0, 4), IndexRangeError),
        ((0, 0, 0), IndexRangeError),
        ([0, 3], IndexRangeError),
        (([0, 1], [0, 4]), IndexRangeError),
        (([0, 1], [-5, 0]), IndexRangeError),
        ([True, False], IndexRangeError),
        (np.ones((3, 3), bool), IndexRangeError),
        (True, ShapeError),
        (np.True_, ShapeError),
        (1.0, ShapeError),
        ("a", ShapeError),
        ([0.5], ShapeError),
        ((..., ...), ShapeError),
        (([0, 1], [0, 1, 2]), ShapeError),
    ],
    ids=repr,
)
def test_indices_that_are_none(key: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        cr.tensor(np.ones((3, 4)))[key]


# -- out of a tensor, and text


def test_items() -> None:
    t = cr.tensor([[2.5]])
    assert (t.item(), float(t), int(t)) == (2.5, 2.5, 2)
    assert type(cr.tensor(3).item()) is int
    assert type(cr.tensor(True).item()) is bool
    with pytest.raises(ShapeError, match=r"one element\n  got:      f32\[2\]"):
        cr.tensor([1.0, 2.0]).item()
    assert range(5)[cr.tensor(3)] == 3
    for wrong in (cr.tensor(1.0), cr.tensor([1])):
        with pytest.raises(TypeError):
            operator.index(wrong)
    with pytest.raises(ShapeError, match="no length"):
        len(cr.tensor(1.0))
    with pytest.raises(ValueError, match="ambiguous"):
        bool(cr.tensor([1.0, 2.0]))
    assert not cr.tensor(0.0)


@QUICK
@given(
    hnp.arrays(st.sampled_from(["float32", "float64", "int64", "int32", "uint8", "bool"]), SHAPES)
)
def test_there_and_back(a: Any) -> None:
    t = cr.tensor(a)
    for found in (t.numpy(), np.asarray(t), np.array(t.tolist(), a.dtype).reshape(a.shape)):
        assert found.dtype == a.dtype
        np.testing.assert_array_equal(found, a)
    assert np.asarray(t, "float64").dtype == np.float64
    assert np.asarray(t) is t.numpy() or np.shares_memory(np.asarray(t), t.numpy()) or not a.size
    assert not np.shares_memory(np.array(t), t.numpy())
    assert not np.shares_memory(cr.tensor(a).numpy(), a)
    if a.ndim:
        assert np.shares_memory(cr.from_numpy(a).numpy(), a) or not a.size


def test_dtypes_of_data() -> None:
    made = {
        "float32": [1.5, [1.0, 2.0], np.float32(1)],
        "int64": [1, [1, 2], np.int64(1)],
        "float64": [np.float64(1.5), np.ones(2), [np.ones(2)][0]],
        "bool": [True, [True, False]],
        "uint8": [np.ones(2, "uint8")],
    }
    for name, cases in made.items():
        for data in cases:
            assert cr.tensor(data).dtype == name, data
    assert cr.tensor([1, 2], "float32").dtype == np.float32
    assert cr.Cell([1.0]).dtype == np.float32
    assert cr.Parameter(np.ones(2)).dtype == np.float64
    for wrong in ("text", [None], 1 + 2j, object(), [2**70]):
        with pytest.raises(ShapeError, match="holds numbers"):
            cr.tensor(wrong)


def test_conversions() -> None:
    t = cr.tensor([1.7, -1.7])
    assert t.long().tolist() == [1, -1]
    assert (t.double().dtype, t.long().float().dtype, t.to("int32").dtype) == (
        np.float64,
        np.float32,
        np.int32,
    )
    assert t.to("float32") is t


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: cr.tensor([1.0, 2.5]), "tensor([1. , 2.5])"),
        (lambda: cr.tensor(3), "tensor(3)"),
        (lambda: cr.tensor(np.ones(2)), "tensor([1., 1.], dtype=float64)"),
        (lambda: cr.tensor([True]), "tensor([ True])"),
        (lambda: cr.tensor([1.0], requires_grad=True), "Cell([1.], requires_grad=True)"),
        (lambda: cr.Parameter([1.0]) * 2, "tensor([2.], from=mul)"),
        (lambda: cr.Parameter([1.0]), "Parameter([1.], requires_grad=True)"),
        (lambda: cr.Parameter([1.0], requires_grad=False), "Parameter([1.])"),
        (lambda: cr.Buffer([1]), "Buffer([1])"),
        (lambda: cr.Cell(None), "Cell(empty)"),
        (lambda: cr.tensor([[1.0], [2.0]]), "tensor([[1.],\n        [2.]])"),
    ],
)
def test_text(make: Callable[[], Any], text: str) -> None:
    assert repr(make()) == text
    assert str(make()) == text


def test_formats() -> None:
    assert (
        f"{cr.tensor(0.123456):.3f} {cr.tensor(7):03d} {cr.tensor(1.0)}" == "0.123 007 tensor(1.)"
    )
    with pytest.raises(ShapeError):
        format(cr.tensor([1.0, 2.0]), ".2f")


# -- cells


def test_tensors_do_not_change() -> None:
    t = before = cr.tensor([1.0, 2.0])
    t += 1.0
    assert (before.tolist(), t.tolist()) == ([1.0, 2.0], [2.0, 3.0])
    with pytest.raises(TypeError):
        before[0] = 5.0  # type: ignore[index]
    with pytest.raises(SettingError, match="requires_grad=True"):
        before.requires_grad = True
    with pytest.raises(AttributeError):
        before.other = 1  # type: ignore[attr-defined]


def test_cells_change_in_place() -> None:
    w = cr.Parameter([1.0, 2.0], name="w")
    same_cell = w
    with cr.no_grad():
        w += 1.0
        w *= cr.tensor([2.0, 2.0])
        w -= 1.0
        w /= 3.0
        w **= 2
    assert w is same_cell
    np.testing.assert_allclose(w.numpy(), [1.0, 25 / 9], rtol=1e-6)
    assert w.zero_() is w
    assert w.fill_(3.0).tolist() == [3.0, 3.0]
    w.assign(np.array([5.0, 6.0]))
    assert (w.tolist(), w.dtype) == ([5.0, 6.0], np.float32)
    w.copy_([1, 2])
    assert (w.tolist(), w.dtype) == ([1.0, 2.0], np.float32)
    with pytest.raises(ShapeError, match="w keeps its shape"):
        w.assign([1.0])
    with pytest.raises(ShapeError, match="w keeps its shape"), cr.no_grad():
        w += cr.tensor([[1.0], [2.0]])


@pytest.mark.parametrize(
    "change", [operator.iadd, operator.isub, operator.imul, operator.itruediv, operator.ipow]
)
def test_changing_in_place_what_wants_a_gradient(change: Any) -> None:
    w = cr.Parameter([1.0, 2.0], name="w")
    with pytest.raises(GradientError, match="w wants a gradient") as caught:
        change(w, 2.0)
    assert "no_grad" in str(caught.value.hint)
    assert w.tolist() == [1.0, 2.0]
    buffer = cr.Buffer([1.0, 2.0])
    assert change(buffer, 1.0) is buffer


def test_cells_are_told_apart_and_copied() -> None:
    w = cr.Parameter([1.0, 2.0], name="w")
    (w * w).sum().backward()
    assert {w: 1}[w] == 1
    for twin in (copy.deepcopy(w), copy.copy(w), pickle.loads(pickle.dumps(w))):
        assert (type(twin), twin.name, twin.tolist()) == (cr.Parameter, "w", [1.0, 2.0])
        assert twin.grad is not None
        assert twin.grad.tolist() == [2.0, 4.0]
        twin.grad = None
        (twin * 3.0).sum().backward()
        assert twin.grad.tolist() == [3.0, 3.0], "its gradient is its own"
        with cr.no_grad():
            twin += 1.0
    assert w.grad is not None
    assert (w.tolist(), w.grad.tolist()) == ([1.0, 2.0], [2.0, 4.0])


def test_gradients_of_a_cell() -> None:
    w = cr.Parameter([1.0, 2.0], name="w")
    assert w.grad is None
    (w * w).sum().backward()
    assert w.grad is not None
    held = w.grad
    assert held.zero_() is held
    assert w.grad.tolist() == held.tolist() == [0.0, 0.0]
    w.grad = [5.0, 6.0]
    assert w.grad.tolist() == [5.0, 6.0]
    with pytest.raises(ShapeError, match="the gradient of w"):
        w.grad = cr.tensor([1.0])
    w.grad = None
    assert w.grad is None


def test_the_name_of_a_gradient_follows_its_cell() -> None:
    w = cr.tensor([1.0], requires_grad=True)
    assert w.grad_cell.name == "grad tensor"
    w.name = "w"
    assert (w.name, w.grad_cell.name) == ("w", "grad w")
    assert copy.deepcopy(w).grad_cell.name == "grad w"


def test_leaves_and_detaching() -> None:
    w = cr.Parameter([1.0])
    y = w * 2.0
    assert (w.is_leaf, y.is_leaf, y.detach().is_leaf) == (True, False, True)
    assert (w.requires_grad, y.requires_grad, y.detach().requires_grad) == (True, True, False)
    assert not (w > 0).requires_grad
    assert not w.long().requires_grad
    assert not w.requires_grad_(False).requires_grad


def test_an_empty_cell_takes_what_it_is_given() -> None:
    cell = cr.Cell(None, "later")
    cell.assign([1.0, 2.0])
    assert cell.tolist() == [1.0, 2.0]
    with pytest.raises(ShapeError):
        cell.assign([1.0])


def test_no_warnings_in_ordinary_use() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        t = cr.tensor([1.0])
        float(t), int(t), np.asarray(t), np.array(t), np.ones(1) + t, t.var(correction=1)
