"""Tensor, the Value with operators and methods: no mathematics of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

import chainrule.ops  # noqa: F401 - registers every op
from chainrule.core import record as _record
from chainrule.core.record import concrete, mark
from chainrule.core.state import RECORDER
from chainrule.core.sweep import sweep
from chainrule.core.value import Origin, Symbol, Value
from chainrule.errors import SettingError, ShapeError
from chainrule.indexing import item as item_of
from chainrule.ops import pointwise as p
from chainrule.ops.contract import contract
from chainrule.ops.reduce import broadcast_to
from chainrule.spec import BOOL, F32, F64, I32, I64, DType, dtype_of
from chainrule.tensors import along, elementwise, shapes
from chainrule.tensors.html import tensor_html
from chainrule.tensors.roots import broken, check_root, ones_like_root, spec_of

Arguments = ParamSpec("Arguments")


def _method(
    function: Callable[Concatenate[Any, Arguments], Any],
) -> Callable[Concatenate[Any, Arguments], Tensor]:
    """The function as it is, for type checkers known to give a tensor."""
    return function


class Tensor(Value):
    """An immutable n-dimensional array with a dtype and, where it was computed, an origin.

    Operators and methods follow PyTorch; axes may be called NumPy's `axis` and `keepdims`, or
    PyTorch's `dim` and `keepdim`. A method without a text of its own is an op or a function of
    the same name.

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
    exp, expm1, log, log1p, sqrt, square = p.exp, p.expm1, p.log, p.log1p, p.sqrt, p.square
    sin, cos, tanh, sigmoid, relu, erf = p.sin, p.cos, p.tanh, p.sigmoid, p.relu, p.erf
    abs, neg, sign, floor, isfinite = p.absolute, p.neg, p.sign, p.floor, p.isfinite
    add, sub, mul, div, pow = p.add, p.sub, p.mul, p.div, p.power
    maximum, minimum, logaddexp = p.maximum, p.minimum, p.logaddexp
    gt, ge, lt, le, eq, ne = p.greater, p.greater_equal, p.less, p.less_equal, p.equal, p.not_equal

    # Functions of the same names.
    sum = _method(along.sum)
    mean = _method(along.mean)
    var = _method(along.var)
    std = _method(along.std)
    max = _method(along.max)
    min = _method(along.min)
    amax = _method(along.amax)
    amin = _method(along.amin)
    argmax = _method(along.argmax)
    argmin = _method(along.argmin)
    all = _method(along.all)
    any = _method(along.any)
    norm = _method(along.norm)
    softmax = _method(along.softmax)
    log_softmax = _method(along.log_softmax)
    logsumexp = _method(along.logsumexp)
    clamp = _method(elementwise.clamp)
    isnan = _method(elementwise.isnan)
    masked_fill = _method(elementwise.masked_fill)
    reciprocal = _method(elementwise.reciprocal)
    rsqrt = _method(elementwise.rsqrt)
    clip = clamp
    reshape = _method(shapes.reshape)
    view_as = _method(shapes.view_as)
    flatten = _method(shapes.flatten)
    unsqueeze = _method(shapes.unsqueeze)
    squeeze = _method(shapes.squeeze)
    permute = _method(shapes.permute)
    transpose = _method(shapes.transpose)
    t = _method(shapes.t)
    clone = _method(shapes.clone)
    expand = _method(shapes.expand)
    expand_as = _method(shapes.expand_as)
    repeat = _method(shapes.repeat)
    flip = _method(shapes.flip)
    gather = _method(shapes.gather)
    index_select = _method(shapes.index_select)
    tril = _method(shapes.tril)
    triu = _method(shapes.triu)
    view, reshape_as, swapaxes = reshape, view_as, transpose
    split, chunk, unbind = shapes.split, shapes.chunk, shapes.unbind
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

    def matmul(self, other: Any) -> Tensor:
        """The matrix product; leading axes are batches."""
        return matmul(self, other)

    __matmul__ = mm = bmm = dot = matmul

    def __rmatmul__(self, other: Any) -> Tensor:
        return matmul(as_tensor(other), self)

    @property
    def T(self) -> Tensor:  # noqa: N802 - NumPy's and PyTorch's name
        """The axes in reverse order."""
        return self.t()

    @property
    def mT(self) -> Tensor:  # noqa: N802 - the Array API's and PyTorch's name
        """A matrix, or matrices, with the last two axes exchanged."""
        return self.transpose(-1, -2)

    def __getitem__(self, key: Any) -> Tensor:
        return as_tensor(item_of(self, key))

    def __len__(self) -> int:
        if not self.shape:
            raise ShapeError("a 0-d tensor has no length", got=spec_of(self))
        return self.shape[0]

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    # -- out of the tensor

    def item(self) -> Any:
        """The one number in the tensor, as a Python number."""
        raw = concrete(self, "item()")
        if raw.size != 1:
            raise ShapeError("item() needs a tensor of one element", got=spec_of(self))
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
            raise TypeError(f"only a 0-d integer tensor is an index, not {spec_of(self)}")
        return int(concrete(self, "an index"))

    def __format__(self, form: str) -> str:
        return format(self.item(), form) if form else str(self)

    def __repr__(self) -> str:
        if isinstance(self.array, Symbol):
            return f"<{self.array}: {spec_of(self)}>"
        return written(self.array, self.dtype, self.origin)

    def _repr_html_(self) -> str | None:
        return None if isinstance(self.array, Symbol) else tensor_html(self.array, "tensor")

    # -- dtype and history

    def to(self, dtype: DTypeLike) -> Tensor:
        """The same numbers in another dtype; "cpu", the one device there is, changes nothing."""
        wanted = dtype_of(dtype, self.dtype)
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

    def contiguous(self) -> Tensor:
        """The tensor itself: how it lies in memory is not for its user to know."""
        return self

    cpu = contiguous

    def numel(self) -> int:
        """The number of elements."""
        return self.size

    def dim(self) -> int:
        """The number of axes."""
        return self.ndim

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
        seed = None if gradient is None else as_tensor(gradient)
        check_root(self, seed)
        with mark(phase="backward"):
            g = ones_like_root(self) if seed is None else seed.array
            found = sweep([(self.origin, g)])
            if not found:
                raise broken(self)
            for leaf, g in found:
                cell = leaf()
                if cell is not None:  # else nobody can ask for its gradient any more
                    cell.accumulate(g)

    # Last, for behind them `int` and `bool` are no types any more.

    def int(self) -> Tensor:
        """In int32."""
        return self.to(I32)

    def bool(self) -> Tensor:
        """Whether the elements are not 0."""
        return self.to(BOOL)


_record.results_are(Tensor)


# -- making tensors


def from_numpy(array: Any) -> Tensor:
    """A tensor that shares the array's memory, which must not be written to afterwards."""
    check_dtype(array)
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
    return from_numpy(value) if isinstance(value, np.ndarray) else made(array_of(value))


def array_of(data: ArrayLike, dtype: DTypeLike | None = None) -> Any:
    """A copy of the numbers of `data`: float32 and int64 where nothing else is said."""
    array = np.array(data, dtype=dtype)
    if dtype is None and not isinstance(data, np.ndarray | np.generic | Tensor):
        array = array.astype({"f": F32, "i": I64}.get(array.dtype.kind, array.dtype), copy=False)
    check_dtype(array)
    return array


def check_dtype(array: Any) -> None:
    """Refuse what is no array of numbers, with a ShapeError."""
    if array.dtype.kind not in "fiub":
        raise ShapeError(
            "a tensor holds numbers", expected="floats, integers or bools", got=array.dtype
        )


def matmul(x: Any, y: Any) -> Tensor:
    """The matrix product; leading axes are batches, as in NumPy's matmul.

    >>> import chainrule as cr
    >>> cr.matmul(cr.tensor([[1.0, 2.0]]), cr.tensor([[3.0], [4.0]])).item()
    11.0
    """
    x, y = as_tensor(x), as_tensor(y)
    if x.ndim == 0 or y.ndim == 0:
        raise ShapeError("a matrix product needs axes", got=f"{spec_of(x)} and {spec_of(y)}")
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
            "the batches of a matrix product do not broadcast", got=f"{spec_of(x)} and {spec_of(y)}"
        ) from None
    return matmul(
        broadcast_to(x, shape=(*lead, *x.shape[-2:])), broadcast_to(y, shape=(*lead, *y.shape[-2:]))
    )


def _bools(sign: str, x: Any) -> Any:
    if x is not True and x is not False and getattr(x, "dtype", None) != BOOL:
        raise ShapeError(
            f"{sign} joins truth values",
            expected="bool",
            got=x if np.isscalar(x) else spec_of(x),
            hint="compare first, as in (a > 0) & (b > 0)",
        )
    return x


def written(raw: Any, dtype: DType, origin: Origin, name: str = "tensor") -> str:
    """A tensor as it is shown: numbers, dtype, and where it came from."""
    text = np.array2string(np.asarray(raw), precision=4, separator=", ", prefix=f"{name}(")
    extra: str = "" if dtype in (F32, I64, BOOL) else f", dtype={dtype.name}"
    if origin is not None:
        extra += ", requires_grad=True" if type(origin) is not tuple else f", from={origin[1].name}"
    return f"{name}({text}{extra})"
