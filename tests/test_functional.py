"""The composites by their properties, without a peer: what holds for any numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.nn.steps import assert_close, assert_same, run, written

import chainrule as cr
from chainrule import functional as F
from chainrule.core.interpret import interpret
from chainrule.core.record import record
from chainrule.errors import IndexRangeError, RecordingError, SettingError, ShapeError
from chainrule.spec import F64, I64, Spec

ANY = settings(deadline=None, max_examples=40)
SHAPES = st.lists(st.integers(1, 5), min_size=1, max_size=3)
SEEDS = st.integers(0, 999)


def normal(*shape: int, seed: int = 0, scale: float = 1.0) -> Any:
    return np.random.default_rng(seed).standard_normal(shape) * scale


# -- softmax and its kin


@ANY
@given(
    shape=SHAPES, seed=SEEDS, scale=st.sampled_from([1.0, 100.0, 1e6]), shift=st.floats(-1e6, 1e6)
)
def test_softmax_sums_to_one_and_ignores_a_shift(
    shape: list[int], seed: int, scale: float, shift: float
) -> None:
    x = normal(*shape, seed=seed, scale=scale)
    p = F.softmax(cr.tensor(x), -1).numpy()
    assert (p >= 0).all()
    np.testing.assert_allclose(p.sum(-1), 1.0, rtol=1e-12)
    shifted = F.softmax(cr.tensor(x + shift), -1).numpy()
    np.testing.assert_allclose(shifted, p, atol=1e-16 * (scale + abs(shift)) * 100)


@ANY
@given(shape=SHAPES, seed=SEEDS)
def test_the_logarithms_belong_together(shape: list[int], seed: int) -> None:
    x = cr.tensor(normal(*shape, seed=seed, scale=10.0))
    logs = F.log_softmax(x, axis=0)
    assert_close(logs.exp().numpy(), F.softmax(x, axis=0).numpy(), 1e-12)
    total = F.logsumexp(x, axis=0, keepdims=True)
    assert_close((x - total).numpy(), logs.numpy(), 1e-12)


def test_extremes_stay_finite() -> None:
    x = cr.tensor([1e4, -1e4, 0.0])
    assert F.softmax(x, 0).tolist() == [1.0, 0.0, 0.0]
    assert F.log_softmax(x, 0).tolist() == [0.0, -2e4, -1e4]
    assert F.logsumexp(x, 0).item() == 1e4
    assert F.softplus(x).tolist() == [1e4, 0.0, pytest.approx(math.log(2.0))]
    assert F.sigmoid(x).tolist() == [1.0, 0.0, 0.5]
    with np.errstate(divide="ignore"):
        assert F.logsumexp(cr.tensor([-np.inf, -np.inf]), 0).item() == -np.inf


@pytest.mark.parametrize("fn", [F.softmax, F.log_softmax, F.logsumexp])
def test_an_axis_has_to_be_named_and_to_exist(fn: Callable[..., Any]) -> None:
    x = cr.tensor([[1.0, 2.0]])
    assert fn(x, dim=1).tolist() == fn(x, axis=-1).tolist()
    with pytest.raises(SettingError, match="along which axis"):
        fn(x)
    with pytest.raises(ShapeError) as wrong:
        fn(x, 2)
    assert wrong.value.expected == "an axis from -2 to 1"
    with pytest.raises(ShapeError):
        fn(cr.tensor(1.0), 0)


# -- losses on numbers

DISTANCES = [F.mse_loss, F.l1_loss, F.huber_loss, F.smooth_l1_loss]
BINARY = [F.binary_cross_entropy, F.binary_cross_entropy_with_logits]


@pytest.mark.parametrize("loss", [*DISTANCES, *BINARY])
@pytest.mark.parametrize(("one", "other"), [((3, 1), (3,)), ((3,), ()), ((3, 2), (1, 2))])
def test_a_target_is_never_broadcast(
    loss: Callable[..., Any], one: tuple[int, ...], other: tuple[int, ...]
) -> None:
    for left, right in ((one, other), (other, one)):
        with pytest.raises(ShapeError) as wrong:
            loss(cr.tensor(np.full(left, 0.5)), cr.tensor(np.full(right, 0.5)))
        text = str(wrong.value)
        assert str(Spec(left, F64)) in text
        assert str(Spec(right, F64)) in text
        assert "unsqueeze" in text
        with pytest.raises(ShapeError, match="element by element"):
            record(lambda x, y: (loss(x, y),), [Spec(left, F64), Spec(right, F64)])


@pytest.mark.parametrize("loss", [*DISTANCES, *BINARY])
def test_reductions_belong_together(loss: Callable[..., Any]) -> None:
    x, y = (cr.tensor(np.random.default_rng(i).random((3, 4))) for i in (0, 1))
    each = loss(x, y, reduction="none").numpy()
    assert each.shape == (3, 4)
    assert loss(x, y, reduction="sum").item() == pytest.approx(each.sum(), rel=1e-14)
    assert loss(x, y).item() == pytest.approx(each.mean(), rel=1e-14)
    with pytest.raises(SettingError, match="did you mean 'mean'"):
        loss(x, y, reduction="means")


def test_mse_is_four_instructions() -> None:
    program = written(lambda: (F.mse_loss(cr.tensor([1.0, 2.0]), cr.tensor([0.0, 0.0])),))
    assert [made.op.name for made in program.instructions] == ["sub", "square", "sum", "mul"]


def test_huber_is_squared_near_and_straight_far_out() -> None:
    d = cr.tensor(np.array([0.0, 0.5, -2.0, 5.0, -np.inf]), requires_grad=True)
    zero = cr.tensor(np.zeros(5))
    loss = F.huber_loss(d, zero, reduction="none", delta=2.0)
    assert loss.tolist() == [0.0, 0.125, 2.0, 8.0, np.inf]
    loss.sum().backward()
    assert d.grad.tolist() == [0.0, 0.5, -2.0, 2.0, -2.0]
    small = F.smooth_l1_loss(d, zero, reduction="none", beta=2.0)
    assert small.tolist() == [0.0, 0.0625, 1.0, 4.0, np.inf]
    with pytest.raises(SettingError, match="positive delta"):
        F.huber_loss(d, zero, delta=0.0)
    with pytest.raises(SettingError, match="at least 0"):
        F.smooth_l1_loss(d, zero, beta=-1.0)


# -- losses on classes


@ANY
@given(
    rows=st.lists(st.integers(1, 4), min_size=0, max_size=2),
    classes=st.integers(1, 5),
    smoothing=st.sampled_from([0.0, 0.2]),
    reduction=st.sampled_from(["none", "mean", "sum"]),
    seed=SEEDS,
)
def test_indices_and_their_one_hot_form_cost_the_same(
    rows: list[int], classes: int, smoothing: float, reduction: str, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    shape = (*rows[:1], classes, *rows[1:])
    target = rng.integers(0, classes, rows)
    hot = np.moveaxis(np.eye(classes)[target], -1, 1 if rows else 0)
    x = cr.tensor(rng.standard_normal(shape) * 3)
    options = {"reduction": reduction, "label_smoothing": smoothing}
    by_index = F.cross_entropy(x, cr.tensor(np.asarray(target)), **options)
    by_share = F.cross_entropy(x, cr.tensor(hot), **options)
    assert_close(by_index.numpy(), by_share.numpy(), 1e-12)
    assert_close(
        F.cross_entropy(x, cr.tensor(hot.astype("int64")), **options).numpy(),
        by_share.numpy(),
        1e-12,
    )


@ANY
@given(seed=SEEDS, weighted=st.booleans(), smoothing=st.sampled_from([0.0, 0.3]))
def test_an_ignored_row_might_as_well_not_be_there(
    seed: int, weighted: bool, smoothing: float
) -> None:
    rng = np.random.default_rng(seed)
    x, target = rng.standard_normal((6, 3)), rng.integers(0, 3, 6)
    left_out = rng.random(6) < 0.4
    left_out[0] = False
    weight = cr.tensor(rng.random(3) + 0.1) if weighted else None
    marked = cr.tensor(np.where(left_out, -100, target))
    whole = F.cross_entropy(cr.tensor(x), marked, weight, label_smoothing=smoothing)
    kept = cr.tensor(x[~left_out]), cr.tensor(target[~left_out])
    part = F.cross_entropy(*kept, weight, label_smoothing=smoothing)
    assert whole.item() == pytest.approx(part.item(), rel=1e-12)


def test_a_weight_counts_as_repetition_does() -> None:
    x, target = normal(3, 2), np.array([0, 1, 0])
    weighted = F.cross_entropy(cr.tensor(x), cr.tensor(target), cr.tensor([1.0, 2.0]))
    twice = F.cross_entropy(cr.tensor(x[[0, 1, 1, 2]]), cr.tensor(target[[0, 1, 1, 2]]))
    assert weighted.item() == pytest.approx(twice.item(), rel=1e-12)


@pytest.mark.parametrize("wrong_class", [3, -1, 2**40])
@pytest.mark.parametrize("loss", [F.cross_entropy, F.nll_loss])
def test_a_class_out_of_range(loss: Callable[..., Any], wrong_class: int) -> None:
    x, target = normal(2, 3), np.array([0, wrong_class])
    with pytest.raises(IndexRangeError) as wrong:
        loss(cr.tensor(x), cr.tensor(target))
    assert wrong.value.expected == "0 to 2, for 3 classes"
    assert wrong.value.got == f"{wrong_class} (1 of 2 are out of range)"
    program, _ = record(
        lambda x, y: (loss(x, y, reduction="none"),), [Spec((2, 3), F64), Spec((2,), I64)]
    )
    assert interpret(program, [x, target])[0][1] == 0.0


@pytest.mark.parametrize(
    ("target", "text"),
    [
        (np.zeros((4, 1), "int64"), "target.squeeze(1)"),
        (np.zeros(4), "cast the target with .long()"),
        (np.zeros(5, "int64"), "the target does not fit the scores"),
        (np.zeros((4, 2)), "the target does not fit the scores"),
    ],
)
def test_a_target_that_does_not_fit(target: Any, text: str) -> None:
    with pytest.raises(ShapeError) as wrong:
        F.cross_entropy(cr.tensor(np.zeros((4, 3))), cr.tensor(target))
    assert text in str(wrong.value)
    assert "f64[4,3]" in str(wrong.value)
    assert str(Spec(target.shape, target.dtype)) in str(wrong.value)


def test_other_refusals_of_the_losses() -> None:
    x, target = cr.tensor(np.zeros((2, 3))), cr.tensor([0, 1])
    with pytest.raises(ShapeError, match="a weight per class"):
        F.cross_entropy(x, target, cr.tensor([1.0]))  # would broadcast
    with pytest.raises(SettingError, match="label_smoothing"):
        F.cross_entropy(x, target, label_smoothing=1.5)
    with pytest.raises(SettingError, match="no such reduction"):
        F.nll_loss(x, target, reduction="avg")
    with pytest.raises(ShapeError, match="a score per class"):
        F.nll_loss(cr.tensor(1.0), cr.tensor(0))
    with pytest.raises(SettingError, match="takes probabilities"):
        F.binary_cross_entropy(cr.tensor([1.5]), cr.tensor([1.0]))
    with pytest.raises(ShapeError, match="does not broadcast"):
        F.binary_cross_entropy_with_logits(
            cr.tensor([1.5]), cr.tensor([1.0]), cr.tensor([1.0, 2.0])
        )


@ANY
@given(seed=SEEDS)
def test_scores_and_probabilities_cost_the_same(seed: int) -> None:
    x, y = normal(5, seed=seed), np.random.default_rng(seed).random(5)
    from_scores = F.binary_cross_entropy_with_logits(cr.tensor(x), cr.tensor(y))
    from_probabilities = F.binary_cross_entropy(F.sigmoid(cr.tensor(x)), cr.tensor(y))
    assert from_scores.item() == pytest.approx(from_probabilities.item(), rel=1e-12)


# -- layers as functions


def test_linear_of_two_axes_is_a_product_and_a_sum() -> None:
    specs = [Spec((5, 3), F64), Spec((2, 3), F64), Spec((2,), F64)]
    program, _ = record(lambda x, w, b: (F.linear(x, w, b),), specs)
    assert [made.op.name for made in program.instructions] == ["contract", "broadcast_to", "add"]


def test_one_hot() -> None:
    assert F.one_hot(cr.tensor([1, 0])).tolist() == [[0, 1], [1, 0]]
    with pytest.raises(IndexRangeError, match="class index"):
        F.one_hot(cr.tensor([2]), 2)
    with pytest.raises(ShapeError, match="integers"):
        F.one_hot(cr.tensor([1.0]), 2)
    with pytest.raises(SettingError, match="nothing"):
        F.one_hot(cr.tensor(np.zeros(0, "int64")))
    with pytest.raises(RecordingError):
        record(lambda i: (F.one_hot(i),), [Spec((2,), I64)])


def test_convolution_by_hand() -> None:
    x, w = normal(2, 3, 6, 5), normal(4, 3, 3, 2, seed=1)
    got = F.conv2d(cr.tensor(x), cr.tensor(w), stride=(2, 1)).numpy()
    for row in range(2):
        for column in range(4):
            window = x[:, :, 2 * row : 2 * row + 3, column : column + 2]
            expected = (window[:, None] * w[None]).sum((2, 3, 4))
            np.testing.assert_allclose(got[:, :, row, column], expected, rtol=1e-12)


@pytest.mark.parametrize("window", [1, 2, 3, 4])
def test_same_padding_keeps_the_length(window: int) -> None:
    x, w = cr.tensor(normal(2, 3, 7)), cr.tensor(normal(4, 3, window))
    assert F.conv1d(x, w, padding="same", dilation=2).shape == (2, 4, 7)
    with pytest.raises(SettingError, match="'same' with stride 1"):
        F.conv1d(x, w, padding="same", stride=2)


def test_convolutions_that_do_not_fit() -> None:
    x, w = cr.tensor(normal(2, 3, 7)), cr.tensor(normal(4, 3, 2))
    with pytest.raises(ShapeError, match="2 spatial axes"):
        F.conv2d(x, w)
    with pytest.raises(ShapeError, match="channels"):
        F.conv1d(x, w, groups=2)
    with pytest.raises(SettingError, match="one per axis"):
        F.conv1d(x, w, stride=(1, 2))


def test_attention_that_looks_back_only() -> None:
    q, k, v = (cr.tensor(normal(2, 4, 3, seed=i)) for i in range(3))
    causal = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    triangle = cr.tensor(np.tril(np.ones((4, 4), bool)))
    assert_close(causal.numpy(), F.scaled_dot_product_attention(q, k, v, triangle).numpy(), 1e-13)
    np.testing.assert_allclose(causal.numpy()[:, 0], v.numpy()[:, 0])
    with pytest.raises(SettingError, match="not both"):
        F.scaled_dot_product_attention(q, k, v, triangle, is_causal=True)
    with pytest.raises(ShapeError, match="one width"):
        F.scaled_dot_product_attention(q, cr.tensor(normal(2, 4, 2)), v)


def test_a_query_that_may_look_nowhere_gives_zero_and_no_nan() -> None:
    q, k, v = (cr.Cell(normal(2, 3, seed=i), "qkv"[i], True) for i in range(3))
    mask = cr.tensor(np.array([[True, True], [False, False]]))
    out = F.scaled_dot_product_attention(q, k, v, mask)
    assert out.numpy()[1].tolist() == [0.0, 0.0, 0.0]
    out.sum().backward()
    assert q.grad.numpy()[1].tolist() == [0.0, 0.0, 0.0]
    assert all(np.isfinite(cell.grad.numpy()).all() for cell in (q, k, v))


def test_attention_drops_weights() -> None:
    q, k, v = (cr.tensor(normal(8, 4, seed=i)) for i in range(3))
    cr.manual_seed(0)
    dropped = F.scaled_dot_product_attention(q, k, v, dropout_p=0.5).numpy()
    cr.manual_seed(0)
    assert (F.scaled_dot_product_attention(q, k, v, dropout_p=0.5).numpy() == dropped).all()
    assert (F.scaled_dot_product_attention(q, k, v).numpy() != dropped).any()


# -- scan


def unrolled(step: Callable[..., Any], carry: Any, xs: Any, reverse: bool) -> tuple[Any, Any]:
    found = []
    for x in list(xs)[:: -1 if reverse else 1]:
        carry, y = step(carry, x)
        found.append(y.numpy())
    return carry, np.stack(found[:: -1 if reverse else 1])


@pytest.mark.parametrize("reverse", [False, True])
def test_scan_is_the_loop_written_out(reverse: bool) -> None:
    w = cr.tensor(normal(3, 3))

    def step(carry: Any, x: Any) -> Any:
        h, count = carry
        h = F.tanh(F.linear(h, w) + x)
        return (h, count + 1), h * 2.0

    init = cr.tensor(normal(3)), cr.tensor(0)
    xs = cr.tensor(normal(5, 3))
    (h, count), ys = F.scan(step, init, xs, reverse=reverse)
    (h_loop, _), ys_loop = unrolled(step, init, xs, reverse)
    assert count.item() == 5
    np.testing.assert_allclose(h.numpy(), h_loop.numpy(), rtol=1e-14)
    np.testing.assert_allclose(ys.numpy(), ys_loop, rtol=1e-14)


def recurrent(h: Any, xs: Any, w: Any) -> Any:
    def step(h: Any, x: Any) -> Any:
        h = F.tanh(F.linear(h, w) + x)
        return h, h * x

    h, ys = F.scan(step, h, xs, reverse=True)
    return ys.sum(axis=0) + h


@pytest.mark.parametrize("order", [1, 2])
def test_gradients_of_a_scan(order: int) -> None:
    arrays = [normal(2, 3), normal(4, 2, 3, seed=1), normal(3, 3, seed=2)]
    cr.gradient_check(recurrent, arrays, order=order, tolerance=1e-5)
    eager = run(recurrent, arrays, order=order)
    assert_same(run(recurrent, arrays, order=order, recorded=True), eager, 1e-12)


def test_trees_of_a_scan() -> None:
    def step(carry: Any, x: Any) -> Any:
        (a, (b, nothing)), (x, y) = carry, x
        assert nothing is None
        return (a + x, (b * y, None)), ((a, None), b)

    xs = cr.tensor([1.0, 2.0]), cr.tensor([3.0, 4.0])
    carry, ys = F.scan(step, (cr.tensor(0.0), (cr.tensor(1.0), None)), xs)
    assert (carry[0].item(), carry[1][0].item(), carry[1][1]) == (3.0, 12.0, None)
    assert (ys[0][0].tolist(), ys[0][1], ys[1].tolist()) == ([0.0, 1.0], None, [1.0, 3.0])


def test_a_scan_over_nothing_but_a_length() -> None:
    doubled, nothing = F.scan(lambda c, x: (c * 2.0, x), cr.tensor(1.0), None, length=10)
    assert (doubled.item(), nothing) == (1024.0, None)
    with pytest.raises(SettingError, match="number of steps"):
        F.scan(lambda c, x: (c, x), cr.tensor(1.0), None)


def test_parameters_inside_a_scan_get_their_gradients() -> None:
    layer = cr.nn.Linear(2, 2, dtype="float64")
    xs = normal(4, 3, 2)

    def through(scanned: bool) -> list[Any]:
        layer.zero_grad()
        h = cr.tensor(np.zeros((3, 2)))
        if scanned:
            h, _ = F.scan(lambda h, x: (F.tanh(layer(h) + x), None), h, cr.tensor(xs))
        else:
            for x in xs:
                h = F.tanh(layer(h) + cr.tensor(x))
        h.sum().backward()
        return [p.grad.numpy() for p in layer.parameters()]

    assert_same(through(True), through(False), 1e-12)


def test_a_scan_that_only_carries_is_recorded_and_differentiated() -> None:
    def total(start: Any, xs: Any) -> Any:
        return F.scan(lambda c, x: (c * x, None), start, xs)[0]

    arrays = [normal(3), normal(4, 3)]
    expected = run(total, arrays, order=2)
    np.testing.assert_allclose(expected[0], arrays[0] * arrays[1].prod(0))
    assert_same(run(total, arrays, order=2, recorded=True), expected, 1e-12)


def test_a_layers_setting_inside_a_scan_is_guarded() -> None:
    layer = cr.nn.LeakyReLU(0.5)
    xs = cr.tensor([-1.0, -2.0])

    @cr.compile
    def step(xs: Any) -> Any:
        return F.scan(lambda c, x: (layer(c + x), None), cr.tensor(0.0), xs)[0]

    assert step(xs).item() == -1.25
    layer.negative_slope = 0.0
    assert step(xs).item() == 0.0


def test_what_a_scan_refuses() -> None:
    start, xs = cr.tensor([1.0, 2.0]), cr.tensor([[1.0, 2.0]])
    with pytest.raises(ShapeError, match="same shapes and dtypes"):
        F.scan(lambda c, x: (c.sum(), None), start, xs)
    with pytest.raises(ShapeError) as wrong:
        F.scan(lambda c, x: ((c, c), None), start, xs)
    assert (wrong.value.expected, wrong.value.got) == ("tensor", "(tensor, tensor)")
    with pytest.raises(ShapeError, match="one length"):
        F.scan(lambda c, x: (c, None), start, (xs, cr.tensor([1.0, 2.0])))
    with pytest.raises(ShapeError, match="first axis"):
        F.scan(lambda c, x: (c, None), start, cr.tensor(1.0))
    with pytest.raises(RecordingError, match="inside the body"):
        F.scan(lambda c, x: (F.dropout(c), None), start, xs)


# -- every composite: its gradient, and recorded against eager

MASK = np.array([[True, False, True], [True, True, False]])
GRADED: dict[str, tuple[Callable[..., Any], list[Any]]] = {
    "logsumexp": (lambda x: F.logsumexp(x, (0, 2)), [normal(2, 3, 2)]),
    "conv1d": (
        lambda x, w, b: F.conv1d(x, w, b, 2, 1),
        [normal(2, 3, 7), normal(4, 3, 3), normal(4)],
    ),
    "conv2d same": (
        lambda x, w: F.conv2d(x, w, padding="same", groups=2),
        [normal(4, 5, 5), normal(2, 2, 2, 3)],
    ),
    "attention": (F.scaled_dot_product_attention, [normal(2, 4), normal(3, 4), normal(3, 2)]),
    "attention, causal": (
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True),
        [normal(2, 3, 4), normal(2, 3, 4, seed=1), normal(2, 3, 2, seed=2)],
    ),
    "attention, bool mask": (
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, cr.tensor(MASK)),
        [normal(2, 4), normal(3, 4), normal(3, 2)],
    ),
    "attention, float mask": (
        lambda q, k, v, m: F.scaled_dot_product_attention(q, k, v, m),
        [normal(2, 4), normal(3, 4), normal(3, 2), normal(2, 3)],
    ),
    "one_hot": (
        lambda x: F.one_hot(cr.tensor([0, 2]), 3) * x,
        [normal(2, 3)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GRADED)
def test_gradients_and_recording(name: str) -> None:
    fn, arrays = GRADED[name]
    cr.gradient_check(fn, arrays, order=1)
    cr.gradient_check(fn, arrays, order=2, tolerance=1e-5)
    eager = run(fn, arrays, order=2)
    assert_same(run(fn, arrays, order=2, recorded=True), eager, 1e-12)
