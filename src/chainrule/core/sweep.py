"""The reverse sweep: from a result back along its history, each op's rule once.

The same sweep serves eager arrays, recorded symbols, and (for higher orders) Values whose own
history is kept. Every shared tail of the chain is walked once, which is why all gradients
together cost a small multiple of one forward pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chainrule.core.apply import SELECT
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
    add = CALLS["add"]
    grads: dict[int, Any] = {}
    found: list[tuple[Any, Any]] = []
    for root, g in roots:
        if root is not None:
            grads[id(root)] = add(grads[id(root)], g) if id(root) in grads else g
    order = _order([root for root, _ in roots if root is not None], wanted)
    live = None if wanted is None else {id(node) for node in order}
    recorder = RECORDER.get()
    for node in order:
        g = grads.pop(id(node), None)
        if g is None:
            continue
        if type(node) is not tuple or (wanted is not None and id(node) in wanted):
            found.append((node, g))
            if type(node) is not tuple:
                continue
        op, parents, raws, settings, out = node
        if op is SELECT:
            _hand_on(grads, node, g, add)
            continue
        if live is not None:
            parents = tuple([p if id(p) in live else None for p in parents])
        if recorder is not None:
            _point_at(recorder, out)
        rules = _all_gradients if type(op.grad) is not tuple else _each_gradient
        inputs = raws
        if higher:
            inputs, out = _as_values(node)
        for gx, parent, x in zip(rules(node, g, out, inputs, parents), parents, raws, strict=False):
            if gx is None or parent is None:
                continue
            if not higher and isinstance(gx, Value):  # a user's rule may well make tensors
                gx = gx.array
            shape = x if type(x) is tuple else x.shape
            if gx.shape != shape:  # NumPy broadcast x: sum back
                gx = sum_to(gx, shape)
            before = grads.get(id(parent))
            grads[id(parent)] = gx if before is None else add(before, gx)
    if recorder is not None:
        recorder.at = None
    return found


def _each_gradient(
    node: Any, g: Any, out: Any, inputs: Sequence[Any], parents: Sequence[Origin]
) -> list[Any]:
    op, settings = node[0], node[3]
    saved = (out, *inputs)
    return [
        None if parent is None or rule is None else rule(g, *pick(saved), **settings)
        for rule, pick, parent in zip(op.grad, op.picks, parents, strict=True)
    ]


def _all_gradients(
    node: Any, g: Any, out: Any, inputs: Sequence[Any], parents: Sequence[Origin]
) -> Any:
    op, settings = node[0], node[3]
    if type(node[4]) is tuple:  # several outputs: g is {index: gradient}
        g = tuple([g.get(i) for i in range(len(node[4]))])
    needed = tuple([parent is not None for parent in parents])
    return op.grad(g, out, *inputs, needed=needed, **settings)


def _hand_on(grads: dict[int, Any], node: Any, g: Any, add: Any) -> None:
    """The gradient of one of several outputs, put beside those of the others."""
    collected = grads.setdefault(id(node[1][0]), {})
    index = node[3]["index"]
    collected[index] = add(collected[index], g) if index in collected else g


def _as_values(node: Any) -> tuple[list[Any], Any]:
    """Inputs and outputs with their history, so that the rules' own work is recorded in turn."""
    _, parents, raws, _, out = node
    result = result_class()  # has operators, which a user's rule may be written with
    inputs = [
        x if type(x) is tuple or parent is None else result(x, parent)
        for x, parent in zip(raws, parents, strict=True)
    ]
    if type(out) is tuple:
        outs = enumerate(out)
        return inputs, tuple(result(o, (SELECT, (node,), ((),), {"index": i}, o)) for i, o in outs)
    return inputs, None if out is None else result(out, node)


def sum_to(x: Any, shape: tuple[int, ...]) -> Any:
    """The gradient of broadcasting: `x` summed down to `shape`."""
    lead = len(x.shape) - len(shape)
    axes = tuple(
        [i for i, n in enumerate(x.shape) if i < lead or (shape[i - lead] == 1 and n != 1)]
    )
    x = CALLS["sum"](x, axes=axes)
    return x if x.shape == shape else CALLS["reshape"](x, shape=shape)


def _order(roots: list[Origin], wanted: set[int] | None) -> list[Any]:
    """Nodes and leaves, each after all computed from it. No recursion: histories are deep."""
    done: set[int] = set()
    order: list[Any] = []
    stack = [(root, False) for root in roots]
    while stack:
        node, ready = stack.pop()
        if ready:
            order.append(node)
        elif id(node) not in done:
            done.add(id(node))
            stack.append((node, True))
            if type(node) is tuple:
                stack += [(p, False) for p in node[1] if p is not None and id(p) not in done]
    if wanted is not None:
        order = _leading_to(order, wanted)
    order.reverse()
    return order


def _leading_to(order: list[Any], wanted: set[int]) -> list[Any]:
    reach: set[int] = set()
    for node in order:
        if id(node) in wanted or (
            type(node) is tuple and any(p is not None and id(p) in reach for p in node[1])
        ):
            reach.add(id(node))
    return [node for node in order if id(node) in reach]


def _point_at(recorder: Any, out: Any) -> None:
    """Backward instructions carry layer and line of the instruction they differentiate."""
    first = out[0] if type(out) is tuple else out
    made = first.made if type(first) is Symbol else None
    recorder.at = ("backward", made.scope, made.line) if made else None
