"""Where in a sequence something stands: fixed waves added to it, or turns of its halves."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from chainrule.errors import SettingError, ShapeError
from chainrule.functional.common import spec_text
from chainrule.ops import pointwise as p
from chainrule.ops.create import iota
from chainrule.ops.layout import concat, reshape
from chainrule.ops.layout import slice as slice_op
from chainrule.spec import F32
from chainrule.tensors import Tensor, as_tensor


def sinusoidal_positions(
    length: int, width: int, base: float = 10000.0, dtype: DTypeLike | None = None
) -> Tensor:
    """Column 2i is sin(t / base^(2i / width)), column 2i + 1 the cosine, for positions t.

    Gives [length, width], width even; float32 if `dtype` is None. Raises SettingError for an odd
    width. Source: A. Vaswani et al., "Attention is all you need", 2017.

    >>> sinusoidal_positions(2, 2)
    tensor([[0.    , 1.    ],
            [0.8415, 0.5403]])
    """
    _check_even("sinusoidal positions", width)
    wanted = np.dtype(F32 if dtype is None else dtype)
    angles = _angles(iota(shape=(length,), axis=0, dtype="int64"), width, base)
    both = [reshape(wave(angles), shape=(*angles.shape, 1)) for wave in (p.sin, p.cos)]
    table = reshape(concat(*both, axis=2), shape=(length, width))
    return as_tensor(p.cast(table, dtype=wanted.name))


def rotary_positions(
    input: Tensor, positions: Tensor | None = None, base: float = 10000.0
) -> Tensor:
    """Each pair (x₂ᵢ, x₂ᵢ₊₁) turned by the angle t / base^(2i / width), t its place.

    So the product of a query and a key depends on how far apart they stand. input: [..., time,
    width], width even; `positions`: integers [time], 0, 1, ... if None; gives input's shape. Raises
    ShapeError when they do not fit. Source: J. Su et al., "RoFormer: enhanced transformer with
    rotary position embedding", 2021.

    >>> import chainrule as cr
    >>> rotary_positions(cr.tensor([[1.0, 0.0], [1.0, 0.0]]))
    tensor([[1.    , 0.    ],
            [0.5403, 0.8415]])
    """
    if input.ndim < 2 or input.shape[-1] % 2:
        raise ShapeError(
            "rotary positions turn pairs of numbers",
            expected="[..., time, width] with an even width",
            got=spec_text(input),
            hint="an even width for every head",
        )
    time, width = input.shape[-2:]
    if positions is not None and positions.shape != (time,):
        raise ShapeError(
            "rotary positions: every place has one position",
            expected=f"positions of shape [{time}]",
            got=spec_text(positions),
            hint="leave positions out to count from 0",
        )
    places = iota(shape=(time,), axis=0, dtype="int64") if positions is None else positions.array
    angles = _angles(places, width, base)
    cos, sin = (
        reshape(p.cast(wave(angles), dtype=input.dtype.name), shape=(time, width // 2, 1))
        for wave in (p.cos, p.sin)
    )
    pairs = reshape(input, shape=(*input.shape[:-1], width // 2, 2))
    first, second = (_part(pairs, at) for at in (0, 1))
    turned = (
        p.sub(p.mul(first, cos), p.mul(second, sin)),
        p.add(p.mul(first, sin), p.mul(second, cos)),
    )
    return as_tensor(reshape(concat(*turned, axis=pairs.ndim - 1), shape=input.shape))


def _part(pairs: Any, at: int) -> Any:
    """The first or the second of every pair, along a last axis of size 1."""
    lead = pairs.shape[:-1]
    return slice_op(
        pairs, start=(*(0,) * len(lead), at), stop=(*lead, at + 1), step=(1,) * pairs.ndim
    )


def _angles(places: Any, width: int, base: float) -> Any:
    """[time, width / 2] in float64: as float32 a far position's angle would be off."""
    rates = iota(shape=(1, width // 2), axis=1, dtype="float64")
    rates = p.exp(p.mul(rates, -2.0 * math.log(base) / width))
    return p.mul(reshape(p.cast(places, dtype="float64"), shape=(places.shape[0], 1)), rates)


def _check_even(what: str, width: int) -> None:
    if width % 2 or width < 1:
        raise SettingError(f"{what} come in pairs", expected="an even width", got=width)
