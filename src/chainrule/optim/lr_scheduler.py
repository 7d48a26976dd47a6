"""Schedules at PyTorch's address: `from chainrule.optim.lr_scheduler import CosineAnnealingLR`."""

from chainrule.optim.one_cycle import OneCycleLR
from chainrule.optim.plateau import ReduceLROnPlateau
from chainrule.optim.schedule import (
    ConstantLR,
    CosineAnnealingLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    LRScheduler,
    MultiStepLR,
    SequentialLR,
    StepLR,
)

__all__ = [
    "ConstantLR",
    "CosineAnnealingLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "OneCycleLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]
