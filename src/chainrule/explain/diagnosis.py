"""Diagnosing a step before it runs: for whoever writes the loop himself."""

from __future__ import annotations

from typing import Any

from chainrule.compiler.forms import raws
from chainrule.compiler.step import CompiledStep
from chainrule.explain.checks import CHECKS
from chainrule.explain.evidence import Evidence, Probe
from chainrule.explain.findings import Finding, findings
from chainrule.explain.trace import trace
from chainrule.nn import Module
from chainrule.tensors import as_tensor


def diagnose_step(step: CompiledStep, *args: Any, network: Module | None = None) -> list[Finding]:
    """What looks wrong in a compiled step on a batch; nothing is changed by looking.

    The step is recorded and interpreted once: parameters that the loss does not reach, a forgotten
    zero_grad, a softmax before cross-entropy, shapes that would be spread, unscaled inputs, first
    weights, vanishing and exploding gradients, dead and saturated units. With `network`, parameters
    that the step does not even read are found, too.

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
    program = step.program(*tensors)
    probe = Probe(1, trace(program, raws(tensors) or []))
    names = [] if network is None else [name for name, _ in network.named_parameters()]
    return findings(Evidence(program, names, [probe]), CHECKS)
