"""Numbers as people read them, and dataclasses with arrays as JSON."""

from __future__ import annotations

import json
import math
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

WHOLE = 64
"""An array of more elements than this is told by its statistics, unless all of it is asked for."""

NOTHING = 1e-6
"""What is smaller than this share of what it was added up from is rounding, shown as 0."""


def number(value: Any, scale: float = 0.0) -> str:
    """A number with four digits that mean something; 0 where it is only rounding beside `scale`.

    >>> number(-0.30000001192), number(7.45e-9, scale=0.5), number(1234567.0), number(True)
    ('-0.3', '0', '1.235e+06', 'true')
    """
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, int | np.integer):
        return str(value)
    plain = float(value)
    if not math.isfinite(plain):
        return str(plain)
    text = f"{plain:.4g}"
    return "0" if abs(plain) < NOTHING * scale or float(text) == 0 else text


def numbers(values: NDArray[Any], most: int = 8) -> str:
    """An array as text: its numbers if they are few, else how many, and from where to where.

    >>> numbers(np.array([1.0, -0.5])), numbers(np.array(2.0))
    ('[1, -0.5]', '2')
    >>> numbers(np.arange(100.0))
    '100 numbers from 0 to 99, mean 49.5, 1 is 0'
    """
    if values.ndim == 0:
        return number(values.item())
    flat = values.reshape(-1)
    if flat.size <= most:
        scale = float(np.abs(flat).max(initial=0.0)) if flat.dtype.kind == "f" else 0.0
        return f"[{', '.join(number(one, scale) for one in flat.tolist())}]"
    if flat.dtype.kind == "b":
        return f"{flat.size:,} truth values, {int(flat.sum()):,} true"
    finite = flat[np.isfinite(flat)]
    odd = f", {flat.size - finite.size:,} not finite" if finite.size < flat.size else ""
    if not finite.size:
        return f"{flat.size:,} numbers{odd}"
    zeros = int((flat == 0).sum())
    none = f", {zeros:,} {'is' if zeros == 1 else 'are'} 0" if zeros else ""
    low, high = number(finite.min()), number(finite.max())
    mean = number(finite.mean(dtype=np.float64))
    return f"{flat.size:,} numbers from {low} to {high}, mean {mean}{none}{odd}"


def plain(value: Any, whole: bool = False) -> Any:
    """A dataclass, or anything made of them, as what JSON knows; numbers that are not finite: null.

    An array is {"shape", "values"}; of more than `WHOLE` elements its statistics instead of the
    values, unless `whole`.

    >>> plain(np.array([1.0, np.nan]))
    {'shape': [2], 'values': [1.0, None]}
    """
    if is_dataclass(value) and not isinstance(value, type):
        shown = [field.name for field in fields(value) if not field.name.startswith("_")]
        return {name: plain(getattr(value, name), whole) for name in shown}
    if isinstance(value, np.ndarray):
        return _array(value, whole)
    if isinstance(value, np.generic):
        return plain(value.item(), whole)
    if isinstance(value, dict):
        return {str(key): plain(item, whole) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, whole) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


class Shown:
    """What the records of this folder share: they can be written as JSON."""

    def to_json(self, whole: bool = False) -> str:
        """All of it as JSON; with `whole`, arrays with every number."""
        return json.dumps(plain(self, whole), ensure_ascii=False, allow_nan=False)


def _array(values: NDArray[Any], whole: bool) -> dict[str, Any]:
    if whole or values.size <= WHOLE:
        return {"shape": list(values.shape), "values": plain(values.tolist())}
    real = values.astype(np.float64)
    finite = real[np.isfinite(real)]
    facts: dict[str, Any] = {"shape": list(values.shape), "zeros": int((real == 0).sum())}
    facts["not_finite"] = int(real.size - finite.size)
    if finite.size:
        with np.errstate(over="ignore"):
            facts |= {"min": finite.min(), "mean": finite.mean(), "max": finite.max()}
            facts["norm"] = float(np.sqrt((finite**2).sum()))
    return {name: plain(fact) for name, fact in facts.items()}
