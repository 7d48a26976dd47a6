"""Which inputs moved a prediction how: gradient times input, and integrated gradients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.core.op import CALLS, Index
from chainrule.core.program import Instruction, Program
from chainrule.core.record import result_class
from chainrule.core.sweep import sweep
from chainrule.core.value import Symbol
from chainrule.data.preparation import Inputs, Preparation
from chainrule.explain.explained import Contribution, Explained
from chainrule.explain.plain import number
from chainrule.model import Model
from chainrule.model.forward import for_rows

POINTS = 64
"""Points on the way from the reference to the row at which the gradient is taken."""


def typical(inputs: Inputs) -> Inputs:
    """One row that stands for many: the mean of each number, the most frequent of each code."""
    codes = [np.bincount(column).argmax() for column in inputs.codes.T]
    numbers = inputs.numbers.mean(axis=0, dtype=np.float64, keepdims=True)
    return Inputs(numbers.astype(np.float32), np.array([codes], np.int64).reshape(1, -1))


def explain_row(
    model: Model, row: Inputs, reference: Inputs, points: int = POINTS
) -> list[Explained]:
    """Explain what `model` says of a row, against a reference row, for each of its targets.

    Integrated gradients (M. Sundararajan, A. Taly, Q. Yan, 2017, "Axiomatic attribution for deep
    networks"): the gradient's mean over `points` on the straight line from the reference to the
    row, times the difference of the inputs; learned vectors of codes are inputs like numbers.
    """
    preparation = model.preparation
    outputs, before = (model.outputs(one.numbers, one.codes)[0] for one in (row, reference))
    path = _Path(model.program, row, reference, points)
    cells, others = (_cells(preparation, one) for one in (row, reference))
    found, start = [], 0
    for target in preparation.targets:
        part = slice(start, start + target.width)
        place = start + (int(outputs[part].argmax()) if target.choices else 0)
        scale = 1.0 if target.choices else float(getattr(target, "std", 1.0))
        integrated, linear = path.contributions(place)
        whole = float(outputs[place] - before[place])
        columns = [
            Contribution(name, cells[name], others[name], total * scale, at_row * scale)
            for name, total, at_row in _by_column(preparation, path, integrated, linear)
        ]
        said = target.inverse(outputs[None, part])[0]
        shown = [float(outputs[place]), float(before[place])]
        if not target.choices:
            shown = [float(v) for v in target.inverse(np.array(shown)[:, None])]
        gap = whole * scale - sum(one.integrated for one in columns)
        text = target.choices[place - start] if target.choices else number(said)
        columns.sort(key=lambda one: -abs(one.integrated))
        found.append(
            Explained(target.name, text, bool(target.choices), shown[0], shown[1], columns, gap)
        )
        start += target.width
    return found


def _cells(preparation: Preparation, row: Inputs) -> dict[str, str]:
    """The cells behind a row's inputs, as text."""
    return {name: _text(values[0]) for name, values in preparation.inverse(row).items()}


def _text(value: Any) -> str:
    return number(value, 1.0) if isinstance(value, int | float | np.number) else str(value)


def _by_column(
    preparation: Preparation,
    path: _Path,
    integrated: Mapping[Any, NDArray[Any]],
    linear: Mapping[Any, NDArray[Any]],
) -> list[tuple[str, float, float]]:
    """Both contributions of each input column: those of its features, or of its vectors, added."""
    sums = {record.name: [0.0, 0.0] for record in preparation.inputs}
    start = 0
    for record in preparation.dense:
        part = slice(start, start + len(record.features))
        for at, found in enumerate((integrated, linear)):
            sums[record.name][at] += float(found[path.numbers][part].sum())
        start = part.stop
    start = 0
    for coded in preparation.embedded:
        for symbol in path.vectors_of(slice(start, start + coded.slots)):
            for at, found in enumerate((integrated, linear)):
                sums[coded.name][at] += float(found[symbol].sum())
        start += coded.slots
    return [(name, total, at_row) for name, (total, at_row) in sums.items()]


class _Path:
    """The forward pass at points on the way from a reference to a row, with its gradients."""

    def __init__(self, program: Program, row: Inputs, reference: Inputs, points: int) -> None:
        self.one = for_rows(program, 1)
        self.program = for_rows(program, points + 1)
        self.row, self.reference = row, reference
        self.numbers, self.codes = self.program.args
        middles = (np.arange(points) + 0.5) / points
        self.share = np.append(middles, 1.0).astype(np.float32)  # at last the row itself

    def contributions(self, output: int) -> tuple[dict[Any, Any], dict[Any, Any]]:
        """Of each entry (the numbers, each learned vector) to an output: integrated, and linear."""
        entries, differences, result = self._run()
        seed = np.zeros(result.shape, np.float32)
        seed[:, output] = 1.0
        origins = {id(value.origin): symbol for symbol, value in entries.items()}
        found = {origins[id(leaf)]: g for leaf, g in sweep([(result.origin, seed)])}
        points = len(self.share)
        integrated, linear = {}, {}
        for symbol, apart in differences.items():
            g = np.asarray(found.get(symbol, np.zeros((points, *apart.shape))), np.float64)
            integrated[symbol], linear[symbol] = g[:-1].mean(axis=0) * apart, g[-1] * apart
        return integrated, linear

    def _run(self) -> tuple[dict[Any, Any], dict[Any, Any], Any]:
        made_of = result_class()
        points = len(self.share)
        start, end = self.reference.numbers[0], self.row.numbers[0]
        entries = {self.numbers: made_of(self._between(start, end), object())}
        differences = {self.numbers: end.astype(np.float64) - start}
        values = {**self._heads(points), **entries}
        vectors = self._vectors(self.row.codes), self._vectors(self.reference.codes)
        for made in self.program.instructions:
            out = made.outputs[0]
            if out.id in vectors[0]:
                here, there = vectors[0][out.id][0], vectors[1][out.id][0]
                entries[out] = values[out] = made_of(self._between(there, here), object())
                differences[out] = here.astype(np.float64) - there
                continue
            inputs = [values[x] if isinstance(x, Symbol) else x for x in made.inputs]
            with np.errstate(all="ignore"):
                found = CALLS[made.op.name](*inputs, **made.settings)
            outs = found if type(found) is tuple else (found,)
            values.update(zip(made.outputs, outs, strict=True))
        return entries, differences, values[self.program.returns[0]]

    def _between(self, start: NDArray[Any], end: NDArray[Any]) -> NDArray[np.float32]:
        share = self.share.reshape(-1, *[1] * end.ndim)
        return np.asarray(start + share * (end - start), np.float32)

    def _heads(self, points: int) -> dict[Any, Any]:
        program = self.program
        held = {symbol: program.cells[name].held() for name, symbol in program.reads.items()}
        codes = np.repeat(self.row.codes, points, axis=0)
        return {**held, **program.captured, **program.constants, self.codes: codes}

    def _vectors(self, codes: NDArray[np.int64]) -> dict[int, NDArray[Any]]:
        """What is looked up by codes, for one row: by the number of the value."""
        values: dict[Any, Any] = {self.one.args[1]: codes}
        program, found = self.one, {}
        values |= {symbol: program.cells[n].held() for n, symbol in program.reads.items()}
        values |= {**program.captured, **program.constants}
        of_codes = {self.one.args[1]}
        for made in program.instructions:
            if not _only(made, values):
                continue
            inputs = [values[x] if isinstance(x, Symbol) else x for x in made.inputs]
            out = made.op.forward(*inputs, **made.settings)
            values.update(zip(made.outputs, out if type(out) is tuple else (out,), strict=True))
            if not of_codes.isdisjoint(made.inputs):
                of_codes.update(made.outputs)
                if isinstance(made.op.lower, Index):
                    found[made.outputs[0].id] = out
        return found

    def vectors_of(self, slots: slice) -> list[Symbol]:
        """The looked up values that the codes of one column decide."""
        other = self.reference.codes.copy()
        other[:, slots] = self.row.codes[:, slots]
        before, after = self._vectors(self.reference.codes), self._vectors(other)
        changed = {k for k, found in after.items() if not np.array_equal(found, before[k])}
        outs = (out for made in self.program.instructions for out in made.outputs)
        return [out for out in outs if out.id in changed]


def _only(made: Instruction, values: Mapping[Any, Any]) -> bool:
    """Whether all that an instruction needs is known."""
    return all(x in values for x in made.inputs if isinstance(x, Symbol))
