"""The computation graph: of a recorded program by layer, and of an opened step with its numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.core.program import Instruction, Program
from chainrule.core.value import Symbol
from chainrule.explain.layers import Layer, Link
from chainrule.explain.opened import Opened
from chainrule.explain.pictures.diagram import Arrow, Box, Diagram
from chainrule.explain.plain import numbers
from chainrule.explain.trace import LEARNED, parameters

MOST = 24
"""Of a network with more layers, layers that belong together are one box."""

INPUT, LAYER, LOSS = 5, 0, 4
"""The colours of what goes in, what is computed of it, and how wrong that is."""


@dataclass
class Node:
    """A box to be: what it makes, by name, and what it takes."""

    box: Box
    makes: set[str]
    takes: list[str] = field(default_factory=list)
    beside: Mapping[str, str] = field(default_factory=dict)  # a text for each thing taken


def program_graph(
    program: Program, kinds: Mapping[str, str] | None = None, arguments: Sequence[str] = ()
) -> Diagram:
    """The forward pass and the loss of a program, a box for each layer.

    `kinds`: what each layer is, by its scope; `arguments`: the names of the arguments. A program
    without phases, a forward pass alone, is shown as well.
    """
    learned = [made for made in program.instructions if made.phase in LEARNED]
    depth = _depth(learned)
    names = [*arguments, *(f"argument {i + 1}" for i in range(len(arguments), len(program.args)))]
    nodes = [
        Node(Box(name, [_shape(arg)], INPUT), {str(arg)})
        for name, arg in zip(names, program.args, strict=True)
    ]
    back = [m for m in program.instructions if m.phase == "backward"]
    weights = {found.name: found.before for found in parameters(program)}
    for scope, group in groupby(learned, key=lambda made: _scope(made, depth)):
        nodes.append(_layer_node(scope, list(group), back, weights, kinds or {}, depth))
    return _diagram(
        "graph",
        "The network as it computes",
        "Every box is a part of the network: what it gives, how many weights it has, and its "
        "operations: those forward + those back, for the gradients. Arrows say what is computed "
        "from what; learning walks them from the loss upwards.",
        nodes,
    )


def step_graph(opened: Opened, operations: bool = False) -> Diagram:
    """An opened step with its numbers: what each layer gave for the shown row, and its gradient.

    `operations`: a box for each operation instead, the local derivatives beside the arrows.
    """
    inputs = [Node(Box(n, [numbers(a)], INPUT), {n}) for n, a in opened.inputs.items() if a.size]
    if operations:
        found = [_link_node(opened, link) for layer in opened.layers for link in layer.links]
        taken = {name for node in found for name in node.takes}
        inputs += [
            Node(Box(one.name, [numbers(one.before)], 3), {one.name})
            for one in opened.updates
            if one.name in taken
        ]
    else:
        found = [_opened_node(opened, layer) for layer in opened.layers]
    return _diagram(
        "step",
        "A step with its numbers",
        "What each part gives, and below it how strongly the loss would change with that: its "
        "gradient. A gradient is what comes back along the arrows, times the local derivatives on "
        "the way.",
        [*inputs, *found],
    )


def _diagram(name: str, title: str, about: str, nodes: Sequence[Node]) -> Diagram:
    nodes = _in_order(nodes)
    maker = {made: place for place, node in enumerate(nodes) for made in node.makes}
    arrows: dict[tuple[int, int], str] = {}
    for end, node in enumerate(nodes):
        for taken in node.takes:
            start = maker.get(taken, end)
            if start != end:
                arrows.setdefault((start, end), node.beside.get(taken, ""))
    used = sorted({place for pair in arrows for place in pair})
    now = {place: at for at, place in enumerate(used)}
    return Diagram(
        name,
        title,
        about,
        [nodes[place].box for place in used],
        [Arrow(now[start], now[end], text) for (start, end), text in arrows.items()],
    )


def _in_order(nodes: Sequence[Node]) -> list[Node]:
    """The nodes, those that follow from nothing each just before the first that needs it."""

    def place(node: Node) -> float:
        users = (at for at, other in enumerate(nodes) if node.makes & {*other.takes})
        return nodes.index(node) if node.takes else next(users, len(nodes)) - 0.5

    return sorted(nodes, key=place)


# -- of a program


def _depth(learned: Sequence[Instruction]) -> int:
    """How many parts of a layer's path are told: as many as give no more than `MOST` boxes."""
    longest = max((made.scope.count(".") + 1 for made in learned), default=1)
    for depth in range(longest, 1, -1):
        if len(list(groupby(learned, key=lambda made: _scope(made, depth)))) <= MOST:
            return depth
    return 1


def _scope(made: Instruction, depth: int) -> str:
    return "loss" if made.phase == "loss" else ".".join(made.scope.split(".")[:depth])


def _layer_node(
    scope: str,
    group: Sequence[Instruction],
    back: Sequence[Instruction],
    weights: Mapping[str, Symbol],
    kinds: Mapping[str, str],
    depth: int,
) -> Node:
    takes = [str(x) for made in group for x in made.inputs if _flows(x)]
    inside = {x for made in group for x in made.inputs if isinstance(x, Symbol)}
    count = sum(symbol.size for symbol in weights.values() if symbol in inside)
    behind = sum(_scope(made, depth) == scope for made in back) if scope != "loss" else 0
    gives = f"gives {_shape(group[-1].outputs[0])}" + (f", {count:,} weights" if count else "")
    made_of = _operations(made.op.name for made in group)
    kind = kinds.get(scope, "")
    lines = [kind if kind and "\n" not in kind else made_of] if scope not in ("", "loss") else []
    both = f"{len(group)} + {behind}" if behind else f"{len(group)}"
    lines.append(f"{gives}; {both} operation{'s' * (both != '1')}")
    title = scope or made_of
    makes = {str(out) for made in group for out in made.outputs}
    return Node(Box(title, lines, LOSS if scope == "loss" else LAYER), makes, takes)


def _operations(names: Iterable[str]) -> str:
    """What a layer is made of, where nobody knows its name."""
    return ", ".join(dict.fromkeys(names))


def _flows(operand: Any) -> bool:
    """Whether a value is part of the way to the loss: random keys and the like are not."""
    return isinstance(operand, Symbol) and (operand.made is None or operand.dtype.kind == "f")


def _shape(symbol: Symbol) -> str:
    return " × ".join(map(str, symbol.shape)) if symbol.shape else "a number"


# -- of an opened step


def _opened_node(opened: Opened, layer: Layer) -> Node:
    made_of = _operations(link.op for link in layer.links if layer.phase == "forward")
    lines = [told for told in [layer.kind or made_of] if told]
    lines.append(f"gives {_of_row(opened, layer.output)}")
    if layer.gradient is not None:
        lines.append(f"gradient {_of_row(opened, layer.gradient)}")
    inside = f"{layer.name}."
    lines += [
        f"gradient of {one.name.removeprefix(inside)} {numbers(one.gradient)}"
        for one in opened.updates
        if one.name.startswith(inside) and layer.phase == "forward"
    ]
    makes = {link.name for link in layer.links}
    takes = [taken for link in layer.links for taken in link.inputs]
    return Node(Box(layer.name, lines, LOSS if layer.phase == "loss" else LAYER), makes, takes)


def _link_node(opened: Opened, link: Link) -> Node:
    lines = [f"gives {_of_row(opened, link.output)}"]
    if link.gradient is not None:
        lines.append(f"gradient {_of_row(opened, link.gradient)}")
    local = {
        factor.to: f"× {_of_row(opened, factor.local)}"
        for factor in link.factors
        if factor.local is not None
    }
    color = LOSS if link.phase == "loss" else LAYER
    return Node(Box(link.op, lines, color), {link.name}, link.inputs, local)


def _of_row(opened: Opened, values: NDArray[Any]) -> str:
    """The numbers of the shown row, where there are rows."""
    by_row = len(opened.rows) > 0 and values.shape[:1] == (len(opened.rows),)
    return numbers(np.asarray(values[opened.row] if by_row else values))
