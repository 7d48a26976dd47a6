"""Arithmetic written out as on paper: 0.5*1 + (-0.3)*2 + 0.1 = 0."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.core.op import Contract, Pointwise, Reduce, Reindex
from chainrule.core.program import Instruction
from chainrule.core.value import Symbol
from chainrule.explain.plain import number
from chainrule.explain.trace import Trace

MOST_NUMBERS = 12
"""An expression of more numbers than this is not written out."""

At = tuple[int, ...]


@dataclass(frozen=True)
class Expression:
    """A piece of arithmetic: its text, how many numbers stand in it, and the largest of them."""

    text: str
    count: int = 1
    largest: float = 0.0
    sign: str = ""  # what joins its parts, if it has some

    def beside(self, sign: str) -> str:
        """The text as it stands next to `sign`: in brackets where it would be misread."""
        negative = self.text.startswith("-") and not self.sign
        fits = self.sign in ("*", "()", "") or (sign, self.sign) == (" + ", " + ")
        tight = sign not in (" + ", " - ") and self.sign not in ("()", "")
        return f"({self.text})" if negative or tight or not fits else self.text


def equation(trace: Trace, symbol: Symbol, at: At, inside: Collection[Instruction]) -> str | None:
    """How the element `at` of a value comes about, by the instructions `inside`; None: too long.

    What other instructions made stands there as a number.
    """
    writer = _Writer(trace, inside)
    found = writer.element(symbol, at)
    if found.count > MOST_NUMBERS:
        return None
    result = number(trace[symbol][at], found.largest)
    return f"{found.text} = {result}" if found.sign else result


class _Writer:
    """Writes elements of values as expressions of numbers; knows kinds of ops."""

    def __init__(self, trace: Trace, inside: Collection[Instruction]) -> None:
        self.trace, self.inside = trace, set(inside)
        self.scales: dict[Any, float] = {}

    def element(self, operand: Any, at: At) -> Expression:
        made = operand.made if isinstance(operand, Symbol) else None
        if made is not None and made in self.inside:
            kind = made.op.lower
            if isinstance(kind, Pointwise):
                return self._pointwise(made, at)
            if isinstance(kind, Contract):
                return self._contract(made, at)
            if isinstance(kind, Reduce) and kind.combine == "add":
                return self._sum(made, at)
            if isinstance(kind, Reindex):
                return self.element(made.inputs[0], _source(made, kind, at))
        values = self.trace[operand]
        value = values[at] if values.ndim else values[()]
        if values.dtype.kind != "f":
            return Expression(number(value), 1, abs(float(value)))
        return Expression(number(value, self._scale(operand, values)), 1, abs(float(value)))

    def _scale(self, operand: Any, values: NDArray[Any]) -> float:
        """The largest number of a value, beside which its others may be rounding."""
        if operand not in self.scales:
            self.scales[operand] = float(np.abs(values).max(initial=0.0))
        return self.scales[operand]

    def _pointwise(self, made: Instruction, at: At) -> Expression:
        parts = [self.element(x, at if isinstance(x, Symbol) else ()) for x in made.inputs]
        names = made.op.inputs
        if made.op.written == names[0]:  # the same number, such as a cast
            return parts[0]
        template = made.op.written or f"{made.op.name}({', '.join(names)})"
        sign = "()" if "(" in template else _sign(template, names)
        beside = {
            name: part.text if sign == "()" else part.beside(sign)
            for name, part in zip(names, parts, strict=True)
        }
        if sign in (" + ", " - ") and parts[0].sign in ("", "*", " + "):
            beside[names[0]] = parts[0].text  # nothing stands before it
        text = re.sub(r"\b[a-z]\b", lambda found: beside.get(found[0], found[0]), template)
        return _joined(text, parts, "" if sign == "()" and len(parts) > 9 else sign)

    def _contract(self, made: Instruction, at: At) -> Expression:
        lists, out = made.settings["dims"].split("->")
        first, second = lists.split(",")
        place = dict(zip(out, at, strict=True))
        sizes = dict(
            zip(first + second, [*made.inputs[0].shape, *made.inputs[1].shape], strict=True)
        )
        summed = [letter for letter in sizes if letter not in place]
        count = int(np.prod([sizes[letter] for letter in summed]))
        if 2 * count > MOST_NUMBERS:
            return Expression(f"the sum of {count:,} products", MOST_NUMBERS + 1, sign="*")
        operands = list(zip((first, second), made.inputs, strict=True))
        if made.inputs[1] in self.trace.program.reads.values():
            operands.reverse()  # a weight stands before what it weighs
        terms: list[Expression] = []
        for numbers in product(*(range(sizes[letter]) for letter in summed)):
            here = {**place, **dict(zip(summed, numbers, strict=True))}
            parts = [self.element(x, tuple(here[d] for d in dims)) for dims, x in operands]
            left = parts[0].beside("*") if terms else parts[0].text
            terms.append(_joined(f"{left}*{parts[1].beside('*')}", parts, "*"))
        return _joined(" + ".join(term.text for term in terms), terms, " + " if count > 1 else "*")

    def _sum(self, made: Instruction, at: At) -> Expression:
        shape, axes = made.inputs[0].shape, made.settings["axes"]
        count = int(np.prod([shape[axis] for axis in axes]))
        if count > MOST_NUMBERS:
            return Expression(f"the sum of {count:,} numbers", MOST_NUMBERS + 1, sign=" + ")
        rest, terms = iter(at), list[Expression]()
        kept = {axis: next(rest) for axis in range(len(shape)) if axis not in axes}
        for numbers in product(*(range(shape[axis]) for axis in axes)):
            here = {**kept, **dict(zip(axes, numbers, strict=True))}
            where = tuple(here[axis] for axis in range(len(shape)))
            terms.append(self.element(made.inputs[0], where))
        texts = [terms[0].text, *(term.beside(" + ") for term in terms[1:])]
        return _joined(" + ".join(texts), terms, " + " if len(terms) > 1 else terms[0].sign)


def _joined(text: str, parts: list[Expression], sign: str) -> Expression:
    count = sum(part.count for part in parts)
    return Expression(text, count, max((part.largest for part in parts), default=0.0), sign)


def _sign(template: str, names: tuple[str, ...]) -> str:
    """What stands between the names: " + ", "*", "^2"."""
    sign = template
    for name in names:
        sign = re.sub(rf"\b{name}\b", "", sign)
    return sign


def _source(made: Instruction, kind: Reindex, at: At) -> At:
    """Where in the input an element of a reindexed value comes from."""
    inside = made.inputs[0].shape
    if kind.keeps_order:
        outside = made.outputs[0].shape
        flat = np.ravel_multi_index(at, outside) if at else 0
        return tuple(int(i) for i in np.unravel_index(flat, inside)) if inside else ()
    return tuple(int(i) for i in kind.index(at, inside, **made.settings))
