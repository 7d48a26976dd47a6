"""Writing a step down: while a function runs on symbols, every op becomes an Instruction."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from chainrule.core.op import OPS, Op, Pointwise
from chainrule.core.program import Instruction, Program
from chainrule.core.state import RECORDER, TRACKING, set_grad_enabled
from chainrule.core.value import Raw, Symbol, Value
from chainrule.errors import RecordingError, ShapeError
from chainrule.spec import NUMBERS, DType, Spec, spec_of

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep

# A guard is a question about the surroundings and the answer the recording relied on.
Guard = tuple[Callable[[], Any], Any]

_result: type[Value] = Value


def results_are(cls: type[Value]) -> None:
    """Say what ops give back: called once by tensors, so that core never imports upwards."""
    global _result
    _result = cls


def result_class() -> type[Value]:
    """The class of what ops give back."""
    return _result


class Recorder:
    """Writes instructions down while a function runs on symbols.

    Of a Scan's body (`inner` is true) the cells and tensors from outside become inputs that keep
    their origin, in `outside`, so that gradients reach them.
    """

    def __init__(self, outer: Recorder | None, inner: bool) -> None:
        self.outer, self.inner = outer, inner
        self.instructions: list[Instruction] = []
        self.captured: dict[Symbol, Raw] = {}
        self.constants: dict[Symbol, Raw] = {}
        self.outside: dict[Symbol, Value] = {}
        self.guards: list[Guard] = []
        self.phase: str = outer.phase if outer and inner else "forward"
        self.scope: str = outer.scope if outer and inner else ""
        self.at: tuple[str, str, str] | None = None  # set by the sweep: phase, scope and line
        self.gradients: dict[Symbol, Symbol] = {}  # of values by the sweep, of cells as it ends
        self._count = 0
        self._known: dict[int, tuple[Raw, Symbol]] = {}  # id of a raw -> the raw, kept alive
        self._spread: dict[Any, Symbol] = {}
        self._now: dict[Any, Raw] = {}  # cell -> what it holds at this point
        self._entry: dict[Any, Raw] = {}  # cell -> what it held when it was first read
        self._names: dict[Any, str] = {}

    def symbol(
        self, shape: tuple[int, ...], dtype: DType, made: Instruction | None = None
    ) -> Symbol:
        self._count += 1
        symbol = Symbol(tuple(shape), dtype, self._count, made)
        self._known[id(symbol)] = symbol, symbol
        return symbol

    # -- cells: read by reference, the last assignment wins

    def read(self, cell: Any) -> Raw:
        """What the cell holds at this point of the recording: a symbol; None when empty."""
        if cell not in self._now:
            raw = cell.held() if self.outer is None else self.outer.read(cell)
            symbol = None if raw is None else self.symbol(raw.shape, raw.dtype)
            self._now[cell] = self._entry[cell] = symbol
            self.guards.append((cell.condition, cell.condition()))
            if self.inner and symbol is not None:
                self.captured[symbol] = raw
                self.outside[symbol] = Value(raw, cell.origin)
            elif symbol is not None:
                self.name(cell)
        return self._now[cell]

    def assign(self, cell: Any, raw: Raw) -> None:
        """The cell holds `raw` from here on."""
        if self.inner:
            raise RecordingError(
                f"{cell.name or 'a cell'} is assigned inside the body of a scan ({user_line()})",
                expected="a body that only computes; its carry is what changes from step to step",
                hint="carry the value, or draw random masks outside and pass them as a sequence",
            )
        self._now[cell] = raw if raw is None else self.operand(raw)

    def name(self, cell: Any) -> str:
        """The cell's name in this program; another cell of the same name gets a number."""
        if cell not in self._names:
            wanted = name = cell.name or "cell"
            number = 1
            while name in self._names.values():
                number += 1
                name = f"{wanted}#{number}"
            self._names[cell] = name
        return self._names[cell]

    # -- operands and instructions

    def operand(self, raw: Raw) -> Any:
        """The symbol of a raw; one from outside becomes an input that is captured."""
        if type(raw) in NUMBERS:
            return raw
        if id(raw) not in self._known:
            symbol = self.symbol(np.shape(raw), raw.dtype)
            self._known[id(raw)] = raw, symbol
            self.captured[symbol] = raw
            self.outside[symbol] = Value(raw)
        return self._known[id(raw)][1]

    def alias(self, raw: Raw) -> Raw:
        """The same operand as another object: the body of a scan tells them apart."""
        if type(raw) is not Symbol:
            return raw.view()
        other = Symbol(raw.shape, raw.dtype, raw.id, raw.made)
        self._known[id(other)] = other, self.operand(raw)
        return other

    def constant(self, raw: Raw) -> Symbol:
        """The symbol of an array made from data while recording."""
        symbol = self.symbol(raw.shape, raw.dtype)
        self.constants[symbol] = raw
        return symbol

    def came_from(self, raws: Sequence[Raw], origins: Sequence[Any]) -> None:
        """Remember the history of tensors captured by a body, so that gradients reach them."""
        for raw, origin in zip(raws, origins, strict=True):
            if origin is not None and id(raw) in self._known:
                value = self.outside.get(self._known[id(raw)][1])
                if value is not None:
                    value.origin = origin

    def emit(self, op: Op, raws: Sequence[Raw], settings: dict[str, Any]) -> Any:
        """Write one instruction down; gives its output symbol, or symbols."""
        inputs = tuple(self.operand(raw) for raw in raws)
        try:
            inputs = self._of_equal_dtypes(op, inputs)
            if isinstance(op.lower, Pointwise):
                inputs = self._of_equal_shapes(inputs)
            spec = op.spec(*map(spec_of, inputs), **settings)
        except ShapeError as wrong:
            hint = f"{wrong.hint} (at {user_line()})" if wrong.hint else f"look at {user_line()}"
            raise ShapeError(
                wrong.what, expected=wrong.expected, got=wrong.got, hint=hint
            ) from None
        phase, scope, line = self.at or (self.phase, self.scope, user_line())
        made = Instruction(op, inputs, settings, (), phase, scope, line)
        specs: tuple[Spec, ...] = spec if isinstance(spec, tuple) else (spec,)
        made.outputs = tuple(self.symbol(s.shape, s.dtype, made) for s in specs)
        self.instructions.append(made)
        outputs = made.outputs
        if self.inner and not TRACKING.get() and op.name != "detach":
            outputs = tuple([self.emit(OPS["detach"], (one,), {}) for one in outputs])
        return outputs if isinstance(spec, tuple) else outputs[0]

    def _of_equal_dtypes(self, op: Op, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        """What promotion does silently in eager becomes an instruction."""
        if op.dtypes is None:
            return inputs
        wanted = op.dtypes(*map(spec_of, inputs))
        if not any(isinstance(x, Symbol) for x, dtype in zip(inputs, wanted, strict=True) if dtype):
            inputs = tuple(
                self.emit(OPS["full"], (), {"shape": (), "value": x, "dtype": dtype.name})
                if dtype is not None
                else x
                for x, dtype in zip(inputs, wanted, strict=True)
            )
        return tuple(
            self.emit(OPS["cast"], (x,), {"dtype": dtype.name})
            if isinstance(x, Symbol) and dtype is not None and x.dtype != dtype
            else x
            for x, dtype in zip(inputs, wanted, strict=True)
        )

    def _of_equal_shapes(self, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        """NumPy broadcasts; the Program says so in an instruction, once per value and shape."""
        try:
            shape = np.broadcast_shapes(*(x.shape for x in inputs if isinstance(x, Symbol)))
        except ValueError:
            return inputs  # the op's spec words it
        return tuple(self._spread_to(x, shape) for x in inputs)

    def _spread_to(self, x: Any, shape: tuple[int, ...]) -> Any:
        if not isinstance(x, Symbol) or x.shape == shape:
            return x
        if (x, shape) not in self._spread:
            self._spread[x, shape] = self.emit(OPS["broadcast_to"], (x,), {"shape": shape})
        return self._spread[x, shape]

    def breaks_at(self, out: Symbol) -> Instruction | None:
        """The instruction at which the chain from a cell that wants a gradient to `out` ends.

        None where there is no such cell, or where detach or no_grad cut the chain.
        """
        behind = {out}
        for made in reversed(self.instructions):
            if not behind.isdisjoint(made.outputs):
                behind.update(x for x in made.inputs if isinstance(x, Symbol))
        live = {symbol for cell, symbol in self._entry.items() if cell.origin is not None}
        for made in self.instructions:
            rules = made.op.grad
            if behind.isdisjoint(made.outputs) or live.isdisjoint(made.inputs):
                continue
            has_rule = not isinstance(rules, tuple) or any(
                x in live and rule is not None for x, rule in zip(made.inputs, rules, strict=True)
            )
            passed = has_rule and any(one.dtype.kind == "f" for one in made.outputs)
            if not passed:
                return made
            live.update(made.outputs)
        return None

    def finish(self, args: list[Symbol], returns: list[Raw]) -> Program:
        """The Program of what was written down."""
        outs = [raw if raw is None else self.operand(raw) for raw in returns]
        changed = {c: raw for c, raw in self._now.items() if raw is not self._entry.get(c, self)}
        reads = (
            {} if self.inner else {self.name(c): s for c, s in self._entry.items() if s is not None}
        )
        assigns = {self.name(cell): raw for cell, raw in changed.items()}
        cells = {} if self.inner else {name: cell for cell, name in self._names.items()}
        return Program(
            args,
            reads,
            self.captured,
            self.constants,
            self.instructions,
            outs,
            assigns,
            cells,
            self.gradients,
        )


def record(
    fn: Callable[..., Any], specs: Sequence[Spec], *, inner: bool = False
) -> tuple[Program, Recorder]:
    """Run `fn` on symbols of these specs; gives the Program and the Recorder that wrote it.

    `fn` takes a Value per spec and gives back a tuple of Values. With `inner`, what `fn` uses
    from outside is captured with its history, in the recorder's `outside`, and what is detached or
    computed under no_grad is written down as such, for the Program is differentiated later.
    """
    recorder = Recorder(RECORDER.get(), inner)
    args = [recorder.symbol(spec.shape, spec.dtype) for spec in specs]
    token = RECORDER.set(recorder)
    try:
        if inner:
            with set_grad_enabled(True):
                returned = fn(*map(_result, args))
        else:
            returned = fn(*map(_result, args))
    finally:
        RECORDER.reset(token)
    if recorder.outer is not None:
        recorder.outer.guards += recorder.guards
    raws = [value.array if isinstance(value, Value) else value for value in returned]
    return recorder.finish(args, raws), recorder


def is_ours(filename: str) -> bool:
    """Whether code of this file belongs to the package, not to its user."""
    return filename.startswith(_PACKAGE)


def user_line() -> str:
    """file:line of the nearest frame outside of the package."""
    frame = sys._getframe(1)
    while frame is not None and is_ours(frame.f_code.co_filename):
        frame = frame.f_back  # type: ignore[assignment]
    if frame is None:
        return ""
    return f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}"


def concrete(value: Value, what: str) -> Raw:
    """The array of a Value; an error that names the user's line where there is none yet."""
    raw = value.array
    if isinstance(raw, Symbol):
        made = f"made at {raw.made.line}" if raw.made else "an argument of the step"
        raise RecordingError(
            f"{what} asks for a number, but this step is being recorded ({user_line()})",
            expected="code that only computes with tensors",
            got=f"{what} of {raw}: {spec_of(raw)}, {made}",
            hint="return the tensor from the step and read it outside; for a choice use where()",
        )
    return raw


def mark(phase: str | None = None, scope: str = "") -> AbstractContextManager[None]:
    """Instructions written inside carry this phase, or layer. Free when not recording."""
    recorder = RECORDER.get()
    return _UNMARKED if recorder is None else _Mark(recorder, phase, scope)


_UNMARKED = nullcontext()


class _Mark(AbstractContextManager[None]):
    def __init__(self, recorder: Recorder, phase: str | None, scope: str) -> None:
        self.recorder, self.phase, self.scope = recorder, phase, scope

    def __enter__(self) -> None:
        recorder = self.recorder
        self.before = recorder.phase, recorder.scope
        recorder.phase = self.phase or recorder.phase
        if self.scope:
            recorder.scope = f"{recorder.scope}.{self.scope}".strip(".")

    def __exit__(self, *_: object) -> None:
        self.recorder.phase, self.recorder.scope = self.before
