"""ONNX's operators over tensors: a function of the attributes and the inputs for each.

Inputs that are not given are None. Sizes, axes and the like must be known when the graph is run or
recorded: they are arrays, or tensors that are not recorded.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import numpy as np

import chainrule.public as cr
from chainrule import functional as F
from chainrule.core.op import CALLS
from chainrule.data.sources.reading import installed
from chainrule.errors import ShapeError
from chainrule.tensors import Tensor, as_tensor

Attributes = Mapping[str, Any]
Operator = Callable[..., Any]


def whole(value: Any) -> tuple[int, ...]:
    """The integers that a value holds."""
    held = value.numpy() if isinstance(value, Tensor) else np.asarray(value)
    return tuple(int(number) for number in held.ravel())


def _same(name: str) -> Operator:
    """The op of this name, of the same inputs."""
    return lambda a, *xs: CALLS[name](*xs)


def _folded(name: str) -> Operator:
    """An op of two inputs over any number of them."""
    return lambda a, *xs: reduce(CALLS[name], xs)


def _axes(a: Attributes, axes: Any, ndim: int) -> tuple[int, ...] | None:
    """The axes of a reduction, an attribute or an input; None: nothing is reduced."""
    given = a.get("axes") if axes is None else whole(axes)
    if not given:
        return None if a.get("noop_with_empty_axes") else tuple(range(ndim))
    return tuple(axis % ndim for axis in given)


def _reduction(fold: Callable[..., Any], plain: Callable[[Any], Any] = lambda x: x) -> Operator:
    """A fold over axes, which stay as 1 if asked; `plain` is it where there is no axis."""

    def reduced(a: Attributes, x: Any, axes: Any = None) -> Any:
        found = _axes(a, axes, x.ndim)
        if found is None:
            return plain(x)
        return fold(x, axis=found, keepdims=bool(a.get("keepdims", 1)))

    return reduced


def _positions(name: str) -> Operator:
    def found(a: Attributes, x: Any) -> Any:
        axis = a.get("axis", 0) % x.ndim
        last = a.get("select_last_index", 0)
        looked = CALLS["flip"](x, axes=(axis,)) if last else x
        at = CALLS["argmax"](looked if name == "max" else CALLS["neg"](looked), axis=axis)
        at = x.shape[axis] - 1 - at if last else at
        return cr.unsqueeze(at, axis) if a.get("keepdims", 1) else at

    return found


def _reshape(a: Attributes, x: Any, shape: Any) -> Any:
    sizes = list(whole(shape))
    if not a.get("allowzero"):
        sizes = [x.shape[place] if size == 0 else size for place, size in enumerate(sizes)]
    return x.reshape(*sizes) if sizes else x.reshape(())


def _squeeze(a: Attributes, x: Any, axes: Any = None) -> Any:
    given = a.get("axes") if axes is None else whole(axes)
    gone = {axis % x.ndim for axis in given} if given else {
        axis for axis, size in enumerate(x.shape) if size == 1
    }  # fmt: skip
    return x.reshape(tuple(size for axis, size in enumerate(x.shape) if axis not in gone))


def _unsqueeze(a: Attributes, x: Any, axes: Any = None) -> Any:
    given = a["axes"] if axes is None else whole(axes)
    ndim = x.ndim + len(given)
    new, sizes = {axis % ndim for axis in given}, iter(x.shape)
    return x.reshape(tuple(1 if axis in new else next(sizes) for axis in range(ndim)))


def _flatten(a: Attributes, x: Any) -> Any:
    axis = a.get("axis", 1)
    axis = axis + x.ndim if axis < 0 else axis
    return x.reshape((math.prod(x.shape[:axis]), math.prod(x.shape[axis:])))


def _slice(a: Attributes, x: Any, *given: Any) -> Any:
    known = [_or_none(value) for value in given]
    starts, ends, axes, steps = [*known, None, None, None, None][:4]
    starts, ends = starts or tuple(a["starts"]), ends or tuple(a["ends"])
    axes = axes or tuple(a.get("axes") or range(len(starts)))
    cut = [slice(None)] * x.ndim
    for axis, start, end, step in zip(axes, starts, ends, steps or (1,) * len(axes), strict=True):
        size = x.shape[axis]
        begin, stop, stride = slice(start, end, step).indices(size)
        if stride < 0:  # turned round, the same places come in rising order
            x = CALLS["flip"](x, axes=(axis % x.ndim,))
            begin, stop, stride = size - 1 - begin, size - 1 - stop, -stride
        cut[axis] = slice(begin, max(begin, stop), stride)
    return as_tensor(x)[tuple(cut)]


def _or_none(value: Any) -> Any:
    return None if value is None else whole(value)


def _pad(a: Attributes, x: Any, pads: Any, value: Any = None, axes: Any = None) -> Any:
    if a.get("mode", "constant") not in ("constant", b"constant"):
        raise ShapeError("a graph pads with a constant only", got=a["mode"])
    sizes, along = whole(pads), whole(axes) if axes is not None else tuple(range(x.ndim))
    low, high = [0] * x.ndim, [0] * x.ndim
    for place, axis in enumerate(along):
        low[axis], high[axis] = sizes[place], sizes[place + len(along)]
    fill = 0.0 if value is None else float(as_tensor(value).item())
    settings = {"low": tuple(low), "high": tuple(high), "interior": (0,) * x.ndim}
    return CALLS["pad"](x, **settings, **({"value": fill} if fill else {}))


def _gather(a: Attributes, x: Any, index: Any) -> Any:
    axis = a.get("axis", 0) % x.ndim
    index = as_tensor(index)
    index = cr.where(index < 0, index + x.shape[axis], index)
    first = x.permute(axis, *(other for other in range(x.ndim) if other != axis))
    taken = CALLS["take"](first, index)
    order = [*range(index.ndim, index.ndim + axis), *range(index.ndim)]
    return taken.permute(*order, *range(index.ndim + axis, taken.ndim))


def _gemm(a: Attributes, x: Any, y: Any, c: Any = None) -> Any:
    x = x.permute(1, 0) if a.get("transA") else x
    y = y.permute(1, 0) if a.get("transB") else y
    product = x @ y * a.get("alpha", 1.0)
    return product if c is None else product + c * a.get("beta", 1.0)


def _clip(a: Attributes, x: Any, low: Any = None, high: Any = None) -> Any:
    low, high = a.get("min", low), a.get("max", high)
    x = x if low is None else CALLS["maximum"](x, low)
    return x if high is None else CALLS["minimum"](x, high)


def _softmax(log: bool) -> Operator:
    made = F.log_softmax if log else F.softmax
    return lambda a, x: made(x, axis=a.get("axis", -1))


def _einsum(a: Attributes, *xs: Any) -> Any:
    dims = a["equation"].replace(" ", "")
    if len(xs) != 2 or "..." in dims or "->" not in dims:
        raise ShapeError("a graph's einsum is of two inputs, with its output named", got=dims)
    return CALLS["contract"](*xs, dims=dims)


def _spatial(a: Attributes, window: tuple[int, ...], space: tuple[int, ...]) -> Any:
    """Stride, dilation, padding before and after, of windows over space."""
    count = len(window)
    stride = tuple(a.get("strides") or (1,) * count)
    dilation = tuple(a.get("dilations") or (1,) * count)
    pads = tuple(a.get("pads") or (0,) * 2 * count)
    auto = a.get("auto_pad", "NOTSET")
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        spans = [d * (w - 1) + 1 for w, d in zip(window, dilation, strict=True)]
        wanted = [max(0, (-(-n // s) - 1) * s + w - n)
                  for n, s, w in zip(space, stride, spans, strict=True)]  # fmt: skip
        less, more = [n // 2 for n in wanted], [n - n // 2 for n in wanted]
        pads = (*less, *more) if auto == "SAME_UPPER" else (*more, *less)
    return stride, dilation, pads[:count], pads[count:]


def _conv(a: Attributes, x: Any, w: Any, b: Any = None) -> Any:
    stride, dilation, low, high = _spatial(a, w.shape[2:], x.shape[2:])
    if low != high:
        around = {"low": (0, 0, *low), "high": (0, 0, *high), "interior": (0,) * x.ndim}
        x, low = CALLS["pad"](x, **around), (0,) * len(low)
    made = CALLS["convolve"](
        x, w, stride=stride, padding=low, dilation=dilation, groups=a.get("group", 1)
    )
    return made if b is None else made + b.reshape((-1, *(1,) * len(low)))


def _max_pool(a: Attributes, x: Any) -> Any:
    if a.get("ceil_mode") or a.get("storage_order"):
        raise ShapeError("a graph's pooling rounds down, in rows", got=dict(a))
    window = tuple(a["kernel_shape"])
    stride, dilation, low, high = _spatial(a, window, x.shape[2:])
    places = {"window": window, "stride": stride, "low": low, "high": high, "dilation": dilation}
    return CALLS["max_pool"](x, **places)


def _batch_norm(a: Attributes, x: Any, scale: Any, bias: Any, mean: Any, variance: Any) -> Any:
    if a.get("training_mode"):
        raise ShapeError("a graph's batch norm uses the statistics that it holds")
    shape = (-1, *(1,) * (x.ndim - 2))
    slope = scale / cr.sqrt(variance + a.get("epsilon", 1e-5))
    return (x - mean.reshape(shape)) * slope.reshape(shape) + bias.reshape(shape)


def _layer_norm(a: Attributes, x: Any, scale: Any, bias: Any = None) -> Any:
    axes = tuple(range(a.get("axis", -1) % x.ndim, x.ndim))
    centred = x - x.mean(axis=axes, keepdims=True)
    variance = cr.square(centred).mean(axis=axes, keepdims=True)
    narrow = 1.0 / cr.sqrt(variance + a.get("epsilon", 1e-5))
    made = centred * narrow * scale
    return (made if bias is None else made + bias), x.mean(axis=axes, keepdims=True), narrow


def _cast(a: Attributes, x: Any) -> Any:
    with installed("onnx", "a graph of ONNX"):
        from onnx.helper import tensor_dtype_to_np_dtype
    return CALLS["cast"](x, dtype=tensor_dtype_to_np_dtype(a["to"]).name)


def _whole_mean(x: Any) -> Any:
    return x.mean(axis=tuple(range(2, x.ndim)), keepdims=True)


def _root_of_squares(x: Any, **kept: Any) -> Any:
    return cr.sqrt(cr.sum(cr.square(x), **kept))


OPERATORS: dict[str, Operator] = {
    "Add": _same("add"),
    "Sub": _same("sub"),
    "Mul": _same("mul"),
    "Neg": _same("neg"),
    "Abs": _same("absolute"),
    "Sign": _same("sign"),
    "Floor": _same("floor"),
    "Sqrt": _same("sqrt"),
    "Exp": _same("exp"),
    "Log": _same("log"),
    "Tanh": _same("tanh"),
    "Sin": _same("sin"),
    "Cos": _same("cos"),
    "Erf": _same("erf"),
    "Sigmoid": _same("sigmoid"),
    "Relu": _same("relu"),
    "Where": _same("where"),
    "Greater": _same("greater"),
    "Less": _same("less"),
    "Equal": _same("equal"),
    "GreaterOrEqual": _same("greater_equal"),
    "LessOrEqual": _same("less_equal"),
    "And": _same("logical_and"),
    "Or": _same("logical_or"),
    "Not": _same("logical_not"),
    "Max": _folded("maximum"),
    "Min": _folded("minimum"),
    "Sum": _folded("add"),
    "Pow": lambda a, x, y: CALLS["cast"](CALLS["power"](x, y), dtype=x.dtype.name),
    "Div": lambda a, x, y: CALLS["div"](x, y) if x.dtype.kind == "f" else _quotient(x, y),
    "Mean": lambda a, *xs: reduce(CALLS["add"], xs) / len(xs),
    "Ceil": lambda a, x: CALLS["neg"](CALLS["floor"](CALLS["neg"](x))),
    "Reciprocal": lambda a, x: 1.0 / x,
    "IsNaN": lambda a, x: CALLS["not_equal"](x, x),
    "Softplus": lambda a, x: F.softplus(x),
    "LeakyRelu": lambda a, x: F.leaky_relu(x, a.get("alpha", 0.01)),
    "Gelu": lambda a, x: F.gelu(x, approximate=a.get("approximate", "none")),
    "Identity": lambda a, x: x,
    "Dropout": lambda a, x, *_: (x, np.ones(x.shape, np.bool_)),
    "Cast": _cast,
    "Clip": _clip,
    "Softmax": _softmax(log=False),
    "LogSoftmax": _softmax(log=True),
    "Reshape": _reshape,
    "Transpose": lambda a, x: x.permute(*(a.get("perm") or range(x.ndim)[::-1])),
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Flatten": _flatten,
    "Expand": lambda a, x, shape: CALLS["broadcast_to"](
        x, shape=np.broadcast_shapes(tuple(x.shape), whole(shape))
    ),
    "Slice": _slice,
    "Pad": _pad,
    "Concat": lambda a, *xs: CALLS["concat"](*xs, axis=a["axis"] % xs[0].ndim),
    "Gather": _gather,
    "ReduceSum": _reduction(cr.sum),
    "ReduceMean": _reduction(cr.mean),
    "ReduceMax": _reduction(cr.amax),
    "ReduceMin": _reduction(cr.amin),
    "ReduceL1": _reduction(lambda x, **kept: cr.sum(cr.abs(x), **kept), cr.abs),
    "ReduceL2": _reduction(_root_of_squares, cr.abs),
    "ReduceSumSquare": _reduction(lambda x, **kept: cr.sum(cr.square(x), **kept), cr.square),
    "ReduceLogSum": _reduction(lambda x, **kept: cr.log(cr.sum(x, **kept)), cr.log),
    "ReduceLogSumExp": _reduction(lambda x, **kept: F.logsumexp(x, **kept)),
    "ArgMax": _positions("max"),
    "ArgMin": _positions("min"),
    "MatMul": lambda a, x, y: cr.matmul(x, y),
    "Gemm": _gemm,
    "Einsum": _einsum,
    "Conv": _conv,
    "MaxPool": _max_pool,
    "GlobalAveragePool": lambda a, x: _whole_mean(x),
    "GlobalMaxPool": lambda a, x: cr.amax(x, axis=tuple(range(2, x.ndim)), keepdims=True),
    "BatchNormalization": _batch_norm,
    "LayerNormalization": _layer_norm,
    "Shape": lambda a, x: np.array(x.shape[a.get("start", 0) : a.get("end")], dtype=np.int64),
    "Constant": lambda a: next(iter(a.values())),
}
"""The operators that can be read: each gives its output, or a tuple of its outputs."""


def _quotient(x: Any, y: Any) -> Any:
    """Whole numbers divided, the fraction cut off."""
    return CALLS["cast"](CALLS["div"](x, y), dtype=x.dtype.name)
