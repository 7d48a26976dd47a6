"""What is to be predicted from a table: which columns, as what, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from chainrule.data.label_target import ListTarget, YesNoTarget
from chainrule.data.lists import list_separator
from chainrule.data.report import Note
from chainrule.data.table import Table
from chainrule.data.target import ClassTarget, ScaledTarget, Task
from chainrule.data.tasks import choose_task
from chainrule.data.votes import vote
from chainrule.errors import SettingError

Target = Annotated[
    ScaledTarget | ClassTarget | ListTarget | YesNoTarget, Field(discriminator="kind")
]
"""The records of what is predicted; a network has an output, or several, for each."""

TASK_OF_TYPE = {
    "numeric": "regression",
    "category": "classification",
    "integer-category": "classification",
    "boolean": "classification",
    "labels": "multi-label",
}
"""The task that a type given to a target column asks for."""

USUAL_SEPARATOR = "|"
"""What stands between labels where lists were asked for and no cell shows what does."""


@dataclass(frozen=True)
class Aim:
    """One target to be: the columns it stands in, the task, why, and what separates labels."""

    columns: list[str]
    task: Task
    reason: str
    separator: str = USUAL_SEPARATOR

    def note(self) -> Note:
        """What was decided, in words."""
        name = ", ".join(self.columns)
        return Note(about="task", text=f"{self.task}: {self.reason}", column=name)

    def fit(self, train: Table) -> Target:
        """The target as the training rows have it."""
        first, *others = self.columns
        if self.task == "regression":
            return ScaledTarget.fit(train, first)
        if self.task == "classification":
            return ClassTarget.fit(train, first)
        if others:
            return YesNoTarget.fit(train, self.columns)
        return ListTarget.fit(train, first, self.separator)


def target_columns(table: Table, target: str | int | Sequence[str | int]) -> list[str]:
    """The names of the columns to predict: of one, of several in a list, or "one,other".

    >>> target_columns(Table.of({"x": [1], "y": [2], "z": [3]}), "y, -1")
    ['y', 'z']
    """
    if isinstance(target, str) and target not in table.columns and "," in target:
        target = [part.strip() for part in target.split(",") if part.strip()]
    keys = [target] if isinstance(target, str | int) else list(target)
    names = [table.name_of(key) for key in keys]
    if not names or len(set(names)) < len(names):
        raise SettingError("each target is a column of its own", got=", ".join(names) or "none")
    return names


def choose_aims(
    table: Table, names: Sequence[str], task: str | None, types: Mapping[str, str]
) -> list[Aim]:
    """What to predict: a target for each column, or one of labels if all say yes or no.

    `task` and the `types` of the columns ("numeric", "category", "labels", "labels:;") override
    what is chosen from the cells. Errors as in `choose_task`.

    >>> table = Table.of({"fever": [1, 0, 1] * 2, "cough": ["no", "yes", "no"] * 2})
    >>> [aim.task for aim in choose_aims(table, ["fever", "cough"], None, {})]
    ['multi-label']
    >>> [aim.task for aim in choose_aims(table, ["fever"], None, {})]
    ['classification']
    """
    free = task in (None, "multi-label") and not any(name in types for name in names)
    if free and len(names) > 1 and all(vote(n, table.columns[n]).kind == "boolean" for n in names):
        return [Aim(list(names), "multi-label", "each column says yes or no")]
    return [_aim(table, name, task, types.get(name)) for name in names]


def _aim(table: Table, name: str, task: str | None, kind: str | None) -> Aim:
    """What to predict of one column."""
    plain, _, separator = (kind or "").partition(":")
    chosen, reason = choose_task(table, name, TASK_OF_TYPE.get(plain, plain) or task)
    if chosen != "multi-label":
        return Aim([name], chosen, reason)
    found = separator or list_separator(table.columns[name]) or USUAL_SEPARATOR
    return Aim([name], chosen, reason, found)


def inputs_only(types: Mapping[str, str]) -> dict[str, str]:
    """The types that were asked for without those that only targets can have: labels.

    >>> inputs_only({"genre": "labels:;", "zone": "category"})
    {'zone': 'category'}
    """
    return {name: kind for name, kind in types.items() if kind.partition(":")[0] != "labels"}
