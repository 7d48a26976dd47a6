"""Applying an op: the one path that eager execution and recording share.

raw in, raw out:    `compute(op, raws, settings)`: NumPy now, or an Instruction in the recorder
Value in and out:   the functions that `define` gives back: compute, and history
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import numpy as np

from chainrule.core import record as _record
from chainrule.core.op import CALLS, OPS, Kind, Op, Opaque
from chainrule.core.state import RECORDER, TRACKING
from chainrule.core.value import Raw, Symbol, Value
from chainrule.errors import SettingError
from chainrule.spec import BOOL, F32, NUMBERS, DType, Spec, promote, spec_of

Call = Callable[..., Any]
"""A function that applies an op: Values in, a Value out; or raws in, a raw out."""

_recorder = RECORDER.get
_tracking = TRACKING.get
_number = count(0, -1).__next__


def compute(op: Op, raws: tuple[Raw, ...], settings: dict[str, Any]) -> Raw:
    """Raw in, raw out: the only place where eager and recorded differ."""
    recorder = _recorder()
    if recorder is not None:
        return recorder.emit(op, raws, settings)
    try:
        out = op.forward(*raws, **settings)
    except Exception:
        op.spec(*map(spec_of, raws), **settings)  # words the error, if the arguments are at fault
        cast = raws if op.dtypes is None else _in_promoted_dtype(op, raws)
        if all(one is raw for one, raw in zip(cast, raws, strict=True)):
            raise
        return op.forward(*cast, **settings)
    if op.dtypes is not None and out.dtype is not F32 and out.dtype is not BOOL:
        same = [
            getattr(raw, "dtype", None) is out.dtype for raw in raws if type(raw) not in NUMBERS
        ]
        if same and all(same):
            return out  # no promotion: float64 throughout, or integers
        wanted = op.dtypes(*map(spec_of, raws))
        if out.dtype not in wanted and any(dtype is not None for dtype in wanted):
            # NumPy promotes otherwise than PyTorch: compute again, as a Program does.
            return op.forward(*map(_cast, raws, wanted), **settings)
    return out


def _in_promoted_dtype(op: Op, raws: tuple[Raw, ...]) -> tuple[Raw, ...]:
    assert op.dtypes is not None
    return tuple(map(_cast, raws, op.dtypes(*map(spec_of, raws))))


def _cast(raw: Raw, dtype: DType | None) -> Raw:
    if dtype is None:
        return raw
    return dtype.type(raw) if type(raw) in NUMBERS else raw.astype(dtype, copy=False)


def alike(*raws: Raw) -> tuple[Raw, ...]:
    """Arrays in the dtype they promote to, for forwards whose NumPy function would go further."""
    if all(raw.dtype is raws[0].dtype for raw in raws):
        return raws
    dtype = promote(*map(spec_of, raws))
    return tuple(raw.astype(dtype, copy=False) for raw in raws)


def define(
    name: str,
    *,
    inputs: str,
    doc: str,
    forward: Callable[..., Any],
    grad: tuple[Callable[..., Any] | None, ...] | Callable[..., Any],
    formula: str = "",
    spec: Callable[..., Any] | None = None,
    lower: Kind | None = None,
    samples: Callable[..., list[tuple[list[Any], dict[str, Any]]]] | None = None,
    dtypes: Callable[..., tuple[DType | None, ...]] | None = None,
    peer: Callable[..., Any] | None = None,
    onnx: str | Callable[..., Any] | None = None,
    written: str = "",
    replace: bool = False,
) -> Call:
    """Register an op; gives the function that applies it to Values, or to raws.

    `inputs` are the names of its inputs, as in "x y"; see `Op` for the rest. Without `spec`, shape
    and dtype are found by running `forward` on ones. `replace` allows a name to be defined again.
    Raises SettingError when the record does not hold together.

    >>> import chainrule as cr, numpy as np
    >>> cube = cr.define(
    ...     "cube", inputs="x", doc="x cubed.", formula="dx = 3 g x^2", replace=True,
    ...     forward=lambda x: x ** 3, grad=(lambda g, x: g * x * x * 3.0,),
    ... )
    >>> x = cr.tensor(2.0, requires_grad=True)
    >>> cube(x).backward()
    >>> x.grad.item()
    12.0
    """
    names = tuple(inputs.split())
    if name in OPS and not replace:
        raise SettingError(
            f"op {name!r} is defined already", hint="another name, or replace=True to redefine it"
        )
    if isinstance(grad, tuple) and len(grad) != len(names):
        raise SettingError(
            f"op {name!r} has {len(grad)} gradient rules for {len(names)} inputs",
            hint="one rule per input; None where there is no gradient",
        )
    picks, keep = _needs(grad, names)
    op = Op(
        name,
        doc,
        formula,
        names,
        spec or _spec_by_running(forward),
        forward,
        grad,
        lower or Opaque(),
        samples or (lambda rng: []),
        dtypes,
        peer,
        onnx,
        written,
        picks,
        keep,
    )
    fixed = len(names) if isinstance(grad, tuple) else 0
    makers: dict[int, Callable[[Op], Callable[..., Any]]] = {1: _unary, 2: _binary}
    has_rule = any(grad) if isinstance(grad, tuple) else True
    call = makers.get(fixed, _nary)(op) if has_rule else _without_history(op)
    call.__name__ = call.__qualname__ = name
    call.__doc__ = doc
    OPS[name], CALLS[name] = op, call
    return call


def _spec_by_running(forward: Callable[..., Any]) -> Callable[..., Any]:
    """The shape rule of an op that states none: run it on ones and look."""

    def spec(*operands: Any, **settings: Any) -> Any:
        ones = [np.ones(o.shape, o.dtype) if isinstance(o, Spec) else o.value for o in operands]
        out = forward(*ones, **settings)
        outs = out if isinstance(out, tuple) else (out,)
        specs = tuple(Spec(np.shape(one), np.asarray(one).dtype) for one in outs)
        return specs if isinstance(out, tuple) else specs[0]

    return spec


# -- what the rules need: read off their arguments' names once, when the op is defined


def _needs(
    rules: Any, names: tuple[str, ...]
) -> tuple[tuple[Callable[..., tuple[Any, ...]], ...], tuple[bool, ...]]:
    saved = ("out", *names)
    if not isinstance(rules, tuple):
        return (), (True,) * len(saved)
    wanted = [_named(rule, saved) for rule in rules]
    used = {name for names_of_rule in wanted for name in names_of_rule}
    return tuple(_pick(each, saved) for each in wanted), tuple(name in used for name in saved)


def _named(rule: Callable[..., Any] | None, saved: tuple[str, ...]) -> list[str]:
    if rule is None:
        return []
    allowed = {*saved, *(f"{name}_shape" for name in saved)}
    return [name for name in list(inspect.signature(rule).parameters)[1:] if name in allowed]


def _pick(wanted: list[str], saved: tuple[str, ...]) -> Callable[..., tuple[Any, ...]]:
    """From (out, *inputs) as kept, the tuple of what a rule named."""
    at = [saved.index(name) for name in wanted if name in saved]
    if len(at) == len(wanted) > 1:
        return operator.itemgetter(*at)
    if len(at) == len(wanted):  # a slice: a tuple of one, or of none
        return operator.itemgetter(slice(at[0], at[0] + 1) if at else slice(0))
    getters = [_getter(name, saved) for name in wanted]
    if len(getters) == 1:
        only = getters[0]
        return lambda kept: (only(kept),)
    return lambda kept: tuple([get(kept) for get in getters])


def _getter(name: str, saved: tuple[str, ...]) -> Callable[[Sequence[Any]], Any]:
    if name in saved:
        return operator.itemgetter(saved.index(name))
    at = saved.index(name.removesuffix("_shape"))
    return lambda kept: kept[at] if type(kept[at]) is tuple else kept[at].shape


# -- the callers, one per arity: together with `compute` they are all that eager costs above NumPy


def _unary(op: Op) -> Callable[..., Any]:
    new = object.__new__
    keep_out, keep_x = op.keep

    def call(x: Any, **settings: Any) -> Any:
        if not isinstance(x, Value):
            return compute(op, (x,), settings)
        parent, x = x.origin, x.array
        out = compute(op, (x,), settings)
        value = new(_record._result)
        value.array = out
        if parent is None:
            value.origin = None
            return value
        recorded = type(out) is Symbol
        if recorded:
            _recorder().came_from((x,), (parent,))
        if not _tracking():
            value.origin = None
            return value
        saved = (out if keep_out or recorded else None, x if keep_x else x.shape)
        value.origin = (_number(), op, (parent,), saved, settings)
        return value

    return call


def _binary(op: Op) -> Callable[..., Any]:
    new = object.__new__
    keep_out, keep_x, keep_y = op.keep

    def call(x: Any, y: Any, **settings: Any) -> Any:
        left = right = None
        if isinstance(x, Value):
            left, x = x.origin, x.array
            if isinstance(y, Value):
                right, y = y.origin, y.array
        elif isinstance(y, Value):
            right, y = y.origin, y.array
        else:
            return compute(op, (x, y), settings)
        raws = (x, y)
        out = compute(op, raws, settings)
        value = new(_record._result)
        value.array = out
        if left is None and right is None:
            value.origin = None
            return value
        recorded = type(out) is Symbol
        if recorded:
            _recorder().came_from(raws, (left, right))
        if not _tracking():
            value.origin = None
            return value
        if not (keep_x or left is None):
            x = x.shape
        if not (keep_y or right is None):
            y = y.shape
        saved = (out if keep_out or recorded else None, x, y)
        value.origin = (_number(), op, (left, right), saved, settings)
        return value

    return call


def _without_history(op: Op) -> Callable[..., Any]:
    """The caller of an op that no gradient flows through, such as a comparison."""

    def call(*inputs: Any, **settings: Any) -> Any:
        raws, wrap = inputs, False
        for x in inputs:
            if isinstance(x, Value):
                raws, wrap = tuple([x.array if isinstance(x, Value) else x for x in inputs]), True
                break
        out = compute(op, raws, settings)
        if not wrap:
            return out
        result = _record._result
        return tuple(map(result, out)) if type(out) is tuple else result(out)

    return call


def _nary(op: Op) -> Callable[..., Any]:
    joint = not isinstance(op.grad, tuple)  # a joint rule is given everything
    keep_out = joint or op.keep[0]
    unneeded = [i for i, keep in enumerate(op.keep[1:]) if not (joint or keep)]

    def call(*inputs: Any, **settings: Any) -> Any:
        parents, raws, wrap, tracked = [], [], False, False
        for x in inputs:
            if isinstance(x, Value):
                wrap, origin = True, x.origin
                tracked = tracked or origin is not None
                parents.append(origin)
                raws.append(x.array)
            else:
                parents.append(None)
                raws.append(x)
        out = compute(op, tuple(raws), settings)
        if not wrap:
            return out
        node = None
        if tracked:
            recorder = _recorder()
            if recorder is not None:
                recorder.came_from(raws, parents)
            if _tracking():
                for i in unneeded:
                    if parents[i] is not None:
                        raws[i] = raws[i].shape
                kept = out if keep_out or recorder is not None else None
                node = (_number(), op, tuple(parents), (kept, *raws), settings)
        if type(out) is not tuple:
            return _record._result(out, node)
        if node is None:
            return tuple(map(_record._result, out))
        return tuple([_record._result(one, select(node, i, one)) for i, one in enumerate(out)])

    return call


def select(node: Any, index: int, out: Raw) -> Any:
    """The origin of one output of an op that has several."""
    return _number(), SELECT, (node,), (out, ()), {"index": index}


class ByIndex(dict[int, Any]):
    """Gradients of an op's outputs by their index, which travel through the sweep as one."""

    shape = ()


def _only_history(*_: Any, **__: Any) -> Any:
    raise AssertionError("never computed")


SELECT = Op(
    "select",
    "One output of an op that has several; only in history, never in a Program.",
    "",
    ("outs",),
    _only_history,
    _only_history,
    (lambda g, index: ByIndex({index: g}),),
    Opaque(),
    lambda rng: [],
    picks=(operator.itemgetter(slice(0)),),
)


def promoted(*operands: Any) -> tuple[DType | None, ...]:
    """The dtypes rule of most pointwise ops: all inputs in the dtype they promote to."""
    return (promote(*operands),) * len(operands)
