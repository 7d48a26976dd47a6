"""What the training rows taught about turning columns into numbers and back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from chainrule.data.aims import Target
from chainrule.data.applying import Inputs as Inputs
from chainrule.data.applying import apply_records
from chainrule.data.array_input import Arrays, Picture
from chainrule.data.clean import why_left_out
from chainrule.data.columns import ColumnKind, column_kinds
from chainrule.data.layout import Familiar, Layout
from chainrule.data.markers import marked
from chainrule.data.met import Met, MetColumn
from chainrule.data.numeric import bins_for
from chainrule.data.records import Coded, Dense, Encoding, encode, kinds_of_encodings
from chainrule.data.report import Record, counted
from chainrule.data.side_by_side import side_by_side
from chainrule.data.table import Table
from chainrule.data.target import Task
from chainrule.errors import ArtefactError, DataError, SettingError, nearest

WholeTask = Task | Literal["mixed"]
"""The task of all targets together; mixed: they have different ones."""


class Preparation(Record):
    """One record for each input column and for each target; learned from training rows only.

    `columns` are all columns of the training file in its order, `left_out` those that are no
    input, with the reason; `layout` is how the table was written that they come from.

    >>> from chainrule.data.target import ScaledTarget
    >>> train = Table.of({"kg": [1, 2, 4] * 4, "to": ["a", "b"] * 6, "price": range(12)})
    >>> preparation = Preparation.fit(train, [ScaledTarget.fit(train, "price")])
    >>> inputs, met = preparation.apply(Table.of({"to": ["b", "z"], "kg": [2.5, None]}))
    >>> inputs.numbers.shape, preparation.task
    ((2, 3), 'regression')
    >>> print(met.text())
    kg: 1 missing value
    to: 'z' not seen in training (line 2)
    """

    format: Literal[
        "chainrule preparation 1",
        "chainrule preparation 2",
        "chainrule preparation 3",
        "chainrule preparation 4",
    ] = "chainrule preparation 4"  # 2 has more kinds of records than 1, 3 several targets, 4 sounds
    columns: list[str]
    inputs: list[Encoding]
    left_out: dict[str, str]
    targets: list[Target] = Field(min_length=1)
    layout: Layout = Layout()
    missing: dict[str, str] = {}  # noqa: RUF012 (pydantic copies it)

    @model_validator(mode="before")
    @classmethod
    def _one_target(cls, fields: Any) -> Any:
        """Formats 1 and 2 had a single target, under another name."""
        if isinstance(fields, dict) and "target" in fields:
            return {k: v for k, v in fields.items() if k != "target"} | {
                "targets": [fields["target"]]
            }
        return fields

    @classmethod
    def fit(
        cls,
        train: Table,
        targets: Sequence[Target],
        *,
        types: Mapping[str, str] | None = None,
        encodings: Mapping[str, str] | None = None,
        bins: int | None = None,
        drop: Iterable[str] = (),
        aside: Mapping[str, str] | None = None,
        missing: Mapping[str, str] | None = None,
        kinds: Mapping[str, ColumnKind] | None = None,
    ) -> Preparation:
        """Learn from a table that holds the training rows and no others.

        `targets` were fitted on the same rows. `types` gives columns a kind ("numeric",
        "category", "text"), `encodings` one of the ways to encode that kind, `bins` how many
        quantile bins a column of numbers is spread over (None: what suits the rows). `drop` names
        columns that are no inputs, `aside` others with the reason. `missing` are the texts that
        mean "not known" in a column, besides the usual ones; they are kept, for new rows. `kinds`
        are the votes of these rows, if they are known already (`votes_of`). DataError if there is
        no such column, or no column is left to learn from.
        """
        ways = {train.name_of(key): way for key, way in (encodings or {}).items()}
        asked = {train.name_of(key): kind for key, kind in (types or {}).items()}
        left_out = {**(aside or {}), **{train.name_of(name): "asked for" for name in drop}}
        predicted = [name for target in targets for name in target.columns]
        features = train.without([*predicted, *left_out])
        kinds = votes_of(features, asked, ways) if kinds is None else kinds
        left_out.update(_no_use(features, kinds))
        used = {name: kinds[name] for name in features.names if name not in left_out}
        return cls(
            columns=train.names,
            inputs=_records(train, used, ways, left_out, bins),
            left_out={name: left_out[name] for name in train.names if name in left_out},
            targets=list(targets),
            layout=train.layout,
            missing={train.name_of(key): texts for key, texts in (missing or {}).items()},
        )

    @property
    def target(self) -> Target:
        """The only target; SettingError if there are several."""
        if len(self.targets) > 1:
            raise SettingError(f"there are several targets: {self.predicted}", hint=".targets")
        return self.targets[0]

    @property
    def target_columns(self) -> list[str]:
        """The columns that the targets stand in."""
        return [name for target in self.targets for name in target.columns]

    @property
    def predicted(self) -> str:
        """The names of the targets, as one text."""
        return ", ".join(target.name for target in self.targets)

    @property
    def outputs(self) -> int:
        """The number of outputs of a network, those of all targets."""
        return sum(target.width for target in self.targets)

    def split(self, outputs: NDArray[Any]) -> list[NDArray[Any]]:
        """A network's outputs [n, outputs] as those of each target, [n, its width]."""
        return np.split(outputs, np.cumsum([t.width for t in self.targets])[:-1], axis=1)

    @property
    def task(self) -> WholeTask:
        """The task of all targets, regression, classification or multi-label; else mixed."""
        first, *others = {target.task for target in self.targets}
        return "mixed" if others else first

    @property
    def familiar(self) -> Familiar:
        """What new tables are expected to be like."""
        arrays = [record for record in self.inputs if isinstance(record, Arrays)]
        shapes = {record.name: tuple(record.shape) for record in arrays}
        return Familiar(tuple(self.columns), self.layout, shapes)

    @property
    def features(self) -> list[str]:
        """The names of the columns of `Inputs.numbers`."""
        return [name for record in self.dense for name in record.features]

    @property
    def dense(self) -> list[Dense]:
        """The records that make numbers, in order."""
        return [record for record in self.inputs if isinstance(record, Dense)]

    @property
    def pictures(self) -> list[tuple[int, Picture]]:
        """Where in `Inputs.numbers` each picture begins, and its height, width and channels."""
        found, start = [], 0
        for record in self.dense:
            picture = record.picture if isinstance(record, Arrays) else None
            found += [] if picture is None else [(start, picture)]
            start += len(record.features)
        return found

    @property
    def embedded(self) -> list[Coded]:
        """The records that make codes, in the order of the columns of `Inputs.codes`."""
        return [record for record in self.inputs if isinstance(record, Coded)]

    @property
    def slots(self) -> int:
        """The number of columns of `Inputs.codes`."""
        return sum(record.slots for record in self.embedded)

    @property
    def row_bytes(self) -> int:
        """How many bytes the inputs of a row take."""
        return 4 * len(self.features) + 8 * self.slots

    def apply(self, table: Table) -> tuple[Inputs, Met]:
        """Rows as a network sees them, and what was met; columns are found by name, in any order.

        Targets and columns that were left out may be absent. DataError if an input column is.
        """
        return self.apply_all([table])[0]

    def apply_all(self, tables: Sequence[Table]) -> list[tuple[Inputs, Met]]:
        """What `apply` gives for each of some tables; a column is read once for all of them."""
        named = [self.align(table) for table in tables]
        for table in named:
            self._refuse_absent(table)
        return [
            (inputs, self._met(table, aligned, columns))
            for table, aligned, (inputs, columns) in zip(
                tables, named, apply_records(self.inputs, named), strict=True
            )
        ]

    def inverse(self, inputs: Inputs) -> dict[str, NDArray[Any]]:
        """The columns behind some inputs, as far as the way back goes, by name."""
        back: dict[str, NDArray[Any]] = {}
        start = 0
        for record in self.dense:
            end = start + len(record.features)
            back[record.name] = record.inverse(inputs.numbers[:, start:end])
            start = end
        start = 0
        for coded in self.embedded:
            end = start + coded.slots
            back[coded.name] = coded.inverse(inputs.codes[:, start:end])
            start = end
        return {record.name: back[record.name] for record in self.inputs}

    def align(self, table: Table) -> Table:
        """A table without a header under the names of training, by place; else under its own.

        Cells that hold a marker of `missing` are missing. DataError unless it has every column of
        the training file, or every one but the targets.
        """
        if table.named:
            return self._marked(table)
        without = [name for name in self.columns if name not in self.target_columns]
        what = "the target" if len(self.targets) == 1 else "the targets"
        for names in (self.columns, without):
            if len(names) == len(table.names):
                return self._marked(table.renamed(names))
        raise DataError(
            f"{table.source} has no header, and not as many columns as the training rows",
            expected=f"{len(self.columns)} columns, or {len(without)} without {what}",
            got=f"{len(table.names)}",
        )

    def _marked(self, table: Table) -> Table:
        return marked(table, {k: texts for k, texts in self.missing.items() if k in table.columns})

    def _refuse_absent(self, table: Table) -> None:
        """DataError for the first input column that is not there."""
        absent = [record.name for record in self.inputs if record.name not in table.columns]
        if not absent:
            return
        others = [name for name in table.names if name not in self.columns]
        close = nearest(absent[0], others)
        raise DataError(
            f"{table.source} lacks {counted(len(absent), 'column')} that the model needs",
            expected=", ".join(absent),
            got=", ".join(table.names),
            hint=f"is {close!r} the column {absent[0]!r}?" if close else None,
        )

    def _met(self, table: Table, named: Table, columns: list[MetColumn]) -> Met:
        """What the rows held that is worth saying."""
        extra = [name for name in named.names if name not in self.columns]
        return Met(rows=len(table), columns=columns, extra=extra, by_position=not table.named)

    def to_json(self) -> str:
        """The preparation as JSON, every float to its last bit."""
        return json.dumps(self.model_dump(), ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Preparation:
        """The preparation that `to_json` wrote; ArtefactError if the text is not one."""
        try:
            return cls.model_validate(json.loads(text))
        except ValueError as error:
            first = str(error).splitlines()
            raise ArtefactError(
                "this is no preparation", got="; ".join(line.strip() for line in first[:3])
            ) from None


def votes_of(
    features: Table, types: Mapping[str, str], encodings: Mapping[str, str]
) -> dict[str, ColumnKind]:
    """The kinds of the columns that may be inputs; `types` and `encodings` ask for some.

    They may name columns that are not among them.
    """
    asked = {**types, **kinds_of_encodings(encodings)}
    return column_kinds(features, {k: v for k, v in asked.items() if k in features.columns})


def _no_use(features: Table, kinds: Mapping[str, ColumnKind]) -> dict[str, str]:
    """The columns that are no use as inputs, with the reasons."""
    left_out: dict[str, str] = {}
    for name, kind in kinds.items():
        why = why_left_out(kind)
        if why is not None:
            left_out[name] = why
    return left_out


def _records(
    train: Table,
    used: Mapping[str, ColumnKind],
    ways: Mapping[str, str],
    left_out: Mapping[str, str],
    bins: int | None,
) -> list[Encoding]:
    """The records of the columns that are used; DataError if none is."""
    if not used:
        raise _nothing_left(train, left_out)
    if bins is None:
        bins = bins_for(len(train), sum(kind.kind == "numeric" for kind in used.values()))
    many = bins

    def encoded(name: str) -> Encoding:
        kind = used[name]
        return encode(name, train.column(name), kind.kind, many, ways.get(name), kind.form)

    return side_by_side(encoded, used, len(train))


def _nothing_left(train: Table, left_out: Mapping[str, str]) -> DataError:
    """The error for a table without a single usable input."""
    reasons = "; ".join(f"{name}: {why}" for name, why in left_out.items())
    return DataError(
        f"{train.source} has no column to learn from",
        expected="at least one column besides the target that differs from row to row",
        got=reasons or "only the target",
    )
