"""The record that is everything about an op, the registry of records, the kinds of lowering."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chainrule.spec import DType

OPS: dict[str, Op] = {}
"""Every op by name."""

CALLS: dict[str, Callable[..., Any]] = {}
"""For every op the function that applies it."""


@dataclass(frozen=True, eq=False, slots=True)
class Op:
    """A kind of primitive operation.

    Rules name what they need. A function in `grad` takes the incoming gradient `g`, then any of
    `out`, the inputs, and an input's `x_shape`, then every setting by name: history keeps only
    what was named. A single joint function (for ops of many outputs) takes `g, out, *inputs`,
    `needed` (which inputs want a gradient) and the settings, and gives a gradient per input.
    """

    name: str
    doc: str  # what it computes, and what it does at ties, kinks and edges
    formula: str  # the local derivative as a person writes it
    inputs: tuple[str, ...]  # their names; "*xs" at the end takes any number
    spec: Callable[..., Any]  # specs, settings -> Spec or Specs; words the errors of its arguments
    forward: Callable[..., Any]  # raws, settings -> array or arrays, in NumPy
    grad: tuple[Callable[..., Any] | None, ...] | Callable[..., Any]
    lower: Kind
    samples: Callable[..., list[tuple[list[Any], dict[str, Any]]]]  # rng -> [(inputs, settings)]
    dtypes: Callable[..., tuple[DType | None, ...]] | None = None  # pointwise: the dtype per input
    peer: Callable[..., Any] | None = None  # the same in PyTorch: (torch, *inputs, **settings)
    # The ONNX standard's operator of the same inputs, or `(to, *inputs, **settings)`, which writes
    # nodes by calling `to(operator, *inputs, **attributes)` and gives the last one's output(s):
    onnx: str | Callable[..., Any] | None = None
    written: str = ""  # as a person writes it, such as "x + y"; if empty, name(x, y)
    # Worked out by define() from the names of the rules' arguments:
    picks: tuple[
        Callable[..., tuple[Any, ...]], ...
    ] = ()  # per rule: what it named, of what is saved
    keep: tuple[bool, ...] = ()  # which of (out, *inputs) any rule named


class Kind:  # plain, and its kinds nearly so: each frozen dataclass costs a millisecond at import
    """How an op is turned into machine code. Passes and planning know kinds, never names."""


@dataclass(eq=False, repr=False)
class Pointwise(Kind):
    """Element by element: `expression(e, *inputs, **settings)` over an emitter of operations.

    Takes equal shapes and dtypes in a Program, where broadcasts and casts are instructions.
    """

    expression: Callable[..., Any]


@dataclass(eq=False, repr=False)
class Reduce(Kind):
    """A fold over axes: `combine` is the name of the emitter's operation, `start` its identity."""

    combine: str
    start: float


@dataclass(eq=False, repr=False)
class Reindex(Kind):
    """The same elements elsewhere.

    `index(at, shape, **settings)` gives, for an output position `at` (an array per axis), where
    in the input of `shape` the element comes from, as sums of positions times numbers. With
    `keeps_order` the elements keep their row-major order, and there is no such sum.
    """

    index: Callable[..., tuple[Any, ...]]
    keeps_order: bool = False


@dataclass(eq=False, repr=False)
class Place(Kind):
    """The elements put into zeros, or into the setting `value`: `index(at, **settings)` says where.

    `at` is the position of the element in the input.
    """

    index: Callable[..., tuple[Any, ...]]


class Join(Kind):
    """Inputs laid end to end along the axis named in the settings."""


@dataclass(eq=False, repr=False)
class Create(Kind):
    """No inputs; `expression(e, *position, **settings)` of the element's position."""

    expression: Callable[..., Any]


class Contract(Kind):
    """Products summed over named dimensions, from the setting `dims` as in einsum."""


@dataclass(eq=False, repr=False)
class Composite(Kind):
    """One op to people and NumPy: `expand(*inputs, **settings)` is the same written in others."""

    expand: Callable[..., Any]


@dataclass(eq=False, repr=False)
class Index(Kind):
    """Rows read or added by integer index; `adds` is true for scatter-add."""

    adds: bool


class Random(Kind):
    """Numbers that are a pure function of (seed, draw, position)."""


class Scan(Kind):
    """A body Program repeated along the first axis."""


class Opaque(Kind):
    """NumPy only: correct first, fast later."""
