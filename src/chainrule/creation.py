"""Tensors out of nothing, with PyTorch's names, arguments and defaults.

While a step is recorded these are instructions (`full`, `iota`, `random_uniform`), not arrays that
were baked into it: each run of the step makes, or draws, its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from chainrule.core.value import Raw
from chainrule.errors import SettingError
from chainrule.generator import Generator, default_generator
from chainrule.ops import create
from chainrule.ops import pointwise as p
from chainrule.spec import F32, I64, Number
from chainrule.tensors import Cell, Tensor, as_tensor

Size = int | Sequence[int]


def zeros(*size: Size, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """Zeros, float32 unless `dtype` says otherwise.

    `size`: the sizes one by one, or as one sequence. With `requires_grad` it is a Cell.

    >>> zeros(2, 3).shape
    (2, 3)
    """
    return _filled(_shape(size), 0, dtype or F32, requires_grad)


def ones(*size: Size, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """Ones, float32 unless `dtype` says otherwise; see `zeros`.

    >>> ones(2)
    tensor([1., 1.])
    """
    return _filled(_shape(size), 1, dtype or F32, requires_grad)


def empty(*size: Size, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """What is to be overwritten: zeros here, so that the same program gives the same numbers."""
    return zeros(*size, dtype=dtype, requires_grad=requires_grad)


def full(
    size: Size, fill_value: float, *, dtype: DTypeLike | None = None, requires_grad: bool = False
) -> Tensor:
    """`fill_value` everywhere; without `dtype`, float32 of a float, int64 of an integer, or bool.

    >>> full((2,), 7)
    tensor([7, 7])
    """
    return _filled(_shape((size,)), fill_value, dtype or _dtype_of(fill_value), requires_grad)


def zeros_like(
    input: Any, *, dtype: DTypeLike | None = None, requires_grad: bool = False
) -> Tensor:
    """Zeros in the shape of `input`, and in its dtype unless `dtype` says otherwise."""
    return full_like(input, 0, dtype=dtype, requires_grad=requires_grad)


def ones_like(input: Any, *, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """Ones in the shape of `input`, and in its dtype unless `dtype` says otherwise."""
    return full_like(input, 1, dtype=dtype, requires_grad=requires_grad)


def full_like(
    input: Any, fill_value: float, *, dtype: DTypeLike | None = None, requires_grad: bool = False
) -> Tensor:
    """`fill_value` in the shape of `input`, and in its dtype unless `dtype` says otherwise."""
    like = as_tensor(input)
    return _filled(like.shape, fill_value, dtype or like.dtype, requires_grad)


def arange(
    start: float,
    end: float | None = None,
    step: float = 1,
    *,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """start, start + step, ... below `end` (above, for a negative step); arange(n) counts from 0.

    Without `dtype`, integers give int64 and any float float32. Raises SettingError for a step of 0
    or one that leads away from `end`.

    >>> arange(2, 11, 3)
    tensor([2, 5, 8])
    """
    if end is None:
        start, end = 0, start
    if step == 0 or (end - start) / step < 0:
        raise SettingError(
            "arange steps from start to end", expected="a step towards end", got=(start, end, step)
        )
    count = math.ceil((end - start) / step)
    whole = all(isinstance(one, int | np.integer) for one in (start, end, step))
    counted = create.iota(shape=(count,), axis=0, dtype="int64" if whole else "float64")
    steps = counted if step == 1 else p.mul(counted, step)
    return _given(steps if start == 0 else p.add(steps, start), dtype or (I64 if whole else F32),
                  requires_grad)  # fmt: skip


def linspace(
    start: float,
    end: float,
    steps: int,
    *,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """`steps` numbers from `start` to `end`, both included, at equal distances; float32.

    >>> linspace(0, 1, 5)
    tensor([0.  , 0.25, 0.5 , 0.75, 1.  ])
    """
    if steps < 0:
        raise SettingError("linspace counts its steps", expected="at least 0", got=steps)
    width = (end - start) / max(steps - 1, 1)
    at = create.iota(shape=(steps,), axis=0, dtype="float64")
    # From either end to the middle, so that both ends are met exactly.
    rising = p.add(p.mul(at, width), float(start))
    falling = p.sub(float(end), p.mul(p.sub(float(steps - 1), at), width))
    return _given(p.where(p.less(at, steps / 2), rising, falling), dtype or F32, requires_grad)


def eye(
    n: int, m: int | None = None, *, dtype: DTypeLike | None = None, requires_grad: bool = False
) -> Tensor:
    """Ones on the diagonal of an n by m (m: n) matrix of zeros; float32.

    >>> eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    shape = (n, n if m is None else m)
    row, column = (create.iota(shape=shape, axis=axis, dtype="int64") for axis in (0, 1))
    return _given(p.equal(row, column), dtype or F32, requires_grad)


# -- random; the generator is the default one unless it is named


def rand(
    *size: Size,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Uniform random numbers of [0, 1); float32 unless `dtype` is float64.

    >>> import chainrule as cr
    >>> bool((rand(1000) < 1).numpy().all())
    True
    """
    drawn = (generator or default_generator).uniform(_shape(size), dtype or F32)
    return _given(drawn.array, drawn.dtype, requires_grad)


def randn(
    *size: Size,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Normal random numbers of mean 0 and deviation 1; float32 unless `dtype` is float64.

    >>> abs(randn(10000).mean().item()) < 0.05
    True
    """
    drawn = (generator or default_generator).normal(_shape(size), dtype or F32)
    return _given(drawn.array, drawn.dtype, requires_grad)


def randint(
    low: int,
    high: int | Size,
    size: Size | None = None,
    *,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
) -> Tensor:
    """Random integers from `low` (0 in randint(high, size)) up to high - 1; int64.

    >>> sorted(set(randint(3, (100,)).tolist()))
    [0, 1, 2]
    """
    bottom, top, shape = (0, low, high) if size is None else (low, high, size)
    if not isinstance(top, int | np.integer):
        raise SettingError("randint draws below high", expected="an integer", got=repr(top))
    drawn = (generator or default_generator).randint(bottom, int(top), _shape((shape,)))
    return _given(drawn.array, dtype or I64, requires_grad=False)


def randperm(n: int, *, generator: Generator | None = None) -> Tensor:
    """The integers from 0 up to n - 1 in random order; int64. Not while a step is recorded.

    >>> sorted(randperm(4).tolist())
    [0, 1, 2, 3]
    """
    return (generator or default_generator).permutation(n)


def rand_like(input: Any, *, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """Uniform random numbers of [0, 1) in the shape and dtype of `input`."""
    like = as_tensor(input)
    return rand(like.shape, dtype=dtype or like.dtype, requires_grad=requires_grad)


def randn_like(
    input: Any, *, dtype: DTypeLike | None = None, requires_grad: bool = False
) -> Tensor:
    """Normal random numbers in the shape and dtype of `input`."""
    like = as_tensor(input)
    return randn(like.shape, dtype=dtype or like.dtype, requires_grad=requires_grad)


# -- what they share


def _shape(size: tuple[Any, ...]) -> tuple[int, ...]:
    """The sizes given one by one, or as one sequence."""
    if len(size) == 1 and not isinstance(size[0], int | np.integer):
        size = tuple(size[0])
    if any(not isinstance(n, int | np.integer) or n < 0 for n in size):
        raise SettingError("not a shape", expected="integers of at least 0", got=size)
    return tuple(map(int, size))


def _dtype_of(value: Any) -> Any:
    plain = value.item() if isinstance(value, np.generic) else value
    return Number(plain).dtype


def _filled(shape: Sequence[int], value: Any, dtype: DTypeLike, requires_grad: bool) -> Tensor:
    name = np.dtype(dtype).name
    plain = value.item() if isinstance(value, np.generic | Tensor) else value
    return _given(create.full(shape=tuple(shape), value=plain, dtype=name), dtype, requires_grad)


def _given(raw: Raw, dtype: DTypeLike, requires_grad: bool) -> Tensor:
    """The tensor, or cell, of a raw in this dtype."""
    wanted = np.dtype(dtype)
    made = as_tensor(raw if raw.dtype == wanted else p.cast(raw, dtype=wanted.name))
    return Cell(made, "tensor", True) if requires_grad else made


__all__ = [
    "arange", "empty", "eye", "full", "full_like", "linspace", "ones", "ones_like",
    "rand", "rand_like", "randint", "randn", "randn_like", "randperm", "zeros", "zeros_like",
]  # fmt: skip
