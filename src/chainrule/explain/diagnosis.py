"""Diagnosing a step before it runs, and losses as they came, in a loop of one's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from chainrule.compiler.forms import raws
from chainrule.compiler.step import CompiledStep
from chainrule.core.program import Program
from chainrule.explain.checks import CHECKS
from chainrule.explain.checks.course import COURSE
from chainrule.explain.evidence import Course, Evidence, Probe, first_not_finite
from chainrule.explain.findings import Finding, findings
from chainrule.explain.trace import trace
from chainrule.nn import Module
from chainrule.tensors import Cell, as_tensor


def diagnose_step(
    step: Callable[..., Any], *args: Any, network: Module | None = None
) -> list[Finding]:
    """What looks wrong in a step of learning on a batch; nothing is changed by looking.

    `step` is a function of tensors, compiled or not. It is recorded and interpreted once, as it
    will run from the second time on: parameters that the loss does not reach, a forgotten
    zero_grad, a last layer that does not suit the loss, shapes that would be spread, unscaled
    inputs, first weights, vanishing and exploding gradients, dead and saturated units, numbers
    that are not finite. With `network`, parameters that the step does not even read are found, too.

    >>> import chainrule as cr
    >>> model = cr.nn.Linear(2, 1)
    >>> optimizer = cr.optim.SGD(model.parameters(), lr=0.1)
    >>> @cr.compile
    ... def step(x, y):
    ...     loss = cr.nn.MSELoss()(model(x), y)
    ...     optimizer.zero_grad()
    ...     loss.backward()
    ...     optimizer.step()
    ...     return loss
    >>> diagnose_step(step, cr.ones(4, 2) * 500, cr.ones(4, 1))[0].name
    'unscaled numbers'
    """
    tensors = tuple(as_tensor(arg) for arg in args)
    inner = step.fn if isinstance(step, CompiledStep) else step
    first = CompiledStep(inner, "interpret").program(*tensors)
    with _gradients_there(first):
        program = CompiledStep(inner, "interpret").program(*tensors)
        traced = trace(program, raws(tensors) or [])
    names = [] if network is None else [name for name, _ in network.named_parameters()]
    evidence = Evidence(program, names, [Probe(1, traced)])
    loss = np.atleast_1d(np.asarray(0.0 if traced.loss is None else traced[traced.loss]))
    if not np.isfinite(loss).all():
        broken = first_not_finite(traced, range(1, traced.rows + 1), 1)
        course = Course(np.empty(0), np.empty(0), loss)
        evidence = Evidence(program, names, course=course, broken=broken)
    return findings(evidence, CHECKS)


def diagnose_losses(
    losses: Sequence[float], validation: Sequence[float] = (), *, lr: float | None = None
) -> list[Finding]:
    """What looks wrong in the losses of a training, one each epoch; NaN and infinity are told.

    `validation`: the losses of rows that were not learned from, as many; `lr`: the learning rate.
    Divergence, a rate that is too large, and overfitting are found; what would need a remedy to be
    tried is not said.

    >>> diagnose_losses([1.0, 40.0, 900.0])[0].name
    'rate too large'
    """
    train = np.asarray(losses, np.float64)
    checked = np.asarray(validation, np.float64) if len(validation) else np.full(len(train), np.nan)
    settings = {} if lr is None else {"lr": lr}
    return findings(Evidence(course=Course(train, checked, train), settings=settings), COURSE)


@contextmanager
def _gradients_there(program: Program) -> Iterator[None]:
    """Inside, each parameter that a step learns has a gradient, as it has after the first step."""
    named = {id(cell): name for name, cell in program.cells.items()}
    empty: list[Cell] = []
    for name, cell in program.cells.items():
        wanted = getattr(cell, "requires_grad", False) and name in program.reads
        gradient = cell.grad_cell if wanted else None
        if gradient is not None and gradient.held() is None and id(gradient) in named:
            gradient.hold(np.zeros_like(cell.held()))
            empty.append(gradient)
    try:
        yield
    finally:
        for gradient in empty:
            gradient.hold(None)
