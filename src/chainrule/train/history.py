"""What a training did, epoch by epoch."""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict


class EpochResult(BaseModel):
    """What one pass over the training rows led to; the last one may have been cut short."""

    model_config = ConfigDict(frozen=True)

    epoch: int  # from 1
    steps: int  # updates so far
    train_loss: float  # mean over the rows, each as it was before its update
    validation_loss: float
    rate: float  # the learning rate of the last update
    seconds: float  # since training began


@dataclass
class History:
    """The epochs of a training, which one's weights were kept, and why it ended."""

    epochs: list[EpochResult] = field(default_factory=list)
    best_epoch: int = 0  # 0: none yet
    stopped: str = ""  # in words
    interrupted: bool = False
    ran: str = ""  # as machine code or not, and why, in words

    @property
    def best(self) -> EpochResult:
        """The epoch whose weights were kept: the one with the lowest validation loss."""
        return self.epochs[self.best_epoch - 1]

    def add(self, result: EpochResult) -> bool:
        """Append an epoch; whether it is the best so far, as it is where nothing was validated."""
        self.epochs.append(result)
        if self.best_epoch and result.validation_loss >= self.best.validation_loss:
            return False
        self.best_epoch = len(self.epochs)
        return True

    def since_best(self) -> int:
        """How many epochs ago the best one was."""
        return len(self.epochs) - self.best_epoch
