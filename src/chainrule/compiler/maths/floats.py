"""What the functions share: the layout of floats in bits, exact sums, calls instead of copies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, wraps
from typing import Any

from chainrule.compiler.ir import SCALARS, Code, Reg
from chainrule.spec import F32, F64, I32, I64, DType


@dataclass(frozen=True)
class Layout:
    """The bits of a float: a sign, an exponent counted from `bias`, `digits` binary digits."""

    whole: DType  # the integer of the same width
    digits: int
    bias: int

    @property
    def magic(self) -> float:
        """Adding it leaves the nearest whole number in the last bits."""
        return 1.5 * 2.0**self.digits

    @property
    def magic_bits(self) -> int:
        """Its bits, read as an integer."""
        return (self.bias + self.digits) << self.digits | 1 << (self.digits - 1)


LAYOUTS = {F32: Layout(I32, 23, 127), F64: Layout(I64, 52, 1023)}

# log 2 in two parts; whole numbers of an exponent's size times the first are exact.
LOG2 = {
    F32: (0.693145751953125, 1.428606765330187e-06),
    F64: (0.6931471805598903, 5.497923018708371e-14),
}


def called(write: Callable[..., Any]) -> Callable[..., Reg]:
    """The code of `write` as a function of its own, once in a module: uses of it are calls."""

    @wraps(write)
    def call(e: Any, *xs: Reg) -> Reg:
        emitter: Any = type(e)
        name, text, uses = _definition(emitter, write, xs[0].dtype, xs[0].lanes, len(xs))
        e.code.uses |= {text, *uses}
        kind = xs[0].type
        arguments = ", ".join(f"{kind} {x.name}" for x in xs)
        found = e.code.let(f"call fastcc {kind} {name}({arguments})")
        return Reg(found, xs[0].dtype, xs[0].lanes)

    return call


@cache
def _definition(
    emitter: Any, write: Callable[..., Any], dtype: DType, lanes: int, operands: int
) -> tuple[str, str, frozenset[str]]:
    """The function's name, its text, and what that calls."""
    code = Code()
    parameters = [Reg(f"%x{i}", dtype, lanes) for i in range(operands)]
    found = write(emitter(code), *parameters)
    name = f"@{write.__name__}.{lanes}.{SCALARS[dtype]}"
    takes = ", ".join(f"{x.type} {x.name}" for x in parameters)
    body = "\n".join(code.lines)
    head = f"define internal fastcc {found.type} {name}({takes}) nounwind"
    text = f"{head} {{\nentry:\n{body}\n  ret {found.type} {found.name}\n}}\n"
    return name, text, frozenset(code.uses)


def polynomial(e: Any, x: Reg, coefficients: Sequence[float]) -> Any:
    """Horner's rule, from the highest power down; rounded twice a step where no fma is at hand."""
    found = constant(e, coefficients[0], x)
    for c in coefficients[1:]:
        found = e.call("fmuladd", found, x, constant(e, c, x))
    return found


def constant(e: Any, value: float, like: Reg) -> Any:
    """A number in every lane."""
    return e.code.constant(value, like.dtype, like.lanes)


def clamp(e: Any, x: Reg, low: float, high: float) -> Any:
    """x between two bounds; nan passes through."""
    below = e.where(e.greater(x, high), high, x)
    return e.where(e.less(below, low), low, below)


# -- sums that nothing may be joined with: what they round away can be found again


def plus(e: Any, x: Reg, y: Reg) -> Reg:
    """x + y."""
    return Reg(e.code.let(f"fadd {x.type} {x.name}, {y.name}"), x.dtype, x.lanes)


def minus(e: Any, x: Reg, y: Reg) -> Reg:
    """x - y."""
    return Reg(e.code.let(f"fsub {x.type} {x.name}, {y.name}"), x.dtype, x.lanes)


def two_sum(e: Any, large: Reg, small: Reg) -> tuple[Reg, Reg]:
    """The sum as rounded, and what is missing from it; `large` has no less exponent, or is 0."""
    total = plus(e, large, small)
    return total, minus(e, small, minus(e, total, large))


def two_product(e: Any, x: Reg, y: Reg) -> tuple[Any, Any]:
    """The product as rounded, and what is missing from it."""
    product = e.mul(x, y)
    return product, e.fma(x, y, e.neg(product))


# -- bits


def shift(e: Any, direction: str, x: Reg, places: int) -> Reg:
    """The bits of whole numbers moved: `shl`, `lshr`, or `ashr` which keeps the sign."""
    by = constant(e, places, x)
    return Reg(e.code.let(f"{direction} {x.type} {x.name}, {by.name}"), x.dtype, x.lanes)


def masked(e: Any, x: Reg, mask: int) -> Reg:
    """The bits of whole numbers that are in `mask`."""
    kept = constant(e, mask, x)
    return Reg(e.code.let(f"and {x.type} {x.name}, {kept.name}"), x.dtype, x.lanes)


def nearest(e: Any, x: Reg, factor: float) -> tuple[Reg, Any]:
    """The whole number nearest to x * factor: as a float, and as an integer."""
    layout = LAYOUTS[x.dtype]
    magic = constant(e, layout.magic, x)
    shifted = e.fma(x, factor, magic)
    return minus(e, shifted, magic), e.sub(e.bits(shifted, layout.whole), layout.magic_bits)


def power_of_two(e: Any, n: Reg, dtype: DType) -> Any:
    """2^n for n an exponent of normal numbers."""
    layout = LAYOUTS[dtype]
    return e.bits(shift(e, "shl", e.add(n, layout.bias), layout.digits), dtype)
