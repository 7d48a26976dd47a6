"""Tensor, the Value with operators; Cell, the place that holds one. No mathematics of their own."""

from __future__ import annotations

import math
import operator
import weakref
from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

import chainrule.ops  # noqa: F401 - registers every op
from chainrule.core import record as _record
from chainrule.core.record import concrete, mark
from chainrule.core.state import RECORDER, is_grad_enabled
from chainrule.core.sweep import sweep
from chainrule.core.value import Origin, Raw, Symbol, Value
from chainrule.errors import GradientError, SettingError, ShapeError
from chainrule.indexing import item as item_of
from chainrule.ops import pointwise as p
from chainrule.ops.contract import contract
from chainrule.ops.create import full
from chainrule.ops.layout import permute, reshape
from chainrule.ops.reduce import argmax, broadcast_to
from chainrule.ops.reduce import max as max_op
from chainrule.ops.reduce import min as min_op
from chainrule.ops.reduce import sum as sum_op
from chainrule.spec import BOOL, F32, F64, I64, DType, Spec

Axis = int | Sequence[int] | None
_NAN = float("nan")


class Tensor(Value):
    """An immutable n-dimensional array with a dtype and, where it was computed, an origin.

    Operators and methods follow PyTorch; arguments are NumPy's `axis` and `keepdims`.

    >>> import chainrule as cr
    >>> x = cr.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> (x * 2).sum(axis=0)
    tensor([ 8., 12.])
    """

    __slots__ = ()
    __array_ufunc__ = None  # so that array + tensor asks the tensor

    # Ops are the methods themselves where the argument order allows: no call in between.
    __add__ = __radd__ = p.add
    __mul__ = __rmul__ = p.mul
    __sub__, __truediv__, __pow__, __neg__, __abs__ = p.sub, p.div, p.power, p.neg, p.absolute
    __gt__, __ge__, __lt__, __le__ = p.greater, p.greater_equal, p.less, p.less_equal
    exp, log, sqrt, square, tanh, sigmoid = p.exp, p.log, p.sqrt, p.square, p.tanh, p.sigmoid
    sin, cos, relu, abs, pow, add, sub, mul, div = (
        p.sin, p.cos, p.relu, p.absolute, p.power, p.add, p.sub, p.mul, p.div,
    )  # fmt: skip
    __hash__ = object.__hash__

    def __eq__(self, other: object) -> Any:
        return NotImplemented if other is None or type(other) is str else p.equal(self, other)

    def __ne__(self, other: object) -> Any:
        return NotImplemented if other is None or type(other) is str else p.not_equal(self, other)

    def __and__(self, other: Any) -> Tensor:
        return as_tensor(p.logical_and(_bools("&", self), _bools("&", other)))

    def __or__(self, other: Any) -> Tensor:
        return as_tensor(p.logical_or(_bools("|", self), _bools("|", other)))

    __rand__, __ror__ = __and__, __or__

    def __invert__(self) -> Tensor:
        return as_tensor(p.logical_not(_bools("~", self)))

    def __rsub__(self, other: Any) -> Tensor:
        return as_tensor(p.sub(other, self))

    def __rtruediv__(self, other: Any) -> Tensor:
        return as_tensor(p.div(other, self))

    def __rpow__(self, other: Any) -> Tensor:
        return as_tensor(p.power(other, self))

    def __matmul__(self, other: Any) -> Tensor:
        return matmul(self, other)

    def __rmatmul__(self, other: Any) -> Tensor:
        return matmul(as_tensor(other), self)

    # -- reductions

    def sum(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """The sum over `axis` (an int, several, or None for all)."""
        return _reduced(sum_op, self, axis, keepdims)

    def mean(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """The mean over `axis`; nan of nothing."""
        axes = _axes(axis, self.ndim)
        return _over(_folded(sum_op, self, axes, keepdims), _count(self, axes))

    def var(self, axis: Axis = None, keepdims: bool = False, correction: float = 0.0) -> Tensor:
        """The mean squared distance from the mean; `correction` 1 gives the sample's estimate."""
        axes = _axes(axis, self.ndim)
        apart = p.square(p.sub(self, self.mean(axes, keepdims=True)))
        return _over(_folded(sum_op, apart, axes, keepdims), _count(self, axes) - correction)

    def std(self, axis: Axis = None, keepdims: bool = False, correction: float = 0.0) -> Tensor:
        """The square root of `var`."""
        return as_tensor(p.sqrt(self.var(axis, keepdims, correction)))

    def max(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """The largest over `axis`; equal largest ones share the gradient."""
        return _reduced(max_op, self, axis, keepdims)

    def min(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """The smallest over `axis`; equal smallest ones share the gradient."""
        return _reduced(min_op, self, axis, keepdims)

    def argmax(self, axis: int | None = None) -> Tensor:
        """The position of the largest along `axis`, or in the flattened tensor."""
        flat = self if axis is not None else self.reshape(-1)
        return as_tensor(argmax(flat, axis=_axis(axis or 0, flat.ndim)))

    # -- shape

    def reshape(self, *shape: int | Sequence[int]) -> Tensor:
        """The same elements under another shape; one size may be -1."""
        sizes = _sizes(shape)
        if sizes and min(sizes) < 0:
            known = math.prod([n for n in sizes if n != -1])
            if known <= 0 or sizes.count(-1) != 1:
                raise ShapeError(
                    "reshape cannot tell the size that -1 stands for",
                    expected="one -1, and no 0",
                    got=f"{sizes} for {_spec(self)}",
                )
            sizes = tuple(self.size // known if n == -1 else n for n in sizes)
        return as_tensor(reshape(self, shape=sizes))

    view = reshape

    def flatten(self, start_dim: int = 0, end_dim: int = -1) -> Tensor:
        """The axes from `start_dim` to `end_dim` as one."""
        start, end = (_axis(dim, max(self.ndim, 1)) for dim in (start_dim, end_dim))
        middle = math.prod(self.shape[start : end + 1])
        return self.reshape(*self.shape[:start], middle, *self.shape[end + 1 :])

    def unsqueeze(self, axis: int) -> Tensor:
        """A new axis of size 1 at `axis`."""
        sizes = list(self.shape)
        sizes.insert(_axis(axis, self.ndim + 1), 1)
        return as_tensor(reshape(self, shape=tuple(sizes)))

    def squeeze(self, axis: int | None = None) -> Tensor:
        """Without the axis of size 1 at `axis`, or without any such axis."""
        drop = range(self.ndim) if axis is None else (_axis(axis, self.ndim),)
        sizes = tuple(n for i, n in enumerate(self.shape) if n != 1 or i not in drop)
        return as_tensor(reshape(self, shape=sizes))

    def permute(self, *axes: int | Sequence[int]) -> Tensor:
        """The axes in another order."""
        return as_tensor(permute(self, axes=tuple(_axis(a, self.ndim) for a in _sizes(axes))))

    def transpose(self, first: int, second: int) -> Tensor:
        """Two axes exchanged."""
        axes = list(range(self.ndim))
        i, j = _axis(first, self.ndim), _axis(second, self.ndim)
        axes[i], axes[j] = j, i
        return as_tensor(permute(self, axes=tuple(axes)))

    @property
    def T(self) -> Tensor:  # noqa: N802 - NumPy's and PyTorch's name
        """The axes in reverse order."""
        return as_tensor(permute(self, axes=tuple(range(self.ndim))[::-1]))

    def __getitem__(self, key: Any) -> Tensor:
        return as_tensor(item_of(self, key))

    def __len__(self) -> int:
        if not self.shape:
            raise ShapeError("a 0-d tensor has no length", got=_spec(self))
        return self.shape[0]

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    # -- out of the tensor

    def item(self) -> Any:
        """The one number in the tensor, as a Python number."""
        raw = concrete(self, "item()")
        if raw.size != 1:
            raise ShapeError("item() needs a tensor of one element", got=_spec(self))
        return raw.item()

    def numpy(self) -> Any:
        """The numbers as a NumPy array, without copying; it must not be written to."""
        return np.asarray(concrete(self, "numpy()"))

    def tolist(self) -> Any:
        """The numbers as nested lists."""
        return concrete(self, "tolist()").tolist()

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Any:
        return np.array(concrete(self, "np.asarray()"), dtype=dtype, copy=copy)

    def __bool__(self) -> bool:
        return bool(concrete(self, "if tensor:"))

    def __float__(self) -> float:
        return float(concrete(self, "float()").item())

    def __int__(self) -> int:
        return int(concrete(self, "int()").item())

    def __index__(self) -> int:
        if self.dtype.kind not in "iub" or self.shape:
            raise TypeError(f"only a 0-d integer tensor is an index, not {_spec(self)}")
        return int(concrete(self, "an index"))

    def __format__(self, form: str) -> str:
        return format(self.item(), form) if form else str(self)

    def __repr__(self) -> str:
        if isinstance(self.array, Symbol):
            return f"<{self.array}: {_spec(self)}>"
        return _written(self.array, self.dtype, self.origin)

    # -- dtype and history

    def to(self, dtype: DTypeLike) -> Tensor:
        """The same numbers in another dtype."""
        wanted = np.dtype(dtype)
        return self if wanted == self.dtype else as_tensor(p.cast(self, dtype=wanted.name))

    def float(self) -> Tensor:
        """In float32."""
        return self.to(F32)

    def double(self) -> Tensor:
        """In float64."""
        return self.to(F64)

    def long(self) -> Tensor:
        """In int64."""
        return self.to(I64)

    def numel(self) -> int:
        """The number of elements."""
        return self.size

    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow back through this tensor."""
        return self.origin is not None and self.dtype.kind == "f"

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        raise SettingError(
            "a computed tensor cannot be asked to keep a gradient",
            hint="make a cell: cr.tensor(data, requires_grad=True) or cr.Parameter(data)",
        )

    @property
    def is_leaf(self) -> bool:
        """Whether nothing this tensor was computed from is kept."""
        return type(self.origin) is not tuple

    def detach(self) -> Tensor:
        """The same numbers without history."""
        raw, recorder = self.array, RECORDER.get()
        if recorder is None:
            # Another object, or the body of a scan would take it for the tensor with a history.
            return Tensor(raw.view())
        if recorder.inner:  # differentiated later, from what is written down
            return as_tensor(p.detach(raw))
        return Tensor(recorder.alias(raw))

    def backward(self, gradient: Any = None) -> None:
        """Add d self / d cell to the `grad` of every cell that self was computed from.

        `gradient`: what flows in, of self's shape; 1 for a single number. Raises GradientError
        where nothing leads back to a cell that wants a gradient, and where self is not one number.
        """
        check_root(self, gradient)
        with mark(phase="backward"):
            seed = ones_like_root(self) if gradient is None else as_tensor(gradient).array
            found = sweep([(self.origin, seed)])
            if not found:
                raise _broken(self)
            for leaf, g in found:
                cell = leaf()
                if cell is not None:  # else nobody can ask for its gradient any more
                    cell.accumulate(g)


_record.results_are(Tensor)


class Cell(Tensor):
    """A named place that holds a tensor and can be assigned.

    While a step is recorded, `array` is the symbol of what the cell holds at that point of the
    program. Augmented assignment (`w -= ...`) assigns in place; under `no_grad`, as in PyTorch.
    """

    __slots__ = ("__weakref__", "_grad_cell", "_held", "_lent", "_name")

    def __init__(self, data: Any, name: str = "", requires_grad: bool = False) -> None:
        self._held: Raw = None if data is None else _raw(data)
        self._lent = False
        self._grad_cell: Cell | None = None
        self.name = name
        self.origin: Origin = None
        self.requires_grad = requires_grad

    @property
    def name(self) -> str:
        """The name in a program, and in errors; the gradient's follows it."""
        return self._name

    @name.setter
    def name(self, name: str) -> None:
        self._name = name
        if self._grad_cell is not None:
            self._grad_cell.name = f"grad {name or 'tensor'}"

    @property
    def array(self) -> Raw:
        recorder = RECORDER.get()
        if recorder is not None:
            return recorder.read(self)
        if self._lent:
            self.hold(np.array(self._held))
        return self._held

    @array.setter
    def array(self, raw: Raw) -> None:
        recorder = RECORDER.get()
        if recorder is None:
            self._held, self._lent = raw, False
        else:
            recorder.assign(self, raw)

    def held(self) -> Raw:
        """The array in the cell now, whether or not a step is being recorded."""
        return self._held

    def hold(self, raw: Raw) -> None:
        """Put an array (or None) into the cell now, whether or not a step is being recorded."""
        self._held, self._lent = raw, False

    def lend(self, raw: Raw) -> None:
        """Hold memory that a native program goes on writing to: whoever reads it gets a copy."""
        self._held, self._lent = raw, True

    def condition(self) -> Any:
        """What a recorded step relies on: its spec, None when empty, and whether it is frozen."""
        held = self._held
        return (None if held is None else (held.shape, held.dtype)), self.origin is None

    def assign(self, value: Any) -> None:
        """Put a tensor of the same shape into the cell; it is cast to the cell's dtype.

        An empty cell takes any.
        """
        tensor = as_tensor(value)
        if self.array is None:
            self.array = tensor.array
            return
        if tensor.shape != self.shape:
            raise ShapeError(
                f"{self.name or 'a cell'} keeps its shape", expected=_spec(self), got=_spec(tensor)
            )
        self.array = tensor.to(self.dtype).array

    copy_ = assign

    def fill_(self, value: float) -> Self:
        """Put `value` everywhere."""
        self.array = full(shape=self.shape, value=value, dtype=self.dtype.name)
        return self

    def zero_(self) -> Self:
        """Put zeros everywhere."""
        return self.fill_(0.0)

    @property
    def requires_grad(self) -> bool:
        """Whether gradients are gathered here; False freezes the cell."""
        return self.origin is not None

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        if wanted and self._held is not None and self._held.dtype.kind != "f":
            raise SettingError(
                "only floating-point tensors have gradients",
                expected="float32 or float64",
                got=f"{self.name or 'tensor'}: {_spec(self)}",
            )
        self.origin = weakref.ref(self) if wanted else None  # weak: no cycle, freed at once

    def requires_grad_(self, wanted: bool = True) -> Self:
        """Set `requires_grad`; gives the cell."""
        self.requires_grad = wanted
        return self

    @property
    def grad_cell(self) -> Cell:
        """The cell that the gradient is gathered in."""
        if self._grad_cell is None:
            self._grad_cell = Cell(None, f"grad {self.name or 'tensor'}")
        return self._grad_cell

    @property
    def grad(self) -> Gradient | None:
        """The gradient gathered since it was last cleared, or None."""
        if self._grad_cell is None and RECORDER.get() is None:
            return None
        raw = self.grad_cell.array
        return None if raw is None else Gradient(raw, self.grad_cell)

    @grad.setter
    def grad(self, value: Any) -> None:
        if value is not None:
            value = as_tensor(value)
            if value.shape != self.shape:
                raise ShapeError(
                    f"the gradient of {self.name or 'a tensor'} has its shape",
                    expected=_spec(self),
                    got=_spec(value),
                )
        self.grad_cell.array = None if value is None else value.array

    def accumulate(self, g: Raw) -> None:
        """Add a gradient to what is gathered."""
        dtype = self.array.dtype
        if g.dtype is not dtype:
            g = p.cast(g, dtype=dtype.name)
        cell = self.grad_cell
        before = cell.array
        cell.array = g if before is None else p.add(before, g)

    def __iadd__(self, other: Any) -> Self:  # type: ignore[misc]
        return self._changed(p.add, other)

    def __isub__(self, other: Any) -> Self:  # type: ignore[misc]
        return self._changed(p.sub, other)

    def __imul__(self, other: Any) -> Self:  # type: ignore[misc]
        return self._changed(p.mul, other)

    def __itruediv__(self, other: Any) -> Self:  # type: ignore[misc]
        return self._changed(p.div, other)

    def __ipow__(self, other: Any) -> Self:  # type: ignore[misc]
        return self._changed(p.power, other)

    def _changed(self, op: Callable[..., Any], other: Any) -> Self:
        if self.origin is not None and is_grad_enabled():
            raise GradientError(
                f"{self.name or 'a cell'} wants a gradient and is changed in place",
                hint="do it under no_grad: with cr.no_grad(): w -= rate * w.grad",
            )
        self.assign(op(self, other))
        return self

    def __reduce__(self) -> Any:  # for copy and pickle: the origin is the copy's own
        gradient = None if self._grad_cell is None else self._grad_cell.held()
        return _copied, (type(self), self._held, self.name, self.requires_grad, gradient)

    def __repr__(self) -> str:
        if self._held is None:
            return f"{type(self).__name__}(empty)"
        return _written(self._held, self._held.dtype, self.origin, type(self).__name__)


class Gradient(Tensor):
    """What `w.grad` gives: the gradient as a tensor, which can also be cleared in place."""

    __slots__ = ("_cell",)

    def __init__(self, raw: Raw, cell: Cell) -> None:
        super().__init__(raw)
        self._cell = cell

    def zero_(self) -> Self:
        """Set the gathered gradient to zeros."""
        zeros = full(shape=self.shape, value=0.0, dtype=self.dtype.name)
        self._cell.array = self.array = zeros
        return self


class Parameter(Cell):
    """A cell that training changes: it wants a gradient unless it is frozen.

    >>> Parameter([1.0, 2.0])
    Parameter([1., 2.], requires_grad=True)
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True, name: str = "") -> None:
        super().__init__(data, name, requires_grad)


class Buffer(Cell):
    """A cell of a module's state that is not trained, such as running statistics."""

    __slots__ = ()

    def __init__(self, data: Any, name: str = "") -> None:
        super().__init__(data, name, False)


# -- making tensors


def tensor(data: ArrayLike, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """A tensor of `data` (numbers, nested lists, or an array, which is copied).

    Floats become float32 unless `dtype` or an array's own dtype says otherwise, integers int64.
    With `requires_grad` it is a Cell, which gathers a gradient and can be assigned.

    >>> tensor([1, 2, 3])
    tensor([1, 2, 3])
    """
    array = np.array(data, dtype=dtype)
    if dtype is None and not isinstance(data, np.ndarray | np.generic | Tensor):
        array = array.astype({"f": F32, "i": I64}.get(array.dtype.kind, array.dtype), copy=False)
    _check_dtype(array)
    if requires_grad:
        return Cell(array, "tensor", True)
    return made(array)


def from_numpy(array: Any) -> Tensor:
    """A tensor that shares the array's memory, which must not be written to afterwards."""
    _check_dtype(array)
    return made(array)


def made(array: Any) -> Tensor:
    """A tensor of an array; while recording, a constant of the program."""
    recorder = RECORDER.get()
    return Tensor(array if recorder is None else recorder.constant(array))


def as_tensor(value: Any) -> Tensor:
    """`value` itself if it is a tensor, else a tensor of it."""
    if isinstance(value, Tensor):
        return value
    if isinstance(value, Value | Symbol | np.generic):
        return Tensor(value.array, value.origin) if isinstance(value, Value) else Tensor(value)
    return from_numpy(value) if isinstance(value, np.ndarray) else tensor(value)


def _raw(data: Any) -> Any:
    if isinstance(data, Tensor):
        return concrete(data, "making a cell of")
    array = np.array(data)
    if not isinstance(data, np.ndarray | np.generic) and array.dtype == F64:
        array = array.astype(F32)
    _check_dtype(array)
    return array


def _check_dtype(array: Any) -> None:
    if array.dtype.kind not in "fiub":
        raise ShapeError(
            "a tensor holds numbers", expected="floats, integers or bools", got=array.dtype
        )


# -- where a gradient may start


def check_root(out: Tensor, gradient: Any) -> None:
    """Refuse a result that no gradient can start from, saying where the chain is broken."""
    if not out.requires_grad:
        raise _broken(out)
    if gradient is None and out.size != 1:
        raise GradientError(
            "a gradient is taken of one number",
            expected="a loss of one element",
            got=_spec(out),
            hint="take the mean or the sum first, or pass gradient=",
        )
    if gradient is not None and as_tensor(gradient).shape != out.shape:
        raise ShapeError(
            "the incoming gradient has the output's shape",
            expected=_spec(out),
            got=_spec(as_tensor(gradient)),
        )


def _broken(out: Tensor) -> GradientError:
    recorder = RECORDER.get()
    made = recorder.breaks_at(out.array) if recorder is not None else None
    if made is not None:
        place = f"{made.line}, in layer {made.scope}" if made.scope else made.line
        why = made.op.formula.partition("none: ")[2] or "only real numbers have a slope"
        return GradientError(
            f"the chain from the parameters to this loss breaks at {made.op.name} ({place})",
            expected="ops with a gradient all the way",
            got=f"{made.op.name} to {Spec(made.outputs[0].shape, made.outputs[0].dtype)}: {why}",
            hint="a loss that bends: the MSE family for numbers, cross-entropy for classes",
        )
    return GradientError(
        "nothing that this tensor was computed from wants a gradient",
        got=_spec(out),
        hint="is a parameter frozen, a tensor detached, or was it computed under no_grad or by "
        "an op without a gradient, such as a comparison or a cast to integers? "
        "In a step under cr.compile the error names the place",
    )


def ones_like_root(like: Tensor) -> Raw:
    """The gradient that flows into a result when none is given: 1."""
    raw = like.array
    if isinstance(raw, Symbol):
        return full(shape=raw.shape, value=1.0, dtype=raw.dtype.name)
    return raw.dtype.type(1) if not raw.shape else np.ones(raw.shape, raw.dtype)


# -- small helpers


def matmul(x: Any, y: Any) -> Tensor:
    """The matrix product; leading axes are batches, as in NumPy's matmul.

    >>> matmul(tensor([[1.0, 2.0]]), tensor([[3.0], [4.0]])).item()
    11.0
    """
    x, y = as_tensor(x), as_tensor(y)
    if x.ndim == 0 or y.ndim == 0:
        raise ShapeError("a matrix product needs axes", got=f"{_spec(x)} and {_spec(y)}")
    batch = "abcdefgh"
    if x.ndim <= 2 or y.ndim <= 2 or x.shape[:-2] == y.shape[:-2]:
        left = batch[: max(x.ndim - 2, 0)]
        right = batch[: max(y.ndim - 2, 0)]
        longer = left if len(left) >= len(right) else right
        row, col = "i" * (x.ndim > 1), "j" * (y.ndim > 1)
        dims = f"{left}{row}k,{right}k{col}->{longer}{row}{col}"
        return as_tensor(contract(x, y, dims=dims))
    try:
        lead = np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
    except ValueError:
        raise ShapeError(
            "the batches of a matrix product do not broadcast", got=f"{_spec(x)} and {_spec(y)}"
        ) from None
    return matmul(
        broadcast_to(x, shape=(*lead, *x.shape[-2:])), broadcast_to(y, shape=(*lead, *y.shape[-2:]))
    )


def _axes(axis: Axis, ndim: int) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(ndim))
    if isinstance(axis, tuple | list):
        axes = tuple([_axis(a, ndim) for a in axis])
    else:
        axes = (_axis(axis, ndim),)  # type: ignore[arg-type]
    if len(axes) > 1 and len(set(axes)) < len(axes):
        raise ShapeError("an axis is named twice", got=axis)
    return axes


def _axis(axis: int, ndim: int) -> int:
    """The axis counted from the first."""
    if not -ndim <= axis < ndim:
        raise ShapeError(
            "no such axis",
            expected=f"{-ndim} to {ndim - 1}",
            got=axis,
            hint="axes are counted from 0, or from -1 backwards",
        )
    return operator.index(axis) % ndim


def _count(x: Tensor, axes: tuple[int, ...]) -> int:
    """How many elements go into one of the results."""
    return math.prod([x.shape[axis] for axis in axes])


def _over(total: Tensor, count: float) -> Tensor:
    """A total divided by a count; nan where there is nothing to count."""
    found: Tensor = p.div(total, count) if count > 0 else p.mul(total, _NAN)
    return found


def _reduced(op: Callable[..., Any], x: Any, axis: Axis, keepdims: bool) -> Tensor:
    return _folded(op, x, _axes(axis, x.ndim), keepdims)


def _folded(op: Callable[..., Any], x: Any, axes: tuple[int, ...], keepdims: bool) -> Tensor:
    out = op(x, axes=axes)
    if keepdims:
        out = reshape(out, shape=tuple(1 if i in axes else n for i, n in enumerate(x.shape)))
    return as_tensor(out)


def _sizes(shape: tuple[int | Sequence[int], ...]) -> tuple[int, ...]:
    """The sizes given one by one, or as one sequence."""
    sizes = shape[0] if len(shape) == 1 and isinstance(shape[0], Sequence) else shape
    return tuple([operator.index(n) for n in sizes])  # type: ignore[arg-type]


def _bools(sign: str, x: Any) -> Any:
    if x is not True and x is not False and getattr(x, "dtype", None) != BOOL:
        raise ShapeError(
            f"{sign} joins truth values",
            expected="bool",
            got=x if np.isscalar(x) else _spec(x),
            hint="compare first, as in (a > 0) & (b > 0)",
        )
    return x


def _copied(kind: type[Cell], held: Raw, name: str, requires_grad: bool, gradient: Raw) -> Cell:
    cell = kind(held, name=name)
    cell.requires_grad = requires_grad
    if gradient is not None:
        cell.grad_cell.hold(gradient)
    return cell


def _spec(x: Value) -> Spec:
    return Spec(tuple(x.shape), x.dtype)


def _written(raw: Any, dtype: DType, origin: Origin, name: str = "tensor") -> str:
    text = np.array2string(np.asarray(raw), precision=4, separator=", ", prefix=f"{name}(")
    extra: str = "" if dtype in (F32, I64, BOOL) else f", dtype={dtype.name}"
    if origin is not None:
        extra += ", requires_grad=True" if type(origin) is not tuple else f", from={origin[1].name}"
    return f"{name}({text}{extra})"
