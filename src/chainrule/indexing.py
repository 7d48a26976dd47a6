"""What `tensor[key]` means, as slices, reversals and takes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.core.state import RECORDER
from chainrule.core.value import Symbol, Value
from chainrule.errors import IndexRangeError, ShapeError
from chainrule.ops.index import take
from chainrule.ops.layout import flip, permute, reshape
from chainrule.ops.layout import slice as slice_op
from chainrule.ops.pointwise import add, greater_equal, less, logical_or, mul, where
from chainrule.spec import BOOL, Spec


def item(x: Value, key: Any) -> Any:
    """NumPy's indexing: integers, slices, None, ..., arrays of integers or bools, mixtures."""
    given = [_as_key(one) for one in (key if isinstance(key, tuple) else (key,))]
    keys: list[Any] = []
    axis = 0
    for one in _without_ellipsis(given, x.ndim):
        keys += _named_by(one, x, axis) if _is_mask(one) else [one]
        axis += _width(one)
    if any(isinstance(one, Value | np.ndarray) for one in keys):
        return _gathered(x, keys)
    return _spanned(x, keys)


def _as_key(key: Any) -> Any:
    """Lists become arrays, and single integers Python's; refuses what is no index."""
    if isinstance(key, list):
        key = np.asarray(key) if key else np.zeros(0, "int64")
    if type(key) in (bool, np.bool_):
        raise ShapeError("an index is an integer, not a truth value", got=key)
    if not isinstance(key, Value | np.ndarray):
        return key
    if key.dtype.kind not in "iub":
        raise ShapeError("an index is an integer or a bool", got=Spec(key.shape, key.dtype))
    if key.ndim == 0 and not (isinstance(key, Value) and type(key.array) is Symbol):
        return int(np.asarray(key))
    return key


def _is_mask(key: Any) -> bool:
    return isinstance(key, Value | np.ndarray) and key.dtype == BOOL


def _width(key: Any) -> int:
    """How many axes a key is about."""
    if key is None or key is Ellipsis:
        return 0
    return int(key.ndim) if _is_mask(key) else 1


def _without_ellipsis(keys: list[Any], ndim: int) -> list[Any]:
    """One key per axis, besides those for new axes."""
    given = sum(map(_width, keys))
    places = [i for i, key in enumerate(keys) if key is Ellipsis]
    if given > ndim:
        raise IndexRangeError("too many indices", expected=f"at most {ndim}", got=given)
    if len(places) > 1:
        raise ShapeError("an index has one ... at most", got=len(places))
    at = places[0] if places else len(keys)
    return [*keys[:at], *[slice(None)] * (ndim - given), *keys[at + 1 :]]


def _named_by(mask: Any, x: Value, axis: int) -> list[Any]:
    """The positions where a mask is true, an array per axis."""
    sizes = x.shape[axis : axis + mask.ndim]
    if tuple(mask.shape) != sizes:
        raise IndexRangeError(
            "a mask has the sizes of the axes it chooses from", expected=sizes, got=mask.shape
        )
    return list(np.nonzero(np.asarray(mask)))


# -- integers, slices, None


def _spanned(x: Value, keys: list[Any]) -> Any:
    spans, shape = _spans(x, keys)
    reverse = tuple(axis for axis, span in enumerate(spans) if span.step < 0)
    for axis in reverse:
        spans[axis] = spans[axis][::-1]
    bounds = {
        "start": tuple(span.start if span else 0 for span in spans),
        "stop": tuple(span[-1] + 1 if span else 0 for span in spans),
        "step": tuple(span.step for span in spans),
    }
    out = slice_op(x, **bounds)
    if reverse:
        out = flip(out, axes=reverse)
    return out if out.shape == shape else reshape(out, shape=shape)


def _spans(x: Value, keys: list[Any]) -> tuple[list[range], tuple[int, ...]]:
    """Per axis of x the range taken, and the shape that comes out."""
    spans: list[range] = []
    shape: list[int] = []
    for key in keys:
        if key is None:
            shape.append(1)
            continue
        axis = len(spans)
        if isinstance(key, slice):
            spans.append(range(x.shape[axis])[key])
            shape.append(len(spans[-1]))
        else:
            position = _position(key, x.shape[axis])
            spans.append(range(position, position + 1))
    return spans, tuple(shape)


def _position(key: Any, size: int) -> int:
    try:
        return int(range(size)[key])
    except IndexError:
        raise IndexRangeError(
            f"index {key} is out of range", expected=f"{-size} to {size - 1}"
        ) from None
    except TypeError:
        raise ShapeError("an index is an integer, a slice or an array", got=repr(key)) from None


# -- arrays


def _gathered(x: Value, keys: list[Any]) -> Any:
    """The axes with an array (or an integer) come first, become one, and are read by one index."""
    axes = [i for i, key in enumerate(keys) if not (key is None or isinstance(key, slice))]
    x = _spanned(x, [slice(None) if i in axes else key for i, key in enumerate(keys)])
    sizes = [x.shape[axis] for axis in axes]
    index = _combined([keys[axis] for axis in axes], sizes)
    rest = [axis for axis in range(x.ndim) if axis not in axes]
    if [*axes, *rest] != list(range(x.ndim)):
        x = permute(x, axes=(*axes, *rest))
    if len(axes) > 1:
        x = reshape(x, shape=(math.prod(sizes), *x.shape[len(axes) :]))
    out = take(x, index)
    first, new = axes[0], index.ndim
    if first == 0 or axes != list(range(first, first + len(axes))):
        return out
    # As in NumPy, the new axes stand where the indexed ones stood together.
    order = (*range(new, new + first), *range(new), *range(new + first, out.ndim))
    return permute(out, axes=order)


def _combined(indices: list[Any], sizes: list[int]) -> Any:
    """One index into the axes of these sizes taken together, in row-major order."""
    found: Any = None
    outside: Any = False
    for index, size in zip(indices, sizes, strict=True):
        at = _from_the_start(index, size)
        if len(indices) > 1:  # added up, an index out of range could name a place within
            outside = logical_or(outside, logical_or(less(at, 0), greater_equal(at, size)))
        found = at if found is None else add(mul(found, size), at)
    return found if outside is False else where(outside, -1, found)


def _from_the_start(index: Any, size: int) -> Any:
    """An index that may count from the end, as one that does not."""
    if isinstance(index, Value):
        return where(less(index, 0), add(index, size), index)
    at = np.where(np.less(index, 0), np.add(index, size), index).astype("int64")
    recorder = RECORDER.get()
    return at if recorder is None else Value(recorder.constant(at))
