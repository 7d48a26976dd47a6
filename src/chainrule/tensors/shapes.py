"""Elements picked, repeated and laid out anew: functions of a tensor that are methods of it, too.

Names and arguments are PyTorch's, where an axis is `dim`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

from chainrule.errors import ShapeError
from chainrule.indexing import item
from chainrule.ops import pointwise
from chainrule.ops.create import iota
from chainrule.ops.index import take
from chainrule.ops.layout import flip as flip_op
from chainrule.ops.layout import permute as permute_op
from chainrule.ops.layout import reshape as reshape_op
from chainrule.ops.reduce import broadcast_to
from chainrule.tensors.axes import Axis, either, every_axis, one_axis, sizes_of
from chainrule.tensors.roots import spec_of


def reshape(input: Any, *shape: int | Sequence[int]) -> Any:
    """The same elements under another shape; one size may be -1.

    Raises ShapeError for a shape of another number of elements.
    """
    sizes = sizes_of(shape)
    if sizes and min(sizes) < 0:
        known = math.prod([n for n in sizes if n != -1])
        if known <= 0 or sizes.count(-1) != 1:
            raise ShapeError(
                "reshape cannot tell the size that -1 stands for",
                expected="one -1, and no 0",
                got=f"{sizes} for {spec_of(input)}",
            )
        sizes = tuple([input.size // known if n == -1 else n for n in sizes])
    return reshape_op(input, shape=sizes)


def view_as(input: Any, other: Any) -> Any:
    """The same elements under the shape of `other`."""
    return reshape_op(input, shape=tuple(other.shape))


def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """The axes from `start_dim` to `end_dim` as one."""
    start, end = (one_axis(dim, max(input.ndim, 1)) for dim in (start_dim, end_dim))
    shape = input.shape
    middle = math.prod(shape[start : end + 1])
    return reshape_op(input, shape=(*shape[:start], middle, *shape[end + 1 :]))


def unsqueeze(input: Any, dim: int) -> Any:
    """A new axis of size 1 at `dim`."""
    sizes = list(input.shape)
    sizes.insert(one_axis(dim, input.ndim + 1), 1)
    return reshape_op(input, shape=tuple(sizes))


def squeeze(input: Any, axis: Axis = None, *, dim: Axis = None) -> Any:
    """Without the axes of size 1 at `axis`, or without any such axis."""
    drop = every_axis(either(axis, dim), input.ndim)
    sizes = tuple([n for i, n in enumerate(input.shape) if n != 1 or i not in drop])
    return reshape_op(input, shape=sizes)


def permute(input: Any, *dims: int | Sequence[int]) -> Any:
    """The axes in another order."""
    return permute_op(input, axes=tuple([one_axis(a, input.ndim) for a in sizes_of(dims)]))


def transpose(input: Any, dim0: int, dim1: int) -> Any:
    """Two axes exchanged."""
    axes = list(range(input.ndim))
    i, j = one_axis(dim0, input.ndim), one_axis(dim1, input.ndim)
    axes[i], axes[j] = j, i
    return permute_op(input, axes=tuple(axes))


def t(input: Any) -> Any:
    """The axes in reverse order: a matrix transposed."""
    return permute_op(input, axes=tuple(range(input.ndim))[::-1])


def clone(input: Any) -> Any:
    """A tensor of the same numbers; of a cell, those that it holds now. Gradients flow through."""
    return reshape_op(input, shape=tuple(input.shape))


def expand(input: Any, *sizes: int | Sequence[int]) -> Any:
    """Repeated along axes of size 1 and new first axes; -1 keeps a size.

    Raises ShapeError for other axes that would change.

    >>> import chainrule as cr
    >>> expand(cr.tensor([[1], [2]]), -1, 3).tolist()
    [[1, 1, 1], [2, 2, 2]]
    """
    wanted = sizes_of(sizes)
    lead = len(wanted) - input.ndim
    have = (1,) * lead + tuple(input.shape)
    kept = zip(wanted, have[: len(wanted)], strict=True)
    return broadcast_to(input, shape=tuple([old if new == -1 else new for new, old in kept]))


def expand_as(input: Any, other: Any) -> Any:
    """Repeated to the shape of `other`."""
    return expand(input, tuple(other.shape))


def repeat(input: Any, *sizes: int | Sequence[int]) -> Any:
    """So many copies along each axis, laid end to end; more numbers than axes make new first axes.

    >>> import chainrule as cr
    >>> repeat(cr.tensor([1, 2]), 2, 2).tolist()
    [[1, 2, 1, 2], [1, 2, 1, 2]]
    """
    times = sizes_of(sizes)
    if len(times) < input.ndim:
        raise ShapeError(
            "repeat takes a number of copies for each axis",
            expected=f"{input.ndim} numbers or more",
            got=f"{list(times)} for {spec_of(input)}",
        )
    shape = (1,) * (len(times) - input.ndim) + tuple(input.shape)
    apart = reshape_op(input, shape=tuple(n for size in shape for n in (1, size)))
    pairs = zip(times, shape, strict=True)
    copies = broadcast_to(apart, shape=tuple(n for pair in pairs for n in pair))
    return reshape_op(copies, shape=tuple(n * size for n, size in zip(times, shape, strict=True)))


def flip(input: Any, *dims: int | Sequence[int]) -> Any:
    """The elements along these axes in reverse order."""
    return flip_op(input, axes=every_axis(sizes_of(dims), input.ndim))


def split(input: Any, split_size: int | Sequence[int], dim: int = 0) -> tuple[Any, ...]:
    """Parts along an axis: of `split_size` each, the last one the rest, or of the sizes given.

    Raises ShapeError when sizes do not add up to that of the axis.

    >>> import chainrule as cr
    >>> [part.tolist() for part in split(cr.arange(5), 2)]
    [[0, 1], [2, 3], [4]]
    """
    at = one_axis(dim, input.ndim)
    length = input.shape[at]
    if isinstance(split_size, int):
        if split_size < 1:
            raise ShapeError("parts have a size", expected="1 or more", got=split_size)
        ends = [min(end, length) for end in range(split_size, length + split_size, split_size)]
    else:
        ends = list(accumulate(split_size))
    if not ends or ends[-1] != length:
        raise ShapeError(
            "the parts do not add up to the axis", expected=f"sum {length}", got=split_size
        )
    starts = [0, *ends[:-1]]
    lead = (slice(None),) * at
    return tuple([item(input, (*lead, slice(a, b))) for a, b in zip(starts, ends, strict=True)])


def chunk(input: Any, chunks: int, dim: int = 0) -> tuple[Any, ...]:
    """At most so many parts of equal size along an axis; the last one may be smaller."""
    if chunks < 1:
        raise ShapeError("there is at least one chunk", expected="1 or more", got=chunks)
    length = input.shape[one_axis(dim, input.ndim)]
    return split(input, max(1, math.ceil(length / chunks)), dim)


def unbind(input: Any, dim: int = 0) -> tuple[Any, ...]:
    """The parts of size 1 along an axis, without it."""
    at = one_axis(dim, input.ndim)
    lead = (slice(None),) * at
    return tuple([item(input, (*lead, number)) for number in range(input.shape[at])])


def index_select(input: Any, dim: int, index: Any) -> Any:
    """What stands at these places along an axis; IndexRangeError for a place that is not there."""
    at = one_axis(dim, input.ndim)
    return item(input, (*(slice(None),) * at, index))


def gather(input: Any, dim: int, index: Any) -> Any:
    """out[i][j] = input[index[i][j]][j] for `dim` 0, input[i][index[i][j]] for 1, and so on.

    index: integers, as many axes as input, and no longer along the others. Raises ShapeError for
    another shape and IndexRangeError for a place that is not there.

    >>> import chainrule as cr
    >>> gather(cr.tensor([[1, 2], [3, 4]]), 1, cr.tensor([[1], [0]])).tolist()
    [[2], [3]]
    """
    at, shape = one_axis(dim, input.ndim), tuple(index.shape)
    sizes = list(zip(shape, input.shape, strict=False))
    if len(shape) != input.ndim or any(n > m for i, (n, m) in enumerate(sizes) if i != at):
        raise ShapeError(
            "gather's index has the axes of the tensor, and is no longer along the others",
            expected=f"up to {[n for i, n in enumerate(input.shape) if i != at]} beside axis {at}",
            got=f"{list(shape)} for {spec_of(input)}",
        )
    there = pointwise.logical_and(
        pointwise.greater_equal(index, 0), pointwise.less(index, input.shape[at])
    )
    place, step = 0, 1
    for axis in reversed(range(input.ndim)):
        along = index if axis == at else iota(shape=shape, axis=axis, dtype="int64")
        place = pointwise.add(pointwise.mul(along, step), place)
        step *= input.shape[axis]
    # A place outside the axis would lie in another row: -1 lies nowhere, and take says so.
    return take(reshape_op(input, shape=(input.size,)), pointwise.where(there, place, -1))


def tril(input: Any, diagonal: int = 0) -> Any:
    """The matrix, or matrices, with zeros above a diagonal; those above the main one count up.

    >>> import chainrule as cr
    >>> tril(cr.ones(2, 2)).tolist()
    [[1.0, 0.0], [1.0, 1.0]]
    """
    return _triangle("tril", input, lambda row, column: pointwise.less_equal(column, row), diagonal)


def triu(input: Any, diagonal: int = 0) -> Any:
    """The matrix, or matrices, with zeros below a diagonal; those above the main one count up."""
    below = pointwise.greater_equal
    return _triangle("triu", input, lambda row, column: below(column, row), diagonal)


def _triangle(name: str, input: Any, stays: Callable[[Any, Any], Any], diagonal: int) -> Any:
    if input.ndim < 2:
        raise ShapeError(
            f"{name} takes a matrix",
            expected="two axes or more",
            got=spec_of(input),
        )
    size = tuple(input.shape[-2:])
    row, column = (iota(shape=size, axis=axis, dtype="int64") for axis in (0, 1))
    return pointwise.where(stays(pointwise.add(row, diagonal), column), input, 0)
