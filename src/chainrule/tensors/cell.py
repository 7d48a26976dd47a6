"""Cell, the place that holds a tensor and can be assigned: parameters, buffers, numbers."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

import chainrule.ops  # noqa: F401 - registers every op
from chainrule.core.record import concrete
from chainrule.core.state import RECORDER, is_grad_enabled
from chainrule.core.value import Origin, Raw
from chainrule.errors import GradientError, SettingError, ShapeError
from chainrule.ops import pointwise as p
from chainrule.ops.create import full
from chainrule.spec import F32, F64
from chainrule.tensors.html import tensor_html
from chainrule.tensors.roots import spec_of
from chainrule.tensors.tensor import Tensor, array_of, as_tensor, check_dtype, made, written


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
                f"{self.name or 'a cell'} keeps its shape",
                expected=spec_of(self),
                got=spec_of(tensor),
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
                got=f"{self.name or 'tensor'}: {spec_of(self)}",
            )
        self.origin = weakref.ref(self) if wanted else None  # weak: no cycle, freed at once

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Set `requires_grad`; gives the cell."""
        self.requires_grad = requires_grad
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
                    expected=spec_of(self),
                    got=spec_of(value),
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
        recorder = RECORDER.get()
        if recorder is not None:  # for those who open the step, should it clear what is gathered
            recorder.gradients[self.array] = cell.array

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
        return written(self._held, self._held.dtype, self.origin, type(self).__name__)

    def _repr_html_(self) -> str | None:
        name = f"{type(self).__name__} {self.name}".strip()
        return None if self._held is None else tensor_html(self._held, name)


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


def tensor(data: ArrayLike, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """A tensor of `data` (numbers, nested lists, or an array, which is copied).

    Floats become float32 unless `dtype` or an array's own dtype says otherwise, integers int64.
    With `requires_grad` it is a Cell, which gathers a gradient and can be assigned.

    >>> tensor([1, 2, 3])
    tensor([1, 2, 3])
    """
    array = array_of(data, dtype)
    return Cell(array, "tensor", True) if requires_grad else made(array)


def _raw(data: Any) -> Any:
    if isinstance(data, Tensor):
        return concrete(data, "making a cell of")
    array = np.array(data)
    if not isinstance(data, np.ndarray | np.generic) and array.dtype == F64:
        array = array.astype(F32)
    check_dtype(array)
    return array


def _copied(kind: type[Cell], held: Raw, name: str, requires_grad: bool, gradient: Raw) -> Cell:
    cell = kind(held, name=name)
    cell.requires_grad = requires_grad
    if gradient is not None:
        cell.grad_cell.hold(gradient)
    return cell
