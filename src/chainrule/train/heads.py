"""What a network's outputs mean for each target, and the loss that it learns them by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from chainrule import functional as F
from chainrule import nn
from chainrule.data import Preparation, Target
from chainrule.ops.layout import concat
from chainrule.tensors import Tensor


@dataclass(frozen=True)
class Head:
    """How a task is learned, `loss(reduction=...)`, and what makes its outputs an answer."""

    loss: Callable[..., nn.Module]
    answer: Callable[[Tensor], Any]


HEADS = {
    "regression": Head(nn.MSELoss, lambda raw: raw),
    "classification": Head(nn.CrossEntropyLoss, lambda raw: F.softmax(raw, axis=1)),
    "multi-label": Head(nn.BCEWithLogitsLoss, F.sigmoid),
}
"""The head of each task."""


class TargetsLoss(nn.Module):
    """The sum of the targets' losses; numbers share one, the mean over them.

    Takes the outputs [rows, outputs], the answers of each target, and, if `weighted`, the weights
    of all answers, side by side, [rows, columns]: each loss is then the mean over rows and columns
    of weight times loss.

    >>> import chainrule as cr
    >>> loss = TargetsLoss(["regression", "regression"], [1, 1], weighted=True)
    >>> two, weights = cr.tensor([[1.0], [2.0]]), cr.tensor([[1.5, 0.0], [0.5, 0.0]])
    >>> loss(cr.zeros(2, 2), two, two, weights).item()
    0.875
    """

    phase = "loss"

    def __init__(self, tasks: Sequence[str], widths: Sequence[int], weighted: bool) -> None:
        reduction = "none" if weighted else "mean"
        self.losses = nn.ModuleList([HEADS[task].loss(reduction=reduction) for task in tasks])
        self.shares = shares(tasks)
        self.widths, self.weighted = list(widths), weighted

    def forward(self, output: Tensor, *given: Tensor) -> Any:
        total, start = None, 0
        parts = zip(self.losses, pieces(output, self.widths), given, self.shares, strict=False)
        for loss, part, answers, share in parts:
            found = loss(part, answers)
            if self.weighted:
                losses = found.reshape(len(output), -1)
                weights = given[-1] if len(self.widths) == 1 else (
                    given[-1][:, start : start + losses.shape[1]]
                )  # fmt: skip
                start += losses.shape[1]
                found = (losses * weights).mean()
            found = found if share == 1.0 else found * share
            total = found if total is None else total + found
        return total


def shares(tasks: Sequence[str]) -> list[float]:
    """What the loss of each target counts in the sum: numbers are one together.

    >>> shares(["regression", "classification", "regression"])
    [0.5, 1.0, 0.5]
    """
    numbers = list(tasks).count("regression")
    return [1.0 / numbers if task == "regression" else 1.0 for task in tasks]


def loss_for(preparation: Preparation, weighted: bool) -> TargetsLoss:
    """The loss of all targets; it takes weights if `weighted`."""
    targets = preparation.targets
    return TargetsLoss([t.task for t in targets], [t.width for t in targets], weighted)


def output_for(targets: Sequence[Target], raw: Tensor) -> Any:
    """What a network's last layer means: scaled numbers, and probabilities of classes or labels."""
    parts = pieces(raw, [target.width for target in targets])
    answers = [HEADS[t.task].answer(part) for t, part in zip(targets, parts, strict=True)]
    return answers[0] if len(answers) == 1 else concat(*answers, axis=1)


def pieces(output: Tensor, widths: Sequence[int]) -> list[Any]:
    """The outputs [rows, outputs] of each target; of one they are all."""
    if len(widths) == 1:
        return [output]
    ends = list(accumulate(widths))
    return [output[:, end - width : end] for width, end in zip(widths, ends, strict=True)]
