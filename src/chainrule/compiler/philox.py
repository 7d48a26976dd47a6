"""The random op as machine code: Philox-4x64, the same integers as NumPy's."""

from __future__ import annotations

import math

from chainrule.compiler.ir import Code, Index, Reg
from chainrule.compiler.writer import Writer
from chainrule.spec import F32, F64, I64

_MULTIPLIERS = 0xD2E7470EE14C6C93, 0xCA5A826395121157
_WEYL = 0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B
_ROUNDS = 10
_MASK = 2**64 - 1


def write_random(writer: Writer) -> None:
    """Uniform numbers of one draw: four words a block, each one float64 or two float32."""
    root = writer.kernel.root
    assert root is not None
    code, out = writer.code, root.outputs[0]
    count = math.prod(out.shape)
    a_block = 8 if out.dtype == F32 else 4
    begin, end = writer.share(count // a_block, count * _ROUNDS)
    seed, draw = (_whole(writer, x) for x in root.inputs)

    def block(number: Index, filled: int) -> None:
        first = code.add(number, 1)  # NumPy counts on before it draws
        words = _block(code, str(first), draw.name, seed.name)
        numbers = [n for word in words for n in _uniform(code, word, out.dtype == F32)]
        for place, value in enumerate(numbers[:filled]):
            writer.write(value, out, code.add(code.mul(number, a_block), place), 1)

    def whole(number: Index, _: list[Reg]) -> None:
        block(number, a_block)

    code.loop(end, whole, begin=begin)
    if count % a_block:
        if end == "%end":  # a phase of its own, which one thread runs
            writer.share(1, 0)
            seed, draw = (_whole(writer, x) for x in root.inputs)
        block(count // a_block, count % a_block)


def _whole(writer: Writer, source: object) -> Reg:
    """The seed or the draw number as an i64."""
    if isinstance(source, int):
        return writer.code.constant(source, I64)
    view = writer.fused.views[source]  # type: ignore[index]
    return writer.emitter.cast(writer.read(view, view.start, 0, 1, 1), "int64")


def _block(code: Code, low: str, draw: str, seed: str) -> list[str]:
    """Four words from the counter (low, draw, 0, 0) and the key (seed, 0)."""
    counter, keys = [low, draw, "0", "0"], [seed, "0"]
    for number in range(_ROUNDS):
        if number:
            keys = [
                code.let(f"add i64 {k}, {_signed(w)}") for k, w in zip(keys, _WEYL, strict=True)
            ]
        high0, low0 = _product(code, _MULTIPLIERS[0], counter[0])
        high1, low1 = _product(code, _MULTIPLIERS[1], counter[2])
        counter = [
            _xor(code, _xor(code, high1, counter[1]), keys[0]),
            low1,
            _xor(code, _xor(code, high0, counter[3]), keys[1]),
            low0,
        ]
    return counter


def _product(code: Code, times: int, word: str) -> tuple[str, str]:
    """The upper and the lower half of a product of 128 bits."""
    wide = code.let(f"zext i64 {word} to i128")
    whole = code.let(f"mul i128 {wide}, {times}")
    upper = code.let(f"lshr i128 {whole}, 64")
    return code.let(f"trunc i128 {upper} to i64"), code.let(f"trunc i128 {whole} to i64")


def _xor(code: Code, a: str, b: str) -> str:
    return code.let(f"xor i64 {a}, {b}")


def _signed(word: int) -> int:
    return word - (1 << 64) if word >> 63 else word & _MASK


def _uniform(code: Code, word: str, single: bool) -> list[Reg]:
    """The numbers in [0, 1) that a word makes."""
    if not single:
        bits = code.let(f"lshr i64 {word}, 11")
        return [_scaled(code, bits, F64, 2.0**-53)]
    halves = [code.let(f"and i64 {word}, 4294967295"), code.let(f"lshr i64 {word}, 32")]
    return [_scaled(code, code.let(f"lshr i64 {half}, 8"), F32, 2.0**-24) for half in halves]


def _scaled(code: Code, bits: str, dtype: object, by: float) -> Reg:
    assert dtype in (F32, F64)
    kind = "float" if dtype == F32 else "double"
    number = Reg(code.let(f"uitofp i64 {bits} to {kind}"), F32 if dtype == F32 else F64, 1)
    factor = code.constant(by, number.dtype)
    return Reg(code.let(f"fmul {kind} {number.name}, {factor.name}"), number.dtype, 1)
