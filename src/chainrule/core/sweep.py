"""The reverse sweep: from a result back along its history, each op's rule once.

The same sweep serves eager arrays, recorded symbols, and (for higher orders) Values whose own
history is kept. Every shared tail of the chain is walked once, which is why all gradients
together cost a small multiple of one forward pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
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
    add, recorder = CALLS["add"], RECORDER.get()
    grads: dict[int, Any] = {}
    found: list[tuple[Any, Any]] = []
    heads: dict[int, Origin] = {}
    for root, g in roots:
        if root is not None:
            key = id(root)
            heads[key] = root
            grads[key] = add(grads[key], g) if key in grads else g
    takers = _takers(heads, wanted)
    ready = [head for key, head in heads.items() if takers.get(key) == []]
    while ready:
        node = ready.pop()
        g = grads.pop(id(node), None)
        if type(node) is not tuple:
            found.append((node, g))
            continue
        if wanted is not None and id(node) in wanted:
            found.append((node, g))
        op, parents, raws, settings, out = node
        if recorder is not None:
            _point_at(recorder, out)
        inputs = raws
        if higher:
            inputs, out = _as_values(node)
        saved = (out, *inputs)
        given = rules = op.grad
        if g is None or op is SELECT or type(rules) is not tuple:
            given = _given(node, g, saved, grads, takers)
        for i, parent in enumerate(parents):
            key = id(parent)
            waiting = takers.get(key)
            if waiting is None:  # untracked, or leads to nothing that is wanted
                continue
            gx = given[i]
            if gx is not None and given is rules:
                gx = gx(g, *op.picks[i](saved), **settings)
            if gx is not None:
                if not higher and isinstance(gx, Value):  # a user's rule may well make tensors
                    gx = gx.array
                x = raws[i]
                shape = x if type(x) is tuple else x.shape
                if gx.shape != shape:  # NumPy broadcast x: sum back
                    gx = sum_to(gx, shape)
                grads[key] = add(grads[key], gx) if key in grads else gx
            waiting.pop()
            if not waiting:
                ready.append(parent)
    if recorder is not None:
        recorder.at = None
    return [(origin, g) for origin, g in found if g is not None]


def _takers(heads: dict[int, Origin], wanted: set[int] | None) -> dict[int, list[int]]:
    """The nodes that each node and leaf was used by; of those only that lead to `wanted`."""
    takers: dict[int, list[int]] = {key: [] for key in heads}
    stack = list(heads.values())
    while stack:  # no recursion: histories are deep
        node = stack.pop()
        if type(node) is tuple:
            for parent in node[1]:
                if parent is not None:
                    key = id(parent)
                    if key not in takers:
                        takers[key] = []
                        stack.append(parent)
                    takers[key].append(id(node))
    if wanted is None:
        return takers
    live: set[int] = set()
    ahead = list(wanted)
    while ahead:
        key = ahead.pop()
        if key in takers and key not in live:
            live.add(key)
            ahead += takers[key]
    return {key: takers[key] for key in takers if key in live}


def _given(
    node: Any, g: Any, saved: tuple[Any, ...], grads: dict[int, Any], takers: dict[int, Any]
) -> Any:
    """The gradients of a node's inputs where there is no rule per input."""
    op, parents, _, settings, out = node
    if g is None:
        return (None,) * len(parents)
    if op is SELECT:  # put beside the gradients of the other outputs
        collected = grads.setdefault(id(parents[0]), {})
        index = settings["index"]
        collected[index] = CALLS["add"](collected[index], g) if index in collected else g
        return (None,)
    if type(out) is tuple:  # several outputs: g is {index: gradient}
        g = tuple([g.get(i) for i in range(len(out))])
    needed = tuple([id(parent) in takers for parent in parents])
    return op.grad(g, *saved, needed=needed, **settings)


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
    x = CALLS["sum"](x, axes=_repeated(x.shape, shape))
    return x if x.shape == shape else CALLS["reshape"](x, shape=shape)


@lru_cache(maxsize=4096)
def _repeated(shape: tuple[int, ...], original: tuple[int, ...]) -> tuple[int, ...]:
    """The axes that broadcasting `original` to `shape` repeats along."""
    lead = len(shape) - len(original)
    return tuple(
        [i for i, n in enumerate(shape) if i < lead or (original[i - lead] == 1 and n != 1)]
    )


def _point_at(recorder: Any, out: Any) -> None:
    """Backward instructions carry layer and line of the instruction they differentiate."""
    first = out[0] if type(out) is tuple else out
    made = first.made if type(first) is Symbol else None
    recorder.at = ("backward", made.scope, made.line) if made else None
