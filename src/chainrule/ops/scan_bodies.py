"""The programs that a scan's gradient needs: the body giving out what the reverse sweep reads, and
one step of that sweep.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.core.interpret import replayed
from chainrule.core.op import CALLS, Create, Reindex
from chainrule.core.program import Instruction, Program
from chainrule.core.record import mark, record
from chainrule.core.state import RECORDER, TRACKING
from chainrule.core.sweep import sweep
from chainrule.core.value import Symbol, Value
from chainrule.spec import Spec


def spec_of(symbol: Any) -> Spec:
    """The shape and dtype of a body's input or output."""
    return Spec(symbol.shape, symbol.dtype)


def zeros(like: Any) -> Any:
    """Zeros of the same shape and dtype."""
    return CALLS["full"](shape=tuple(like.shape), value=0.0, dtype=np.dtype(like.dtype).name)


def differentiable(body: Program) -> tuple[bool, ...]:
    """Which of the body's inputs a gradient can flow to."""
    return tuple(symbol.dtype.kind == "f" for symbol in body.args)


# -- what is kept of every step


def _values(body: Program) -> list[Symbol]:
    """The body's values, as the setting `kept` counts them."""
    return [*body.args, *(s for made in body.instructions for s in made.outputs)]


def kept_values(body: Program, carries: int, sequences: int) -> tuple[int, ...]:
    """The values that the reverse sweep reads and that would have to be computed again.

    Not so what lies in the sequences anyway, what is the same at every step, and other values' mere
    rearrangements.
    """
    key = "kept", carries, sequences
    if key not in body.derived:
        back = _backward(body, differentiable(body))
        value_of = {image: value for value, image in back.images.items()}
        there = _unchanging(body, body.args[carries + sequences :])
        there |= set(body.args[carries : carries + sequences])
        kept: set[Symbol] = set()
        seen: set[Symbol] = set()
        asked = [s for s in back.reads if isinstance(s, Symbol)]
        while asked:
            symbol = asked.pop()
            value, made = value_of.get(symbol), symbol.made
            if symbol in seen or value in there:
                continue
            seen.add(symbol)
            if value is not None and not (made and (_rearranges(made) or back.runs_again(made))):
                outputs = made.outputs if made else [symbol]
                kept.update(value_of[s] for s in outputs if s in value_of)
            elif made is not None:
                asked += [x for x in made.inputs if isinstance(x, Symbol)]
        body.derived[key] = tuple(i for i, value in enumerate(_values(body)) if value in kept)
    found: tuple[int, ...] = body.derived[key]
    return found


def _rearranges(made: Instruction) -> bool:
    return isinstance(made.op.lower, (Reindex, Create))


def _unchanging(program: Program, shared: Iterable[Symbol]) -> set[Symbol]:
    """The values that are the same at every step."""
    found = {*shared, *program.constants}
    for made in program.instructions:
        if all(x in found for x in made.inputs if isinstance(x, Symbol)):
            found.update(made.outputs)
    return found


def keeping(body: Program, kept: tuple[int, ...]) -> Program:
    """The same body, giving out also some of its values."""
    values = _values(body)
    return _returning(body, [*body.returns, *(values[i] for i in kept)], ("keeping", kept))


def without(body: Program, last: int) -> Program:
    """The body without so many of the values it gives out for its gradient."""
    returns = body.returns[: len(body.returns) - last]
    return _returning(body, returns, ("without", last)) if last else body


def _returning(body: Program, returns: list[Any], key: Any) -> Program:
    if key not in body.derived:
        body.derived[key] = Program(
            body.args, {}, {}, body.constants, body.instructions, returns, {}
        )
    found: Program = body.derived[key]
    return found


# -- the reverse sweep of a step


@dataclass
class _Backward:
    """(g of new carries and outputs, then the body's inputs) -> a gradient per needed input."""

    program: Program
    images: dict[Symbol, Any]  # the body's values, and which ones they are in the program
    reads: set[Any]  # what the sweep itself reads: not the body, which runs again before it

    def runs_again(self, made: Instruction) -> bool:
        """Whether more is read than the body's values: of a scan, what its own sweep needs."""
        known = self.images.values()
        return any(s in self.reads and s not in known for s in made.outputs)


def _backward(body: Program, needed: tuple[bool, ...]) -> _Backward:
    key = "backward", needed
    if key not in body.derived:
        images: dict[Symbol, Any] = {}
        own: list[Instruction] = []

        def back(*values: Value) -> tuple[Value, ...]:
            gs, inputs = values[: len(body.returns)], values[len(body.returns) :]
            leaves = [Value(v.array) for v in inputs]
            for leaf, wanted in zip(leaves, needed, strict=True):
                leaf.origin = leaf if wanted else None
            token = TRACKING.set(True)
            try:
                at = replayed(body, leaves)
            finally:
                TRACKING.reset(token)
            recorder = RECORDER.get()
            assert recorder is not None
            own.extend(recorder.instructions)
            images.update((s, v.array) for s, v in at.items() if isinstance(v, Value))
            outs = [at.get(s, s) for s in body.returns]
            roots = [  # an output that depends on nothing is no Value
                (out.origin if isinstance(out, Value) else None, g.array)
                for out, g in zip(outs, gs, strict=True)
            ]
            found = {id(leaf): g for leaf, g in sweep(roots)}
            return tuple(
                Value(found[id(v)] if id(v) in found else zeros(v))
                for v, wanted in zip(leaves, needed, strict=True)
                if wanted
            )

        program = record(back, [spec_of(s) for s in [*body.returns, *body.args]])[0].pruned()
        again = set(map(id, own))
        reads = {s for made in program.instructions if id(made) not in again for s in made.inputs}
        body.derived[key] = _Backward(program, images, reads | set(program.returns))
    found: _Backward = body.derived[key]
    return found


def _reading(
    body: Program, carries: int, wanted: tuple[bool, ...], kept: tuple[int, ...]
) -> Program:
    """(g of new carries and outputs, kept values, sequences, shared) -> a gradient per wanted
    input: the reverse sweep alone.
    """
    back, values = _backward(body, wanted), _values(body)
    count, images = len(body.returns), [back.images[values[i]] for i in kept]
    known = set(images)
    gs, inputs = back.program.args[:count], back.program.args[count:]
    made = [m for m in back.program.instructions if known.isdisjoint(m.outputs)]
    program = Program(
        [*gs, *images, *inputs[carries:]], {}, {}, back.program.constants, made,
        back.program.returns, {},
    )  # fmt: skip
    return program.pruned()


# -- gradients of what is shared, over all steps at once


Source = tuple[str, int]
"""Where the rows of a value are: "rows" that the reverse scan walks along, or its "outputs"."""


@dataclass
class Later:
    """A sum over the steps that is one operation on the rows of all of them."""

    op: str
    settings: dict[str, Any]
    sources: list[Source]

    def over_all(self, rows: Sequence[Any], outputs: Sequence[Any]) -> Any:
        """The sum, from what the reverse scan walked along and what it gave out beside."""
        whole = {"rows": rows, "outputs": outputs}
        return CALLS[self.op](*(whole[kind][i] for kind, i in self.sources), **self.settings)


def _product_over_steps(dims: str) -> dict[str, Any]:
    step = next(letter for letter in "tsuvwxyzTSUVWXYZ" if letter not in dims)
    left, _, right = dims.partition(",")
    return {"dims": f"{step}{left},{step}{right}"}


_OVER_STEPS: dict[str, Callable[..., dict[str, Any]]] = {
    "contract": _product_over_steps,
    "sum": lambda axes: {"axes": (0, *(axis + 1 for axis in axes))},
}
"""Ops whose results, summed over the steps, are the same op with one more axis to sum over."""


@dataclass
class ReverseStep:
    """The body of the reverse scan; of the shared inputs (counted among those), which ones' sums
    are carried along, and which ones are made when all is done.
    """

    body: Program
    totals: list[int]
    later: dict[int, Later]


def reverse_step(
    body: Program, carries: int, sequences: int, wanted: tuple[bool, ...], kept: tuple[int, ...]
) -> ReverseStep:
    """One step of the reverse sweep: (g of carries, totals; g of outputs, kept values, sequences;
    shared) -> (g of carries, totals; g of sequences, rows of what is summed later).
    """
    key = "reverse", carries, sequences, wanted, kept
    if key not in body.derived:
        body.derived[key] = _ReverseStep(body, carries, sequences, wanted, kept).made()
    found: ReverseStep = body.derived[key]
    return found


class _ReverseStep:
    def __init__(
        self,
        body: Program,
        carries: int,
        sequences: int,
        wanted: tuple[bool, ...],
        kept: tuple[int, ...],
    ) -> None:
        self.body, self.wanted = body, wanted
        self.carries, self.sequences = carries, sequences
        self.sweep = _reading(body, carries, wanted, kept)
        flows = differentiable(body)
        self.flowing = [i for i in range(carries) if flows[i]]
        first = carries + sequences
        self.shared = [i for i, want in enumerate(wanted[first:]) if want]
        self.slopes = list(self.sweep.returns)  # of carries, sequences, shared
        self.rows = self.sweep.args[carries : len(body.returns) + len(kept) + sequences]
        self.outputs: list[Symbol] = []
        self.later = self._later()

    def _later(self) -> dict[int, Later]:
        last = self.sweep.args[len(self.sweep.args) - (len(self.body.args) - self._first) :]
        same = _unchanging(self.sweep, last)
        made_by = {s: made for made in self.sweep.instructions for s in made.outputs}
        found = {}
        for i, slope in zip(self.shared, self._of_shared, strict=True):
            made = made_by.get(slope)
            if made is None or made.op.name not in _OVER_STEPS:
                continue
            if all(isinstance(x, Symbol) and x not in same for x in made.inputs):
                settings = _OVER_STEPS[made.op.name](**made.settings)
                found[i] = Later(made.op.name, settings, [self._source(x) for x in made.inputs])
        return found

    @property
    def _first(self) -> int:
        return self.carries + self.sequences

    @property
    def _of_shared(self) -> list[Any]:
        return self.slopes[len(self.slopes) - len(self.shared) :]

    def _source(self, value: Symbol) -> Source:
        if value in self.rows:
            return "rows", self.rows.index(value)
        if value not in self.outputs:
            self.outputs.append(value)
        return "outputs", self.outputs.index(value)

    def made(self) -> ReverseStep:
        totals = [i for i in self.shared if i not in self.later]
        shared = self.body.args[self._first :]
        args = self.sweep.args
        entering = [*(args[i] for i in self.flowing), *(shared[i] for i in totals)]
        specs = [spec_of(s) for s in [*entering, *self.rows, *shared]]

        first, rest = len(self.flowing), len(self.slopes) - len(self.shared)

        def step(*values: Value) -> tuple[Any, ...]:
            g_carry = dict(zip(self.flowing, values, strict=False))
            gs = [g_carry.get(i, Value(zeros(args[i]))) for i in range(self.carries)]
            at = replayed(self.sweep, [*gs, *values[len(entering) :]])
            slopes = [at.get(s, s) for s in self.slopes]
            more = dict(zip(self.shared, slopes[rest:], strict=True))
            with mark(phase="backward"):
                sums = zip(values[first : len(entering)], totals, strict=True)
                added = [CALLS["add"](total, more[i]) for total, i in sums]
            beside = [at.get(s, s) for s in self.outputs]
            return (*slopes[:first], *added, *slopes[first:rest], *beside)

        return ReverseStep(record(step, specs)[0].pruned(), totals, self.later)
