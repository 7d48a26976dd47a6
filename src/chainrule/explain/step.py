"""One step of learning, opened: forward, loss, backward, update, each number beside its cause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from chainrule.compiler.forms import raws
from chainrule.compiler.step import CompiledStep
from chainrule.core.program import Program
from chainrule.core.value import Raw, Symbol
from chainrule.errors import SettingError
from chainrule.explain.layers import Layer, layers_of, names_of
from chainrule.explain.opened import Apart, Labels, Opened, Row
from chainrule.explain.pictures.diagram import Diagram
from chainrule.explain.pictures.graph import step_graph
from chainrule.explain.step_html import step_html
from chainrule.explain.step_text import step_text
from chainrule.explain.trace import Trace, trace
from chainrule.explain.updates import updates_of


@dataclass(frozen=True, eq=False)
class OpenedStep(Opened):
    """A step of learning with everything in it; `str()` tells it, `to_json()` gives it as data."""

    def layer(self, name: str) -> Layer:
        """The layer of a name; SettingError if there is none."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        names = ", ".join(layer.name for layer in self.layers)
        raise SettingError(f"the step has no layer {name!r}", expected=names)

    def graph(self, operations: bool = False) -> Diagram:
        """The step as a graph: what each layer gives for the shown row, and its gradient.

        `operations`: a box for each operation instead, the local derivatives beside the arrows.
        """
        return step_graph(self, operations)

    def __str__(self) -> str:
        return step_text(self)

    def _repr_html_(self) -> str:
        return step_html(self)


def open_program(
    program: Program,
    args: Sequence[Raw],
    state: Mapping[str, Raw] | None = None,
    *,
    row: int = 0,
    layer: str = "",
    labels: Labels | None = None,
    apart: Apart | None = None,
) -> OpenedStep:
    """Open the step that a recorded program is, on these arguments; no cell is changed.

    `state`: what its cells hold before the step, by name; if not given, what they hold now. `row`,
    from 0, is the one whose values are shown, `layer` the one to tell in full. SettingError if
    there is no such row or layer.
    """
    labels = labels or Labels()
    traced = trace(program, args, state)
    if not 0 <= row < traced.rows:
        raise SettingError("the batch has no such row", expected=f"0 to {traced.rows - 1}", got=row)
    names = names_of(program, labels.arguments)
    found = layers_of(traced, row, names, labels.kinds, layer)
    opened = OpenedStep(
        labels,
        row,
        _rows(traced, labels),
        _inputs(traced, row, names),
        found,
        float("nan") if traced.loss is None else traced[traced.loss].item(),
        updates_of(traced, layer),
        apart,
        layer,
    )
    if layer:
        opened.layer(layer)
    return opened


def open_step(step: CompiledStep, *args: Any, row: int = 0, layer: str = "") -> OpenedStep:
    """Open what a compiled step would do now, without doing it.

    `args` are tensors or arrays, as the step takes them. SettingError if there is no such `row` (of
    the batch, from 0) or `layer`.

    >>> import chainrule as cr
    >>> model = cr.nn.Linear(1, 1)
    >>> model.weight.assign([[2.0]]), model.bias.assign([1.0])
    (None, None)
    >>> optimizer = cr.optim.SGD(model.parameters(), lr=0.1)
    >>> @cr.compile
    ... def step(x, y):
    ...     loss = cr.nn.MSELoss()(model(x), y)
    ...     optimizer.zero_grad()
    ...     loss.backward()
    ...     optimizer.step()
    ...     return loss
    >>> opened = open_step(step, cr.tensor([[3.0]]), cr.tensor([[5.0]]))
    >>> opened.layers[0].written, opened.loss
    (['2*3 + 1 = 7'], 4.0)
    >>> opened.updates[0].written
    ['2 - 12*0.1 = 0.8']
    """
    from chainrule.tensors import as_tensor

    tensors = tuple(as_tensor(arg) for arg in args)
    return open_program(step.program(*tensors), raws(tensors) or [], row=row, layer=layer)


def _rows(traced: Trace, labels: Labels) -> list[Row]:
    losses = traced.row_losses()
    return [
        Row(
            int(labels.lines[at]) if len(labels.lines) else None,
            None if losses is None else float(losses[at]),
        )
        for at in range(traced.rows)
    ]


def _inputs(traced: Trace, row: int, names: Mapping[Symbol, str]) -> dict[str, NDArray[Any]]:
    args = traced.program.args
    return {
        names[arg]: traced[arg][row] if arg.shape[:1] == (traced.rows,) else traced[arg]
        for arg in args
    }
