"""Element by element. Shapes are NumPy's to broadcast in eager and the recorder's to spell out.

A rule gives its gradient in the shape of the output; the sweep sums it back where an input was
broadcast. Gradients at ties and kinks are PyTorch's, and stated.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.core.apply import Call, define, promoted
from chainrule.core.op import Pointwise
from chainrule.errors import ShapeError
from chainrule.ops.create import full
from chainrule.ops.erf import erf as _erf
from chainrule.spec import BOOL, NUMBERS, DType, Number, Spec, promote, promote_float, spec_of

Operand = Spec | Number
Samples = Callable[[Any], list[tuple[list[Any], dict[str, Any]]]]


def _broadcast(name: str, operands: tuple[Operand, ...]) -> tuple[int, ...]:
    try:
        return np.broadcast_shapes(*(x.shape for x in operands))
    except ValueError:
        raise ShapeError(
            f"{name} needs shapes that broadcast",
            expected="equal sizes, or 1, on every axis counted from the last",
            got=" and ".join(map(str, operands)),
            hint="reshape or unsqueeze one of them",
        ) from None


def _spec(name: str, rule: Callable[..., DType]) -> Callable[..., Spec]:
    return lambda *xs: Spec(_broadcast(name, xs), rule(*xs))


def _floats(*operands: Operand) -> tuple[DType | None, ...]:
    return (promote_float(*operands),) * len(operands)


def _draw(*shapes: tuple[int, ...], low: float | None = None) -> Samples:
    """Random arrays of these shapes, then 0-d ones, then empty ones."""

    def samples(rng: Any) -> list[tuple[list[Any], dict[str, Any]]]:
        def one(shape: tuple[int, ...]) -> Any:
            if low is None:
                return rng.standard_normal(shape)
            return rng.uniform(low, low + 1.5, shape)

        return [([one(shape) for shape in each], {}) for each in (
            shapes, [()] * len(shapes), [(0, 4)] * len(shapes)
        )]  # fmt: skip

    return samples


def _unary(
    name: str, doc: str, formula: str, forward: Any, rule: Any, peer: Any, **extra: Any
) -> Any:
    """An op of one input whose output is in the input's dtype, or in float when `floats` is set."""
    floats = extra.pop("floats", False)
    rule_of_dtype = promote_float if floats else promote
    return define(
        name,
        inputs="x",
        doc=doc,
        formula=formula,
        spec=_spec(name, rule_of_dtype),
        forward=forward,
        grad=(rule,),
        lower=Pointwise(lambda e, x: getattr(e, name)(x)),
        samples=_draw((3, 4), low=extra.pop("low", None)),
        dtypes=_floats if floats else promoted,
        peer=peer,
        onnx=extra.pop("onnx", None),
        written=extra.pop("written", ""),
    )


def _binary(
    name: str, doc: str, formula: str, forward: Any, grad: Any, peer: Any, **extra: Any
) -> Any:
    """An op of two inputs that broadcast, in the dtype they promote to; gives that, or `gives`."""
    floats, gives = extra.pop("floats", False), extra.pop("gives", None)
    rule_of_dtype: Any = promote_float if floats else promote
    return define(
        name,
        inputs="x y",
        doc=doc,
        formula=formula,
        spec=_spec(name, (lambda *xs: gives) if gives is not None else rule_of_dtype),
        forward=forward,
        grad=grad,
        lower=Pointwise(lambda e, x, y: getattr(e, name)(x, y)),
        samples=_draw((3, 4), extra.pop("second", (4,)), low=extra.pop("low", None)),
        dtypes=_floats if floats else promoted,
        peer=peer,
        onnx=extra.pop("onnx", None),
        written=extra.pop("written", ""),
    )


# -- arithmetic

add: Call = _binary(
    "add", "x + y.", "dx = g, dy = g", np.add,
    (lambda g: g, lambda g: g), lambda torch, x, y: x + y, onnx="Add",
    written="x + y",
)  # fmt: skip
sub: Call = _binary(
    "sub", "x - y.", "dx = g, dy = -g", np.subtract,
    (lambda g: g, lambda g: neg(g)), lambda torch, x, y: x - y, second=(3, 1), onnx="Sub",
    written="x - y",
)  # fmt: skip
mul: Call = _binary(
    "mul", "x * y.", "dx = g y, dy = g x", np.multiply,
    (lambda g, y: mul(g, y), lambda g, x: mul(g, x)),
    lambda torch, x, y: x * y, second=(3, 1), onnx="Mul",
    written="x*y",
)  # fmt: skip
div: Call = _binary(
    "div", "x / y, in floating point also for integers.", "dx = g / y, dy = -g (x / y) / y",
    np.divide,
    (lambda g, y: div(g, y), lambda g, out, y: neg(div(mul(g, out), y))),
    lambda torch, x, y: x / y, floats=True, low=0.5, onnx="Div",
    written="x / y",
)  # fmt: skip


def _power_slope_x(g: Any, x: Any, y: Any) -> Any:
    if type(y) not in NUMBERS:
        return where(equal(y, 0.0), 0.0, mul(g, mul(y, power(x, sub(y, 1.0)))))
    if y == 0:
        return full(shape=tuple(g.shape), value=0.0, dtype=g.dtype.name)
    return mul(g, mul(power(x, y - 1), y))


def _power_slope_y(g: Any, out: Any, x: Any, y: Any) -> Any:
    if type(x) in NUMBERS and x > 0:  # log(x) as an op would be of a number, in float32
        return mul(g, mul(out, math.log(x)))
    flat = logical_and(equal(x, 0.0), greater_equal(y, 0.0))
    return where(flat, 0.0, mul(g, mul(out, log(x))))


power: Call = _binary(
    "power",
    "x to the power y. As in PyTorch, dx is 0 where y is 0, and dy is 0 where x is 0 and y >= 0.",
    "dx = g y x^(y-1), dy = g x^y log(x)",
    lambda x, y: np.power(x, y),
    (_power_slope_x, _power_slope_y),
    lambda torch, x, y: torch.pow(x, y), low=0.5, onnx="Pow",
    written="x^y",
)  # fmt: skip
neg: Call = _unary(
    "neg",
    "-x.",
    "dx = -g",
    np.negative,
    lambda g: neg(g),
    lambda torch, x: -x,
    onnx="Neg",
    written="-x",
)
absolute: Call = _unary(
    "absolute", "|x|; its slope at 0 is 0.", "dx = g sign(x)", np.absolute,
    lambda g, x: mul(g, sign(x)), lambda torch, x: torch.abs(x), onnx="Abs",
)  # fmt: skip
sign: Call = _unary(
    "sign", "-1, 0 or 1; flat wherever it has a slope.", "dx = 0", np.sign,
    None, lambda torch, x: torch.sign(x), onnx="Sign",
)  # fmt: skip
floor: Call = _unary(
    "floor", "The largest integer not above x; flat wherever it has a slope.", "dx = 0", np.floor,
    None, lambda torch, x: torch.floor(x), onnx="Floor",
)  # fmt: skip
square: Call = _unary(
    "square", "x * x.", "dx = 2 g x", lambda x: np.multiply(x, x),  # np.square(bool) is int8
    lambda g, x: mul(g, mul(x, 2.0)), lambda torch, x: torch.square(x),
    onnx=lambda to, x: to("Mul", x, x),
    written="x^2",
)  # fmt: skip
sqrt: Call = _unary(
    "sqrt", "Square root; nan below 0, infinite slope at 0.", "dx = g / (2 sqrt(x))", np.sqrt,
    lambda g, out: div(g, mul(out, 2.0)), lambda torch, x: torch.sqrt(x),
    floats=True, low=0.5, onnx="Sqrt",
)  # fmt: skip

# -- exponentials and their kin

exp: Call = _unary(
    "exp", "e to the power x.", "dx = g exp(x)", np.exp,
    lambda g, out: mul(g, out), lambda torch, x: torch.exp(x), floats=True, onnx="Exp",
)  # fmt: skip
log: Call = _unary(
    "log", "Natural logarithm; -inf at 0, nan below.", "dx = g / x", np.log,
    lambda g, x: div(g, x), lambda torch, x: torch.log(x), floats=True, low=0.5, onnx="Log",
)  # fmt: skip
log1p: Call = _unary(
    "log1p", "log(1 + x), exact for small x.", "dx = g / (1 + x)", np.log1p,
    lambda g, x: div(g, add(x, 1.0)), lambda torch, x: torch.log1p(x), floats=True, low=-0.5,
    onnx=lambda to, x: to("Log", to("Add", x, to.like(x, 1.0))),
)  # fmt: skip
expm1: Call = _unary(
    "expm1", "exp(x) - 1, exact for small x.", "dx = g exp(x)", np.expm1,
    lambda g, out: mul(g, add(out, 1.0)), lambda torch, x: torch.expm1(x), floats=True,
    onnx=lambda to, x: to("Sub", to("Exp", x), to.like(x, 1.0)),
)  # fmt: skip
tanh: Call = _unary(
    "tanh", "Hyperbolic tangent.", "dx = g (1 - tanh(x)^2)", np.tanh,
    lambda g, out: mul(g, sub(1.0, square(out))), lambda torch, x: torch.tanh(x),
    floats=True, onnx="Tanh",
)  # fmt: skip
sin: Call = _unary(
    "sin", "Sine of x in radians.", "dx = g cos(x)", np.sin,
    lambda g, x: mul(g, cos(x)), lambda torch, x: torch.sin(x), floats=True, onnx="Sin",
)  # fmt: skip
cos: Call = _unary(
    "cos", "Cosine of x in radians.", "dx = -g sin(x)", np.cos,
    lambda g, x: neg(mul(g, sin(x))), lambda torch, x: torch.cos(x), floats=True, onnx="Cos",
)  # fmt: skip
erf: Call = _unary(
    "erf", "The error function.", "dx = g 2/sqrt(pi) exp(-x^2)", _erf,
    lambda g, x: mul(g, mul(exp(neg(square(x))), 1.1283791670955126)),
    lambda torch, x: torch.erf(x), floats=True, onnx="Erf",
)  # fmt: skip


def _sigmoid(x: Any) -> Any:
    small = np.exp(-np.abs(x))  # never overflows
    return np.where(x >= 0, 1 / (1 + small), small / (1 + small))


sigmoid: Call = _unary(
    "sigmoid", "1 / (1 + exp(-x)), without overflow.", "dx = g s (1 - s), s = sigmoid(x)", _sigmoid,
    lambda g, out: mul(g, mul(out, sub(1.0, out))), lambda torch, x: torch.sigmoid(x),
    floats=True, onnx="Sigmoid",
)  # fmt: skip
logaddexp: Call = _binary(
    "logaddexp", "log(exp(x) + exp(y)), without overflow; softplus is logaddexp(x, 0).",
    "dx = g sigmoid(x - y), dy = g sigmoid(y - x)", np.logaddexp,
    (lambda g, x, y: mul(g, sigmoid(sub(x, y))), lambda g, x, y: mul(g, sigmoid(sub(y, x)))),
    lambda torch, x, y: torch.logaddexp(x, y), floats=True,
    onnx=lambda to, x, y: to("Add", to("Max", x, y), to("Softplus", to(
        "Neg", to("Abs", to("Sub", x, y))))),
)  # fmt: skip

# -- choices

relu: Call = _unary(
    "relu", "x where x is above 0, else 0; its slope at 0 is 0.", "dx = g where x > 0, else 0",
    lambda x: np.maximum(x, 0),
    lambda g, out: where(less_equal(out, 0.0), 0.0, g), lambda torch, x: torch.relu(x), onnx="Relu",
    written="max(0, x)",
)  # fmt: skip
maximum: Call = _binary(
    "maximum",
    "The larger of x and y; at a tie each gets half of the gradient, beside nan each all of it.",
    "dx = g where x > y, g/2 where x = y", np.maximum,
    (
        lambda g, x, y: where(equal(x, y), mul(g, 0.5), where(less(x, y), 0.0, g)),
        lambda g, x, y: where(equal(x, y), mul(g, 0.5), where(less(y, x), 0.0, g)),
    ),
    lambda torch, x, y: torch.maximum(x, y), onnx="Max",
)  # fmt: skip
minimum: Call = _binary(
    "minimum",
    "The smaller of x and y; at a tie each gets half of the gradient, beside nan each all of it.",
    "dx = g where x < y, g/2 where x = y", np.minimum,
    (
        lambda g, x, y: where(equal(x, y), mul(g, 0.5), where(greater(x, y), 0.0, g)),
        lambda g, x, y: where(equal(x, y), mul(g, 0.5), where(greater(y, x), 0.0, g)),
    ),
    lambda torch, x, y: torch.minimum(x, y), onnx="Min",
)  # fmt: skip


def _in_one_dtype(ufunc: Any) -> Callable[[Any, Any], Any]:
    """A comparison in the dtype that both promote to: NumPy compares i64 with f32 as f64."""

    def forward(x: Any, y: Any) -> Any:
        # A number is compared in the array's dtype, but for a float with an integer array.
        if type(y) in NUMBERS:
            alike = type(y) is not float or type(x) in NUMBERS or x.dtype.kind == "f"
        elif type(x) in NUMBERS:
            alike = type(x) is not float or y.dtype.kind == "f"
        else:
            alike = x.dtype is y.dtype
        if alike:
            return ufunc(x, y)
        dtype = promote(spec_of(x), spec_of(y))
        return ufunc(np.asarray(x, dtype), np.asarray(y, dtype))

    return forward


def _comparison(name: str, doc: str, forward: Any, symbol: str, **extra: Any) -> Any:
    return _binary(
        name, f"{doc}, as bool.", "none: a step has no slope", _in_one_dtype(forward), (None, None),
        lambda torch, x, y: getattr(torch, symbol)(x, y), gives=BOOL, written=doc, **extra,
    )  # fmt: skip


greater: Call = _comparison("greater", "x > y", np.greater, "gt", onnx="Greater")
greater_equal: Call = _comparison(
    "greater_equal", "x >= y", np.greater_equal, "ge", onnx="GreaterOrEqual"
)
less: Call = _comparison("less", "x < y", np.less, "lt", onnx="Less")
less_equal: Call = _comparison("less_equal", "x <= y", np.less_equal, "le", onnx="LessOrEqual")
equal: Call = _comparison("equal", "x == y", np.equal, "eq", onnx="Equal")
not_equal: Call = _comparison(
    "not_equal", "x != y", np.not_equal, "ne", onnx=lambda to, x, y: to("Not", to("Equal", x, y))
)


def _bools(name: str, arity: int) -> dict[str, Any]:
    """What the logical ops share: bool in, bool out."""

    def samples(rng: Any) -> list[tuple[list[Any], dict[str, Any]]]:
        return [([rng.random(s) > 0.5 for _ in range(arity)], {}) for s in [(3, 4), (), (0, 4)]]

    return {
        "formula": "none: a step has no slope",
        "spec": _spec(name, lambda *xs: BOOL),
        "grad": (None,) * arity,
        "samples": samples,
        "dtypes": lambda *xs: (BOOL,) * arity,
    }


logical_and: Call = define(
    "logical_and", inputs="x y", doc="Whether both are true.", forward=np.logical_and,
    lower=Pointwise(lambda e, x, y: e.logical_and(x, y)), onnx="And",
    peer=lambda torch, x, y: torch.logical_and(x, y), **_bools("logical_and", 2),
)  # fmt: skip
logical_or: Call = define(
    "logical_or", inputs="x y", doc="Whether either is true.", forward=np.logical_or,
    lower=Pointwise(lambda e, x, y: e.logical_or(x, y)), onnx="Or",
    peer=lambda torch, x, y: torch.logical_or(x, y), **_bools("logical_or", 2),
)  # fmt: skip
logical_not: Call = define(
    "logical_not", inputs="x", doc="Whether x is false.", forward=np.logical_not,
    lower=Pointwise(lambda e, x: e.logical_not(x)), onnx="Not",
    peer=lambda torch, x: torch.logical_not(x), **_bools("logical_not", 1),
)  # fmt: skip
isfinite: Call = define(
    "isfinite", inputs="x", doc="Whether x is neither nan nor infinite.", forward=np.isfinite,
    formula="none: a step has no slope", spec=_spec("isfinite", lambda x: BOOL), grad=(None,),
    lower=Pointwise(lambda e, x: e.isfinite(x)), samples=_draw((3, 4)),
    peer=lambda torch, x: torch.isfinite(x),
    onnx=lambda to, x: to("Not", to("Or", to("IsInf", x), to("IsNaN", x))),
)  # fmt: skip
where: Call = define(
    "where",
    inputs="c x y",
    doc="x where the condition c is true, else y.",
    formula="dx = g where c, else 0; dy = 0 where c, else g",
    spec=lambda c, x, y: Spec(_broadcast("where", (c, x, y)), promote(x, y)),
    forward=np.where,
    grad=(None, lambda g, c: where(c, g, 0.0), lambda g, c: where(c, 0.0, g)),
    lower=Pointwise(lambda e, c, x, y: e.where(c, x, y)),
    samples=lambda rng: [
        ([rng.random(s) > 0.5, rng.standard_normal(s), rng.standard_normal(s[1:])], {})
        for s in [(3, 4), (), (0, 4)]
    ],
    dtypes=lambda c, x, y: (None, promote(x, y), promote(x, y)),
    peer=lambda torch, c, x, y: torch.where(c, x, y),
    onnx="Where",
    written="x if c else y",
)
detach: Call = define(
    "detach",
    inputs="x",
    doc="x; no gradient flows back through it. Written down only inside the body of a scan.",
    formula="none: that is what it is for",
    spec=lambda x: x,
    forward=lambda x: x,
    grad=(None,),
    lower=Pointwise(lambda e, x: x),
    samples=_draw((3, 4)),
    peer=lambda torch, x: x.detach(),
    onnx="Identity",
    written="x",
)
cast: Call = define(
    "cast",
    inputs="x",
    doc="The same numbers in another dtype; towards integers the fraction is cut off.",
    formula="dx = g in x's dtype",
    spec=lambda x, dtype: Spec(x.shape, np.dtype(dtype)),
    forward=lambda x, dtype: np.asarray(x).astype(dtype),
    grad=(
        lambda g, x, dtype: (
            cast(g, dtype=x.dtype.name)
            if x.dtype.kind == "f" and np.dtype(dtype).kind == "f"
            else None
        ),
    ),
    lower=Pointwise(lambda e, x, dtype: e.cast(x, dtype)),
    samples=lambda rng: [
        ([rng.standard_normal(s) * 4], {"dtype": dtype})
        for s in [(3, 4), (), (0, 4)]
        for dtype in ("float64", "int64")
    ],
    peer=lambda torch, x, dtype: x.to(getattr(torch, dtype)),
    onnx=lambda to, x, dtype: to("Cast", x, to=to.kind(dtype)),
    written="x",
)

__all__ = [
    "absolute", "add", "cast", "cos", "detach", "div", "equal", "erf", "exp", "expm1", "floor",
    "greater", "greater_equal", "isfinite", "less", "less_equal", "log", "log1p", "logaddexp",
    "logical_and", "logical_not", "logical_or", "maximum", "minimum", "mul", "neg", "not_equal",
    "power", "relu", "sigmoid", "sign", "sin", "sqrt", "square", "sub", "tanh", "where",
]  # fmt: skip
