"""An opened step as text, for a terminal: the four steps of learning, with their numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.explain.layers import Layer, Link
from chainrule.explain.opened import Apart, Opened, Row
from chainrule.explain.plain import number, numbers
from chainrule.explain.updates import Update, rms

ROWS = 8
"""So many rows of a batch are told one by one."""


def step_text(step: Opened) -> str:
    """The whole step as lines of text."""
    parts = [_head(step), _forward(step), _loss(step), _backward(step), _update(step)]
    texts = ["\n".join(part) for part in parts]
    texts += [_apart(step.apart)] if step.apart is not None else []
    folded = [layer.name for layer in step.layers if not (layer.written and layer.passed)]
    if folded and not step.unfolded:
        texts.append(f"Layers are folded: --layer {folded[0]} tells that one in full.")
    return "\n\n".join(texts)


def _head(step: Opened) -> Iterator[str]:
    labels, rows = step.labels, len(step.rows)
    if labels.step is not None:
        of = f" of {labels.steps:,}" if labels.steps else ""
        yield f"Step {labels.step:,}{of}: batch {labels.within} of epoch {labels.epoch}"
    where = _lines([row.line for row in step.rows if row.line is not None])
    source = f" of {labels.source}" if labels.source else ""
    yield f"{rows} {'row' if rows == 1 else 'rows'}{source}{f': {where}' if where else ''}"


def _lines(lines: list[int]) -> str:
    if not lines:
        return ""
    more = f" and {len(lines) - 12} more" if len(lines) > 12 else ""
    shown = ", ".join(map(str, lines[:12]))
    return f"{'line' if len(lines) == 1 else 'lines'} {shown}{more}"


def _this_row(step: Opened) -> str:
    line = step.rows[step.row].line
    return f"row {step.row + 1} of the batch" + ("" if line is None else f", line {line}")


def _forward(step: Opened) -> Iterator[str]:
    yield f"1 Forward: what the network says ({_this_row(step)})"
    if step.labels.cells:
        yield "  the row: " + _limited([f"{k} = {v}" for k, v in step.labels.cells.items()])
    for name, values in step.inputs.items():
        if values.size:
            yield f"  {name}: {_with_names(step, name)}"
    for layer in step.layers:
        if layer.phase == "forward":
            yield from _layer(step, layer)


def _with_names(step: Opened, name: str) -> str:
    values, names = step.inputs[name], step.labels.features.get(name, ())
    flat = values.reshape(-1)
    if not names or flat.size != len(names):
        return numbers(values)
    return _limited([f"{k} = {number(v)}" for k, v in zip(names, flat.tolist(), strict=True)])


def _limited(texts: list[str], most: int = 8) -> str:
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more


def _layer(step: Opened, layer: Layer) -> Iterator[str]:
    by_row = layer.output.shape[:1] == (len(step.rows),)
    output = layer.output[step.row] if by_row else layer.output
    whole = 64 if layer.name == step.unfolded else 8
    yield f"  {_title(layer)}"
    if layer.written:
        yield from (f"    {line}" for line in layer.written)
    else:
        yield f"    {numbers(output, whole)}"
    if layer.name == step.unfolded:
        yield from (line for link in layer.links for line in _link_forward(step, link))


def _title(layer: Layer) -> str:
    return f"{layer.name}  {layer.kind}".rstrip()


def _link_forward(step: Opened, link: Link) -> Iterator[str]:
    values = _of_row(step, link.output)
    own = step.labels.step is None  # of a run the lines are the library's
    line = f"  ({link.line})" if link.line and own else ""
    yield f"      {link.name} = {link.op}({', '.join(link.inputs)}): {numbers(values)}{line}"


def _of_row(step: Opened, values: NDArray[Any]) -> NDArray[Any]:
    return values[step.row] if values.shape[:1] == (len(step.rows),) else values


def _loss(step: Opened) -> Iterator[str]:
    yield "2 Loss: how wrong that is"
    known = [row for row in step.rows if row.loss is not None]
    for layer in step.layers:
        if layer.phase == "loss" and len(known) < 2:
            yield from (f"    {line}" for line in layer.written)
    for row in known[:ROWS] if len(known) > 1 else []:
        where = _where(step, row)
        said = f"said {row.predicted}, is {row.true}: " if row.predicted else ""
        yield f"    {where}: {said}loss {number(row.loss)}"
    if len(known) > ROWS:
        rest = known[ROWS:]
        worst = max(known, key=lambda row: row.loss or 0.0)
        told = f"{_where(step, worst)}, loss {number(worst.loss)}"
        yield f"    and {len(rest)} more rows; the worst is {told}"
    if len(known) > 1:
        yield f"  their mean: {number(step.loss)}"
    else:
        yield f"  loss: {number(step.loss)}"


def _where(step: Opened, row: Row) -> str:
    at = next(i for i, one in enumerate(step.rows) if one is row)
    return f"row {at + 1}" if row.line is None else f"line {row.line}"


def _backward(step: Opened) -> Iterator[str]:
    yield "3 Backward: who is to blame (incoming gradient times local derivative, link by link)"
    for layer in reversed(step.layers):
        if layer.gradient is None:
            continue
        incoming = numbers(_of_row(step, layer.gradient))
        yield f"  {_title(layer)}"
        yield f"    comes in, d loss / d output: {incoming}"
        yield from (f"    {line}" for line in layer.passed)
        for link in reversed(layer.links):
            if layer.name == step.unfolded:
                yield from _link_back(step, link)
            else:
                yield from _to_parameters(layer, link)


def _to_parameters(layer: Layer, link: Link) -> Iterator[str]:
    """What a folded layer's operation passes to parameters, where it is not written out."""
    for factor in link.factors:
        told = any(line.startswith(f"to {factor.to}") for line in layer.passed)
        if not (told or factor.to.startswith("%")):
            yield f"    to {factor.to}: {numbers(factor.passed)}"


def _link_back(step: Opened, link: Link) -> Iterator[str]:
    for factor in link.factors:
        passed = numbers(_of_row(step, factor.passed))
        if factor.local is None or link.gradient is None:
            yield f"      through {link.op} to {factor.to} ({link.formula}): {passed}"
            continue
        came, local = _of_row(step, link.gradient), _of_row(step, factor.local)
        product = f"{numbers(came)} x {numbers(local)} = {passed}"
        yield f"      through {link.op} to {factor.to}: {product}"


def _update(step: Opened) -> Iterator[str]:
    yield "4 Update: a small step against the gradient"
    rates = {update.rate for update in step.updates if update.rate is not None}
    if len(rates) == 1:
        yield f"  after = before - rate * direction, rate {number(rates.pop())}"
    for update in step.updates:
        yield from _parameter(update)


def _parameter(update: Update) -> Iterator[str]:
    yield f"  {update.name}"
    if update.written:
        yield from (f"    {line}" for line in update.written)
        return
    at = np.unravel_index(int(np.abs(update.change).argmax()), update.change.shape)
    place = f"[{', '.join(str(int(i)) for i in at)}]"
    before, after = number(update.before[at]), number(update.after[at])
    yield (
        f"    {_count(update.before.size)} of size {number(rms(update.before))}, gradients of "
        f"size {number(rms(update.gradient))}, changed by {update.share:.2%} of their size"
    )
    rate = "" if update.rate is None else f"{number(update.rate)}*"
    direction = number(update.direction[at])
    made = f"gradient {number(update.gradient[at])}, direction {direction}"
    yield f"    changed most, {place}: {made}; {before} - {rate}({direction}) = {after}"


def _count(size: int) -> str:
    return "1 number" if size == 1 else f"{size:,} numbers"


def _apart(apart: Apart) -> str:
    if apart.largest == 0 and apart.loss == apart.interpreted:
        return f"The training ran {apart.ran}. Interpreted it is the same to the last bit."
    return (
        f"The training ran {apart.ran}: loss {apart.loss:.9g}. Interpreted, as shown here: "
        f"{apart.interpreted:.9g}.\nNo number that the step left behind differs by more than "
        f"{apart.largest:.1e} of its kind ({apart.where})."
    )
