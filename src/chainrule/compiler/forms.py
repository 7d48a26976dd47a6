"""The structure of a step's arguments and results: where in tuples, lists and dicts tensors are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.compiler.surroundings import Same, frozen
from chainrule.core.value import Raw
from chainrule.errors import RecordingError
from chainrule.spec import Spec
from chainrule.tensors import Cell, Tensor

Shape = Any  # a nested structure of arguments or results, with a Slot where a tensor stands


@dataclass(frozen=True)
class Slot:
    """Where a tensor stands among the arguments or results."""

    number: int
    spec: Spec | None = None


def raws(args: tuple[Any, ...]) -> list[Raw] | None:
    """The arrays of arguments that are tensors or arrays, each of them; else None."""
    raws = []
    for value in args:
        if type(value) is Tensor:
            raws.append(value.array)
        elif type(value) is np.ndarray:
            raws.append(value)
        else:
            return None
    return raws


def flatten(value: Any, leaves: list[Raw], results: bool = False) -> Shape:
    """The structure of `value` with a Slot for every tensor, which goes into `leaves`."""
    if isinstance(value, Cell) and not results:
        return Same(value)
    if isinstance(value, Tensor | np.ndarray):
        raw = value.array if isinstance(value, Tensor) else value
        leaves.append(raw)
        return Slot(len(leaves) - 1, None if results else Spec(tuple(raw.shape), raw.dtype))
    if type(value) in (tuple, list):
        return type(value), tuple([flatten(item, leaves, results) for item in value])
    if type(value) is dict:
        items = [(key, flatten(item, leaves, results)) for key, item in value.items()]
        return dict, tuple(items)
    return ("fixed", Same(value)) if results else frozen(value)


def unflatten(shape: Shape, results: tuple[Raw, ...]) -> Any:
    """The structure with a tensor in every slot."""
    if isinstance(shape, Slot):
        return Tensor(results[shape.number])
    kind, items = shape
    if kind == "fixed":
        return items.thing
    if kind is dict:
        return {key: unflatten(item, results) for key, item in items}
    return kind(unflatten(item, results) for item in items)


def specs(shape: Shape) -> list[Spec]:
    """The specs of the slots, in order."""
    if isinstance(shape, Slot):
        if shape.spec is None:
            raise RecordingError("a slot of the arguments has no spec")
        return [shape.spec]
    if isinstance(shape, tuple) and len(shape) == 2 and shape[0] in (tuple, list):
        return [spec for item in shape[1] for spec in specs(item)]
    if isinstance(shape, tuple) and len(shape) == 2 and shape[0] is dict:
        return [spec for _, item in shape[1] for spec in specs(item)]
    return []


def with_symbols(value: Any, symbols: Any) -> Any:
    """The arguments with a symbol in place of every tensor."""
    if isinstance(value, Cell):
        return value
    if isinstance(value, Tensor | np.ndarray):
        return next(symbols)
    if type(value) in (tuple, list):
        return type(value)(with_symbols(item, symbols) for item in value)
    if type(value) is dict:
        return {key: with_symbols(item, symbols) for key, item in value.items()}
    return value
