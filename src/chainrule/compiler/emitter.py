"""The operations that the expressions of ops are written in, on registers of any number of lanes.

An op's `Pointwise` lowering calls these by the names of ops; a Python number among the operands
takes the dtype of the other. NaN and infinity behave as in NumPy.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.compiler import maths
from chainrule.compiler.ir import SCALARS, Code, Reg, vector
from chainrule.spec import BOOL, F32, DType

# An addition may be joined with a multiplication before it: that only makes it more exact.
_JOINED = "contract"


class Emitter:
    """Writes scalar or vector operations into a function's code."""

    def __init__(self, code: Code) -> None:
        self.code = code

    # -- operands

    def _alike(self, *operands: Any) -> list[Reg]:
        """The operands as registers of one number of lanes; numbers in the others' dtype."""
        regs = [x for x in operands if isinstance(x, Reg)]
        lanes = max(reg.lanes for reg in regs)
        dtype = next((reg.dtype for reg in regs if reg.dtype != BOOL), regs[0].dtype)
        return [
            self.code.splat(x, lanes)
            if isinstance(x, Reg)
            else self.code.constant(x, _of_number(x, dtype), lanes)
            for x in operands
        ]

    def _two(self, floating: str, whole: str, x: Any, y: Any) -> Reg:
        x, y = self._alike(x, y)
        name = f"{floating} {_JOINED}" if x.dtype.kind == "f" else whole
        return self._reg(f"{name} {x.type} {x.name}, {y.name}", x)

    def _reg(self, text: str, like: Reg, dtype: DType | None = None) -> Reg:
        return Reg(self.code.let(text), dtype or like.dtype, like.lanes)

    def call(self, intrinsic: str, *xs: Reg) -> Reg:
        """One of LLVM's own functions, which work on all lanes."""
        first = xs[0]
        short = {"float": "f32", "double": "f64"}.get(SCALARS[first.dtype], SCALARS[first.dtype])
        suffix = short if first.lanes == 1 else f"v{first.lanes}{short}"
        name = f"@llvm.{intrinsic}.{suffix}"
        kinds = ", ".join(x.type for x in xs)
        self.code.uses.add(f"declare {first.type} {name}({kinds})")
        arguments = ", ".join(f"{x.type} {x.name}" for x in xs)
        return self._reg(f"call {first.type} {name}({arguments})", first)

    def by_lane(self, function: str, *xs: Reg) -> Reg:
        """A function of the C library, called for each lane."""
        first = xs[0]
        kind = SCALARS[first.dtype]
        name = f"@{function}f" if first.dtype == F32 else f"@{function}"
        self.code.uses.add(f"declare {kind} {name}({', '.join([kind] * len(xs))})")
        found = []
        for number in range(first.lanes):
            parts = [self.code.lane(x, number) for x in xs]
            arguments = ", ".join(f"{kind} {part.name}" for part in parts)
            found.append(Reg(self.code.let(f"call {kind} {name}({arguments})"), first.dtype, 1))
        return self.code.gathered(found)

    # -- arithmetic

    def add(self, x: Any, y: Any) -> Reg:
        return self._two("fadd", "add", x, y)

    def sub(self, x: Any, y: Any) -> Reg:
        return self._two("fsub", "sub", x, y)

    def mul(self, x: Any, y: Any) -> Reg:
        return self._two("fmul", "mul", x, y)

    def div(self, x: Any, y: Any) -> Reg:
        x, y = self._alike(x, y)
        return self._reg(f"fdiv {x.type} {x.name}, {y.name}", x)

    def fma(self, x: Any, y: Any, z: Any) -> Reg:
        """x * y + z, rounded once."""
        x, y, z = self._alike(x, y, z)
        return self.call("fma", x, y, z) if x.dtype.kind == "f" else self.add(self.mul(x, y), z)

    def neg(self, x: Reg) -> Reg:
        if x.dtype.kind == "f":
            return self._reg(f"fneg {x.type} {x.name}", x)
        return self.sub(0, x)

    def absolute(self, x: Reg) -> Reg:
        if x.dtype.kind == "f":
            return self.call("fabs", x)
        return self.where(self.less(x, 0), self.neg(x), x) if x.dtype.kind == "i" else x

    def sign(self, x: Reg) -> Reg:
        one, minus = self._numbers(x, 1, -1)
        signed = self.where(self.greater(x, 0), one, self.where(self.less(x, 0), minus, 0))
        return signed if x.dtype.kind != "f" else self.where(self.not_equal(x, x), x, signed)

    def floor(self, x: Reg) -> Reg:
        return self.call("floor", x)

    def square(self, x: Reg) -> Reg:
        return self.mul(x, x)

    def sqrt(self, x: Reg) -> Reg:
        return self.call("sqrt", x)

    # -- exponentials and their kin

    def exp(self, x: Reg) -> Reg:
        return maths.exp(self, x)

    def log(self, x: Reg) -> Reg:
        return maths.log(self, x)

    def tanh(self, x: Reg) -> Reg:
        return maths.tanh(self, x)

    def sigmoid(self, x: Reg) -> Reg:
        small = self.exp(self.neg(self.absolute(x)))
        (one,) = self._numbers(x, 1.0)
        return self.div(self.where(self.greater_equal(x, 0.0), one, small), self.add(small, 1.0))

    def log1p(self, x: Reg) -> Reg:
        return maths.log1p(self, x)

    def expm1(self, x: Reg) -> Reg:
        return maths.expm1(self, x)

    def sin(self, x: Reg) -> Reg:
        return maths.sin(self, x)

    def cos(self, x: Reg) -> Reg:
        return maths.cos(self, x)

    def erf(self, x: Reg) -> Reg:
        return maths.erf(self, x)

    def power(self, x: Any, y: Any) -> Reg:
        x, y = self._alike(x, y)
        floats = x.dtype.kind == "f"
        return maths.power(self, x, y) if floats else maths.whole_power(self, x, y)

    def logaddexp(self, x: Any, y: Any) -> Reg:
        x, y = self._alike(x, y)
        apart = self.absolute(self.sub(x, y))
        joined = self.add(self.maximum(x, y), self.log1p(self.exp(self.neg(apart))))
        # Equal infinities are 0 apart, not nan.
        return self.where(self.equal(x, y), self.add(x, 0.6931471805599453), joined)

    # -- choices

    def relu(self, x: Reg) -> Reg:
        """In this order, nan passes through."""
        return self.where(self.less_equal(x, 0), 0, x)

    def maximum(self, x: Any, y: Any) -> Reg:
        x, y = self._alike(x, y)
        larger = self.where(self.greater(x, y), x, y)
        return larger if x.dtype.kind != "f" else self.where(self.not_equal(x, x), x, larger)

    def minimum(self, x: Any, y: Any) -> Reg:
        x, y = self._alike(x, y)
        smaller = self.where(self.less(x, y), x, y)
        return smaller if x.dtype.kind != "f" else self.where(self.not_equal(x, x), x, smaller)

    def where(self, condition: Reg, x: Any, y: Any) -> Reg:
        if not isinstance(x, Reg) and not isinstance(y, Reg):
            raise TypeError("a choice between two numbers has no dtype")
        condition, x, y = self._alike(condition, x, y)
        name = self.code.let(
            f"select {condition.type} {condition.name}, {x.type} {x.name}, {y.type} {y.name}"
        )
        return Reg(name, x.dtype, x.lanes)

    def _compare(self, floating: str, signed: str, x: Any, y: Any) -> Reg:
        x, y = self._alike(x, y)
        if x.dtype.kind == "f":
            text = f"fcmp {floating}"
        else:
            unsigned = x.dtype.kind in "ub" and signed not in ("eq", "ne")
            text = f"icmp {'u' + signed[1:] if unsigned else signed}"
        return self._reg(f"{text} {x.type} {x.name}, {y.name}", x, BOOL)

    def greater(self, x: Any, y: Any) -> Reg:
        return self._compare("ogt", "sgt", x, y)

    def greater_equal(self, x: Any, y: Any) -> Reg:
        return self._compare("oge", "sge", x, y)

    def less(self, x: Any, y: Any) -> Reg:
        return self._compare("olt", "slt", x, y)

    def less_equal(self, x: Any, y: Any) -> Reg:
        return self._compare("ole", "sle", x, y)

    def equal(self, x: Any, y: Any) -> Reg:
        return self._compare("oeq", "eq", x, y)

    def not_equal(self, x: Any, y: Any) -> Reg:
        return self._compare("une", "ne", x, y)

    def logical_and(self, x: Any, y: Any) -> Reg:
        x, y = self._truths(x, y)
        return self._reg(f"and {x.type} {x.name}, {y.name}", x)

    def logical_or(self, x: Any, y: Any) -> Reg:
        x, y = self._truths(x, y)
        return self._reg(f"or {x.type} {x.name}, {y.name}", x)

    def logical_not(self, x: Reg) -> Reg:
        (x,) = self._truths(x)
        return self._reg(f"xor {x.type} {x.name}, {self.code.constant(1, BOOL, x.lanes).name}", x)

    def isfinite(self, x: Reg) -> Reg:
        if x.dtype.kind != "f":
            return self.equal(x, x)
        return self.less(self.absolute(x), np.inf)

    def some(self, truths: Reg) -> str:
        """Whether any lane is true, as the name of an i1."""
        if truths.lanes == 1:
            return truths.name
        bits = self.code.let(f"bitcast {truths.type} {truths.name} to i{truths.lanes}")
        return self.code.let(f"icmp ne i{truths.lanes} {bits}, 0")

    def _truths(self, *xs: Any) -> list[Reg]:
        return [x if x.dtype == BOOL else self.not_equal(x, 0) for x in self._alike(*xs)]

    # -- dtypes

    def cast(self, x: Reg, dtype: str) -> Reg:
        """To another dtype; towards integers the fraction is cut off."""
        wanted = np.dtype(dtype)
        if wanted == x.dtype:
            return x
        if wanted == BOOL:
            return self.not_equal(x, 0)
        how = _conversion(x.dtype, wanted)
        kind = vector(SCALARS[wanted], x.lanes)
        if how is None:
            return Reg(x.name, wanted, x.lanes)
        return self._reg(f"{how} {x.type} {x.name} to {kind}", x, wanted)

    def constant(self, value: Any, dtype: str) -> Reg:
        """A number known now."""
        return self.code.constant(value, np.dtype(dtype))

    def bits(self, x: Reg, dtype: DType) -> Reg:
        """The same bits read as another dtype of that width."""
        kind = vector(SCALARS[dtype], x.lanes)
        return self._reg(f"bitcast {x.type} {x.name} to {kind}", x, dtype)

    def _numbers(self, like: Reg, *values: float) -> list[Reg]:
        return [self.code.constant(v, like.dtype, like.lanes) for v in values]


def _of_number(value: Any, dtype: DType) -> DType:
    """The dtype that a Python number takes beside a register."""
    return BOOL if type(value) is bool and dtype == BOOL else dtype


def _conversion(of: DType, to: DType) -> str | None:
    """LLVM's word for a conversion; None where the bits are the same."""
    if of.kind == "f" and to.kind == "f":
        return "fpext" if to.itemsize > of.itemsize else "fptrunc"
    if of.kind == "f":
        return "fptoui" if to.kind == "u" else "fptosi"
    if to.kind == "f":
        return "uitofp" if of.kind in "ub" else "sitofp"
    if of == BOOL or (to.itemsize > of.itemsize and of.kind == "u"):
        return "zext"
    if to.itemsize > of.itemsize:
        return "sext"
    return "trunc" if to.itemsize < of.itemsize else None
