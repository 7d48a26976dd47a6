"""Instruction and Program: the recorded step as a list to read, verify, and save as JSON."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.core.op import OPS, Op, Pointwise
from chainrule.core.value import Symbol
from chainrule.errors import ProgramError, ShapeError, nearest
from chainrule.markup import Html, notebook, table, tag
from chainrule.spec import NUMBERS, Spec, spec_of

PHASES = ("forward", "loss", "backward", "update")
FORMAT = 1  # of the JSON
_WIDEST = 72  # characters of an instruction before its phase; a longer one pushes it along


@dataclass(eq=False, slots=True)
class Instruction:
    """One application of an op."""

    op: Op
    inputs: tuple[Any, ...]  # Symbols and Python numbers
    settings: dict[str, Any]
    outputs: tuple[Symbol, ...] = ()  # usually one
    phase: str = "forward"
    scope: str = ""  # the layer, as a path of module names
    line: str = ""  # the user's source line, file:number


@dataclass(eq=False)
class Program:
    """The list of instructions that one learning step, or one forward pass, consists of.

    `args`: symbols of the arguments. `reads`: cell name -> the symbol of its value on entry.
    `captured`: symbols of tensors from outside, `constants`: of tensors made from data while
    recording; both with their arrays. `returns`: symbols or numbers. `assigns`: cell name -> what
    it holds at the end. `cells`: cell name -> the cell. `gradients`: a value -> the value that is
    the loss's gradient with respect to it. Neither of these two is saved.
    """

    args: list[Symbol]
    reads: dict[str, Symbol]
    captured: dict[Symbol, Any]
    constants: dict[Symbol, Any]
    instructions: list[Instruction]
    returns: list[Any]
    assigns: dict[str, Any]
    cells: dict[str, Any] = field(default_factory=dict)
    gradients: dict[Symbol, Symbol] = field(default_factory=dict)
    derived: dict[Any, Any] = field(
        default_factory=dict
    )  # what others worked out from this program

    def heads(self) -> Iterator[Symbol]:
        """The symbols that no instruction makes."""
        yield from self.args
        yield from self.reads.values()
        yield from self.captured
        yield from self.constants

    def results(self) -> list[Any]:
        """What has to be alive at the end: the returns and the cells' new values."""
        return [*self.returns, *self.assigns.values()]

    def listing(self) -> str:
        """The program as text: an instruction a line, with phase, scope and source line."""
        return "\n".join(_listing(self))

    __repr__ = __str__ = listing

    def _repr_html_(self) -> str:
        folded = [
            tag("details", tag("summary", f"{phase}: {len(rows):,} instructions"), _table(rows))
            for phase in PHASES
            if (rows := [made for made in self.instructions if made.phase == phase])
        ]
        count = f" {len(self.instructions):,} instructions, {len(self.reads):,} cells read"
        return notebook(tag("b", "Program"), tag("span", count, class_="soft"), *folded)

    def verify(self) -> Program:
        """Check that the program holds together; gives it back, or raises ProgramError."""
        _verify(self)
        return self

    def pruned(self) -> Program:
        """Take out the instructions that nothing alive at the end depends on; gives the program."""
        alive = {s for s in self.results() if isinstance(s, Symbol)}
        kept: list[Instruction] = []
        for made in reversed(self.instructions):
            if not alive.isdisjoint(made.outputs):
                kept.append(made)
                alive.update(s for s in made.inputs if isinstance(s, Symbol))
        self.instructions = kept[::-1]
        self.captured = {s: raw for s, raw in self.captured.items() if s in alive}
        self.constants = {s: raw for s, raw in self.constants.items() if s in alive}
        self.derived.clear()
        return self

    def __reduce__(self) -> Any:  # ops are known by name, and a chain of symbols may be long
        return Program.from_json, (self.to_json(), list(self.cells.values()))

    def to_json(self) -> str:
        """The program as JSON, with the numbers of captured tensors but not those of cells."""
        return json.dumps({"format": FORMAT, **_pack(self)}, allow_nan=False)

    @staticmethod
    def from_json(text: str, cells: Iterable[Any] = ()) -> Program:
        """The program that `text` describes; `cells` are bound to it by their names.

        Raises ProgramError when the text is not a valid program.
        """
        by_name = {cell.name: cell for cell in cells}
        try:
            packed = json.loads(text)
            if packed["format"] != FORMAT:
                raise ProgramError(
                    "this program was saved in another format",
                    expected=f"format {FORMAT}",
                    got=f"format {packed['format']!r}",
                )
            program = _unpack(packed).verify()
        except ProgramError:
            raise
        except Exception as broken:
            raise ProgramError(f"not a saved program: {type(broken).__name__}: {broken}") from None
        names = [*program.reads, *program.assigns]
        program.cells = {name: by_name[name] for name in names if name in by_name}
        for name, symbol in program.reads.items():
            held = program.cells[name].held() if name in program.cells else None
            if held is not None and spec_of(held) != spec_of(symbol):
                raise ProgramError(
                    f"cell {name} does not fit the program",
                    expected=typed(symbol),
                    got=spec_of(held),
                )
        return program


# -- the listing


def _listing(program: Program) -> Iterator[str]:
    yield "args      " + "  ".join(map(typed, program.args))
    if program.reads:
        yield "reads     " + "  ".join(f"{typed(s)} = {n}" for n, s in program.reads.items())
    if program.captured:
        yield "captured  " + "  ".join(map(typed, program.captured))
    if program.constants:
        yield "constants " + "  ".join(
            f"{typed(s)} = {_preview(raw)}" for s, raw in program.constants.items()
        )
    rows = [(_written(i), i.phase, i.scope, i.line) for i in program.instructions]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    widths[0] = min(widths[0], _WIDEST)
    for row in rows:
        cells = (text.ljust(width) for text, width in zip(row, widths, strict=False))
        yield f"  {'  '.join([*cells, row[3]])}".rstrip()
    if program.assigns:
        yield "assigns   " + "  ".join(f"{n} = {s}" for n, s in program.assigns.items())
    yield "returns   " + "  ".join(map(str, program.returns))
    for made in program.instructions:
        for name, value in made.settings.items():
            if isinstance(value, Program):
                yield f"{name} of {made.outputs[0]}"
                yield from (f"    {line}" for line in _listing(value))


def _table(instructions: Sequence[Instruction]) -> Html:
    rows = [[_written(made), made.scope, made.line] for made in instructions]
    return table(["instruction", "layer", "line"], rows, left=3)


def typed(symbol: Symbol) -> str:
    """A symbol with its shape and dtype: %7: f32[64,10]."""
    return f"{symbol}: {Spec(symbol.shape, symbol.dtype)}"


def _written(made: Instruction) -> str:
    settings = "".join(f", {key}={_shown(value)}" for key, value in made.settings.items())
    inputs = ", ".join(map(str, made.inputs))
    text = f"{', '.join(map(typed, made.outputs))} = {made.op.name}({inputs}{settings})"
    return text.replace("(, ", "(")


def _shown(value: Any) -> str:
    if isinstance(value, Program):
        return f"<{len(value.instructions)} instructions>"
    return str(value)


def _preview(raw: Any) -> str:
    flat = np.ravel(raw)
    if flat.size > 4 and (flat == flat[0]).all():
        return f"{flat[0]} everywhere"
    text = np.array2string(np.asarray(raw), threshold=4, edgeitems=2, precision=4, separator=", ")
    return " ".join(text.split())


# -- verify


def _verify(program: Program) -> None:
    known: set[Any] = set()
    for symbol in program.heads():
        _declare(symbol, known, "an input of the program")
    for symbol, raw in [*program.captured.items(), *program.constants.items()]:
        if spec_of(raw) != spec_of(symbol):
            raise ProgramError(
                "a program's array is not what it says", expected=typed(symbol), got=spec_of(raw)
            )
    for number, made in enumerate(program.instructions):
        _verify_instruction(made, known, f"instruction {number} ({made.op.name})")
    for symbol in program.results():
        if isinstance(symbol, Symbol) and symbol not in known:
            raise ProgramError(f"the program gives out {symbol}, which nothing made")
    for name, symbol in program.assigns.items():
        entry = program.reads.get(name)
        if entry is not None and symbol is not None and spec_of(symbol) != spec_of(entry):
            raise ProgramError(
                f"cell {name} changes its shape or dtype", expected=typed(entry), got=typed(symbol)
            )


def _declare(symbol: Any, known: set[Any], where: str) -> None:
    if not isinstance(symbol, Symbol):
        raise ProgramError(f"{where} is not a value", expected="a symbol such as %3", got=symbol)
    if symbol in known:
        raise ProgramError(f"{where} is a value that exists already: {symbol}")
    known.add(symbol)


def _verify_instruction(made: Instruction, known: set[Any], where: str) -> None:
    for operand in made.inputs:
        if not isinstance(operand, Symbol) and type(operand) not in NUMBERS:
            raise ProgramError(f"{where} reads neither a value nor a number", got=repr(operand))
        if isinstance(operand, Symbol) and operand not in known:
            raise ProgramError(f"{where} reads {operand} before anything made it")
    names = made.op.inputs
    if len(made.inputs) != len(names) and not any(name.startswith("*") for name in names):
        raise ProgramError(f"{where} has another number of inputs", expected=names, got=made.inputs)
    if made.phase not in PHASES:
        raise ProgramError(f"{where} has an unknown phase", expected=PHASES, got=made.phase)
    for output in made.outputs:
        _declare(output, known, f"an output of {where}")
    for value in made.settings.values():
        if isinstance(value, Program):
            value.verify()
    try:
        spec = made.op.spec(*map(spec_of, made.inputs), **made.settings)
    except ShapeError as wrong:
        raise ProgramError(f"{where} does not fit its op: {wrong.one_line()}") from None
    except Exception as wrong:  # a rule may trip over what no call of the op could have written
        raise ProgramError(
            f"{where} does not fit its op: {type(wrong).__name__}: {wrong}"
        ) from None
    specs = spec if isinstance(spec, tuple) else (spec,)
    found = tuple(spec_of(symbol) for symbol in made.outputs)
    if found != specs:
        raise ProgramError(f"{where} has the wrong outputs", expected=specs, got=found)
    if isinstance(made.op.lower, Pointwise):
        shapes = {symbol.shape for symbol in made.inputs if isinstance(symbol, Symbol)}
        if len(shapes) > 1:
            raise ProgramError(f"{where} is pointwise", expected="equal shapes", got=shapes)
        _verify_dtypes(made, where)


def _verify_dtypes(made: Instruction, where: str) -> None:
    if made.op.dtypes is not None:
        wanted = made.op.dtypes(*map(spec_of, made.inputs))
        for operand, dtype in zip(made.inputs, wanted, strict=True):
            if isinstance(operand, Symbol) and dtype is not None and operand.dtype != dtype:
                raise ProgramError(
                    f"{where} is pointwise", expected=f"inputs of {dtype}", got=typed(operand)
                )


# -- JSON: operands are "%3" or plain values; arrays, nested programs and odd floats are tagged


def _pack(program: Program) -> dict[str, Any]:
    symbols = [*program.heads(), *(o for made in program.instructions for o in made.outputs)]
    return {
        "symbols": {str(s.id): str(Spec(s.shape, s.dtype)) for s in symbols},
        "args": _packed(program.args),
        "reads": {name: _packed(s) for name, s in program.reads.items()},
        "captured": {str(s): _packed(np.asarray(raw)) for s, raw in program.captured.items()},
        "constants": {str(s): _packed(np.asarray(raw)) for s, raw in program.constants.items()},
        "instructions": [
            {
                "op": made.op.name,
                "inputs": _packed(made.inputs),
                "settings": {key: _packed(value) for key, value in made.settings.items()},
                "outputs": _packed(made.outputs),
                "phase": made.phase,
                "scope": made.scope,
                "line": made.line,
            }
            for made in program.instructions
        ],
        "returns": _packed(program.returns),
        "assigns": {name: _packed(s) for name, s in program.assigns.items()},
    }


def _packed(value: Any) -> Any:
    if isinstance(value, Symbol):
        return str(value)
    if isinstance(value, Program):
        return {"program": _pack(value)}
    if isinstance(value, np.ndarray):
        data = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode("ascii")
        return {"spec": str(Spec(value.shape, value.dtype)), "data": data}
    if isinstance(value, np.generic):
        return _packed(value.item())
    if isinstance(value, str):
        return {"text": value}
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": repr(value)}
    if isinstance(value, tuple | list):
        return [_packed(item) for item in value]
    if value is None or type(value) in NUMBERS:
        return value
    raise ProgramError(f"a setting cannot be saved as JSON: {value!r}")


def _unpack(packed: dict[str, Any]) -> Program:
    symbols = {}
    for number, text in packed["symbols"].items():
        spec = Spec.parse(text)
        symbols[f"%{number}"] = Symbol(spec.shape, spec.dtype, int(number))

    def value(item: Any) -> Any:
        if isinstance(item, list):
            return tuple(value(each) for each in item)
        if isinstance(item, dict):
            return _tagged(item)
        return symbols[item] if isinstance(item, str) else item

    def table(items: dict[str, Any], key: Callable[[str], Any]) -> dict[Any, Any]:
        return {key(name): value(item) for name, item in items.items()}

    instructions = []
    for made in packed["instructions"]:
        settings = table(made["settings"], str)
        instruction = Instruction(
            _known_op(made["op"]),
            value(made["inputs"]),
            settings,
            value(made["outputs"]),
            *(_text(made[key]) for key in ("phase", "scope", "line")),
        )
        for output in instruction.outputs:
            output.made = instruction
        instructions.append(instruction)
    return Program(
        list(value(packed["args"])),
        table(packed["reads"], str),
        table(packed["captured"], symbols.__getitem__),
        table(packed["constants"], symbols.__getitem__),
        instructions,
        list(value(packed["returns"])),
        table(packed["assigns"], str),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ProgramError("a phase, scope or line is text", got=repr(value))
    return value


def _tagged(item: dict[str, Any]) -> Any:
    if "program" in item:
        return _unpack(item["program"])
    if "text" in item:
        return item["text"]
    if "float" in item:
        return float(item["float"])
    spec = Spec.parse(item["spec"])
    return np.frombuffer(base64.b64decode(item["data"]), spec.dtype).reshape(spec.shape)


def _known_op(name: str) -> Op:
    if name not in OPS:
        raise ProgramError(
            f"the program uses an op that is not defined here: {name}", hint=nearest(name, OPS)
        )
    return OPS[name]
