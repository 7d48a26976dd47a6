"""What scikit-learn's callbacks are told: that a fit and each of its epochs begin and end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chainrule.train import EpochResult


class Epochs:
    """The tasks of one fit, as callbacks see them: `fit`, and below it an `epoch` for each.

    `told`: the estimator, X, y and metadata, as the user gave them. `attributes()` makes the
    fitted attributes with which a copy of the estimator predicts, as if the fit had ended here.
    """

    def __init__(
        self, told: dict[str, Any], epochs: int, attributes: Callable[[], dict[str, Any]]
    ) -> None:
        self.told, self.attributes = told, attributes
        self.root = told["estimator"]._init_callback_context(max_subtasks=epochs)
        self.root.call_on_fit_task_begin(**told)

    def start(self, epoch: int) -> None:
        """An epoch begins."""
        self.epoch = self.root.subcontext(task_name="epoch")
        self.epoch.call_on_fit_task_begin(**self.told)

    def end(self, result: EpochResult) -> bool:
        """An epoch ended; whether a callback asks to stop."""
        return bool(
            self.epoch.call_on_fit_task_end(**self.told, reconstruction_attributes=self.attributes)
        )

    def close(self) -> None:
        """The fit ended."""
        self.root.call_on_fit_task_end(**self.told, reconstruction_attributes=self.attributes)
