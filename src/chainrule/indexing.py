"""What `tensor[key]` means, as slices, reversals and takes."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.core.value import Value
from chainrule.errors import ShapeError
from chainrule.ops.index import take
from chainrule.ops.layout import flip, reshape
from chainrule.ops.layout import slice as slice_op
from chainrule.spec import BOOL, Spec


def item(x: Value, key: Any) -> Any:
    """Basic indexing (integers, slices, None, ...), or integers or bools along the first axis."""
    if isinstance(key, Value | np.ndarray | list):
        return _rows(x, key)
    keys = _without_ellipsis(list(key) if isinstance(key, tuple) else [key], x.ndim)
    spans, shape = _spans(x, keys)
    reverse = tuple(axis for axis, span in enumerate(spans) if span.step < 0)
    for axis in reverse:
        spans[axis] = spans[axis][::-1]
    bounds = {
        "start": tuple(span.start for span in spans),
        "stop": tuple(max(span.start, span.stop) for span in spans),
        "step": tuple(span.step for span in spans),
    }
    out = slice_op(x, **bounds)
    if reverse:
        out = flip(out, axes=reverse)
    return out if out.shape == shape else reshape(out, shape=shape)


def _rows(x: Value, key: Any) -> Any:
    index = key if isinstance(key, Value) else np.asarray(key)
    if index.dtype == BOOL:
        index = np.flatnonzero(np.asarray(index))
    return take(x, index)


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
            position = _position(x, key, axis)
            spans.append(range(position, position + 1))
    return spans, tuple(shape)


def _without_ellipsis(keys: list[Any], ndim: int) -> list[Any]:
    given = sum(1 for key in keys if key is not None and key is not Ellipsis)
    if given > ndim:
        raise ShapeError("too many indices", expected=f"at most {ndim}", got=given)
    rest = [slice(None)] * (ndim - given)
    at = next((i for i, key in enumerate(keys) if key is Ellipsis), len(keys))
    return [*keys[:at], *rest, *keys[at + 1 :]]


def _position(x: Value, key: Any, axis: int) -> int:
    size = x.shape[axis]
    try:
        return int(range(size)[key])
    except IndexError:
        raise ShapeError(
            f"index {key} is out of range on axis {axis}",
            expected=f"{-size} to {size - 1}",
            got=Spec(x.shape, x.dtype),
        ) from None
