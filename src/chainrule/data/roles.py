"""What each column of a table is for: to be predicted, to weigh, to divide, or to learn from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from chainrule.data.aims import target_columns
from chainrule.data.table import Table
from chainrule.errors import SettingError


@dataclass(frozen=True)
class Roles:
    """The columns that are no inputs, with what they are, and the types that were asked for.

    `aside` are those that are set aside, with the reason; `weight`, one of them, says how much a
    row counts. `types` are those of other columns than `targets`, which have `target_types`.
    """

    targets: list[str]
    dropped: list[str]
    aside: dict[str, str]
    weight: str | None
    types: dict[str, str]
    target_types: dict[str, str]

    @classmethod
    def of(
        cls,
        table: Table,
        target: str | int | Sequence[str | int],
        drop: Iterable[str],
        aside: Mapping[str, str],
        weight: str | None,
        types: Mapping[str, str],
    ) -> Roles:
        """The roles that were asked for; DataError if there is no such column.

        SettingError for a target that is something else, too.

        >>> table = Table.of({"x": [1], "y": [2], "w": [1]})
        >>> Roles.of(table, "y", [], {}, "w", {"y": "numeric"}).no_inputs
        ['y', 'w']
        """
        targets = target_columns(table, target)
        weight = None if weight is None else table.name_of(weight)
        apart = {**aside, **({weight: "it says how much a row counts"} if weight else {})}
        dropped = [table.name_of(key) for key in drop]
        for name in targets:
            if name in (*dropped, *apart):
                raise SettingError(f"column {name!r} is the target, so it cannot be dropped")
        asked = {table.name_of(key): kind for key, kind in types.items()}
        inputs = {name: kind for name, kind in asked.items() if name not in targets}
        of_targets = {name: kind for name, kind in asked.items() if name in targets}
        return cls(targets, dropped, apart, weight, inputs, of_targets)

    @property
    def no_inputs(self) -> list[str]:
        """The columns that are not learned from."""
        return [*self.targets, *self.dropped, *self.aside]
