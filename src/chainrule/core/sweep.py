"""The reverse sweep: from a result back along its history, each op's rule once.

The same sweep serves eager arrays, recorded symbols, and (for higher orders) Values whose own
history is kept. Every shared tail of the chain is walked once, which is why all gradients
together cost a small multiple of one forward pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from heapq import heappop, heappush
from typing import Any

from chainrule.core.apply import ByIndex, select
from chainrule.core.op import CALLS
from chainrule.core.record import result_class
from chainrule.core.state import RECORDER
from chainrule.core.value import Origin, Symbol, Value


def sweep(
    roots: Sequence[tuple[Origin, Any]], wanted: set[int] | None = None, higher: bool = False
) -> list[tuple[Any, Any]]:
    """Pairs (leaf, gradient) for the leaves that the roots, with their gradients, came from.

    `wanted` (ids of origins) restricts the work to what leads there; those may be nodes too.
    Gradients are raws; with `higher` they are Values that can be differentiated again.
    """
    live = None if wanted is None else _leading_to(wanted, [root for root, _ in roots])
    add, recorder = CALLS["add"], RECORDER.get()
    grads: dict[int, Any] = {}
    queue: list[Any] = []  # nodes that got a gradient; no other adds to that of the last made
    leaves: list[Any] = []
    found: list[tuple[Any, Any]] = []

    def receive(origin: Origin, g: Any, like: Any) -> None:
        if g is None:
            return
        if not higher and isinstance(g, Value):  # a user's rule may well make tensors
            g = g.array
        shape = like if type(like) is tuple else like.shape
        if g.shape != shape:  # NumPy broadcast the input: sum back
            g = sum_to(g, shape)
        key = id(origin)
        if key in grads:
            grads[key] = _merged(grads[key], g) if type(g) is ByIndex else add(grads[key], g)
            return
        grads[key] = g
        if type(origin) is tuple:
            heappush(queue, origin)
        else:
            leaves.append(origin)

    for root, g in roots:
        if root is not None and (live is None or id(root) in live):
            receive(root, g, g)
    while queue:
        node = heappop(queue)
        g = grads.pop(id(node))
        _, op, parents, saved, settings = node
        if wanted is not None and live is not None:
            if id(node) in wanted:
                found.append((node, g))
            parents = [parent if id(parent) in live else None for parent in parents]
        if recorder is not None:
            _point_at(recorder, saved[0], g)
        needs = _as_values(node) if higher else saved
        rules = op.grad
        joint = type(rules) is not tuple
        if joint:
            rules = _all_gradients(node, g, needs, parents)
        for i, parent in enumerate(parents):
            rule = rules[i]
            if parent is not None and rule is not None:
                gx = rule if joint else rule(g, *op.picks[i](needs), **settings)
                receive(parent, gx, saved[i + 1])
    if recorder is not None:
        recorder.at = None
    return found + [(leaf, grads[id(leaf)]) for leaf in leaves]


def _leading_to(wanted: set[int], roots: list[Origin]) -> set[int]:
    """The ids of `wanted`, and of all nodes behind the roots that were computed from them."""
    nodes: dict[int, Any] = {}
    stack = roots
    while stack:  # no recursion: histories are deep
        node = stack.pop()
        if type(node) is tuple and id(node) not in nodes:
            nodes[id(node)] = node
            stack += node[2]
    live = set(wanted)
    for node in sorted(nodes.values(), reverse=True):  # the oldest first
        if any(id(parent) in live for parent in node[2]):
            live.add(id(node))
    return live


def _all_gradients(node: Any, g: Any, needs: tuple[Any, ...], parents: Sequence[Origin]) -> Any:
    """What a joint rule gives: a gradient per input."""
    _, op, _, saved, settings = node
    if type(saved[0]) is tuple:  # several outputs: g is {index: gradient}
        g = tuple([g.get(i) for i in range(len(saved[0]))])
    needed = tuple([parent is not None for parent in parents])
    return op.grad(g, *needs, needed=needed, **settings)


def _merged(before: ByIndex, more: ByIndex) -> ByIndex:
    add = CALLS["add"]
    sums = {i: add(before[i], g) if i in before else g for i, g in more.items()}
    return ByIndex(before | sums)


def _as_values(node: Any) -> tuple[Any, ...]:
    """What was saved with its history, so that the rules' own work is recorded in turn."""
    _, _, parents, (out, *raws), _ = node
    result = result_class()  # has operators, which a user's rule may be written with
    inputs = [
        x if type(x) is tuple or parent is None else result(x, parent)
        for x, parent in zip(raws, parents, strict=True)
    ]
    if type(out) is tuple:
        out = tuple([result(one, select(node, i, one)) for i, one in enumerate(out)])
    elif out is not None:
        out = result(out, node)
    return out, *inputs


def sum_to(x: Any, shape: tuple[int, ...]) -> Any:
    """The gradient of broadcasting: `x` summed down to `shape`."""
    x = CALLS["sum"](x, axes=_repeated(x.shape, shape))
    return x if x.shape == shape else CALLS["reshape"](x, shape=shape)


@lru_cache(maxsize=4096)
def _repeated(shape: tuple[int, ...], original: tuple[int, ...]) -> tuple[int, ...]:
    """The axes that broadcasting `original` to `shape` repeats along."""
    lead = len(shape) - len(original)
    return tuple(
        [i for i, n in enumerate(shape) if i < lead or (original[i - lead] == 1 and n != 1)]
    )


def _point_at(recorder: Any, out: Any, g: Any) -> None:
    """Backward instructions carry layer and line of the instruction they differentiate.

    Which value's gradient `g` is, is noted for those who open the step.
    """
    if type(out) is Symbol and type(g) is Symbol:
        recorder.gradients[out] = g
    first = out[0] if type(out) is tuple else out
    made = first.made if type(first) is Symbol else None
    recorder.at = ("backward", made.scope, made.line) if made else None
