"""What the training rows taught about turning columns into numbers and back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from chainrule.data.array_input import ArrayInput
from chainrule.data.clean import why_left_out
from chainrule.data.columns import (
    BadCell,
    ColumnKind,
    bad_cells,
    column_kinds,
    refuse_infinities,
)
from chainrule.data.layout import Familiar, Layout
from chainrule.data.markers import marked
from chainrule.data.numeric import Numeric, bins_for
from chainrule.data.records import Coded, Dense, Encoding, encode, kinds_of_encodings
from chainrule.data.report import Record, counted, on_lines, quoted
from chainrule.data.table import Table
from chainrule.data.target import ClassTarget, ScaledTarget, Target, Task
from chainrule.errors import ArtefactError, DataError, nearest


@dataclass(frozen=True, eq=False)
class Inputs:
    """What a network sees of each row.

    `numbers` float32 [n, features]: scaled numbers and one-hot slots; `codes` int64 [n, slots]: for
    each category or token of a text the row of its column's table of learned vectors.
    """

    numbers: NDArray[np.float32]
    codes: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.numbers)


class MetColumn(Record):
    """What one column of new rows held that is worth saying."""

    name: str
    missing: int
    unseen: dict[str, int]
    bad: list[BadCell]

    def strange(self) -> list[tuple[str, int, list[int]]]:
        """What is bad or unseen, as text, count of cells, and lines where they are known."""
        found: list[tuple[str, int, list[int]]] = []
        if self.unseen:
            rows = sum(self.unseen.values())
            found.append((f"{self.name}: {quoted(self.unseen)} not seen in training", rows, []))
        if self.bad:
            text = f"{self.name}: {quoted(cell.text for cell in self.bad)} taken as missing"
            found.append((text, len(self.bad), [cell.line for cell in self.bad]))
        return found

    def said(self) -> list[str]:
        """One line for each thing."""
        missing = [f"{self.name}: {counted(self.missing, 'missing value')}"] if self.missing else []
        strange = [
            f"{text} ({on_lines(lines) if lines else counted(count, 'row')})"
            for text, count, lines in self.strange()
        ]
        return missing + strange


class Met(Record):
    """What new rows held that training rows did not: nothing is passed over in silence.

    `extra` are columns that training did not have, ignored; `by_position` says that the rows had
    no header, so that columns were taken by their place.
    """

    rows: int
    columns: list[MetColumn]
    extra: list[str]
    by_position: bool = False

    def text(self) -> str:
        """Plain lines, or an empty text if there is nothing to say."""
        said = [line for column in self.columns for line in column.said()]
        if self.extra:
            said.append(f"ignored, as training had no such column: {', '.join(self.extra)}")
        if self.by_position:
            said.append("no header: columns taken by their place")
        return "\n".join(said)

    def to_json(self) -> str:
        """All of it as JSON."""
        return self.model_dump_json()


class Preparation(Record):
    """One record for each input column, one for the target; learned from training rows only.

    `columns` are all columns of the training file in its order, `left_out` those that are no
    input, with the reason; `layout` is how the table was written that they come from.

    >>> train = Table.of({"kg": [1, 2, 4] * 4, "to": ["a", "b"] * 6, "price": range(12)})
    >>> preparation = Preparation.fit(train, "price", task="regression")
    >>> inputs, met = preparation.apply(Table.of({"to": ["b", "z"], "kg": [2.5, None]}))
    >>> inputs.numbers.shape, preparation.task
    ((2, 3), 'regression')
    >>> print(met.text())
    kg: 1 missing value
    to: 'z' not seen in training (1 row)
    """

    format: Literal["chainrule preparation 1", "chainrule preparation 2"] = (
        "chainrule preparation 2"  # which has more kinds of records than 1
    )
    columns: list[str]
    inputs: list[Encoding]
    left_out: dict[str, str]
    target: Target
    layout: Layout = Layout()
    missing: dict[str, str] = {}  # noqa: RUF012 (pydantic copies it)

    @classmethod
    def fit(
        cls,
        train: Table,
        target: str,
        task: Task,
        *,
        types: Mapping[str, str] | None = None,
        encodings: Mapping[str, str] | None = None,
        drop: Iterable[str] = (),
        aside: Mapping[str, str] | None = None,
        missing: Mapping[str, str] | None = None,
        kinds: Mapping[str, ColumnKind] | None = None,
    ) -> Preparation:
        """Learn from a table that holds the training rows and no others.

        `types` gives columns a kind ("numeric", "category", "text"), `encodings` one of the ways
        to encode that kind. `drop` names columns that are no inputs, `aside` others with the
        reason. `missing` are the texts that mean "not known" in a column, besides the usual ones;
        they are kept, for new rows. `kinds` are the votes of these rows, if they are known already
        (`votes_of`). DataError if there is no such column, or no column is left to learn from.
        """
        ways = {train.name_of(key): way for key, way in (encodings or {}).items()}
        left_out = {**(aside or {}), **{train.name_of(name): "asked for" for name in drop}}
        features = train.without([target, *left_out])
        asked = {train.name_of(key): kind for key, kind in (types or {}).items()}
        kinds = votes_of(features, asked, ways) if kinds is None else kinds
        left_out.update(_no_use(features, kinds))
        used = [name for name in features.names if name not in left_out]
        if not used:
            raise _nothing_left(train, left_out)
        numeric = [name for name in used if kinds[name].kind == "numeric"]
        refuse_infinities(features, numeric)
        bins = bins_for(len(train), len(numeric))
        made = ScaledTarget if task == "regression" else ClassTarget
        return cls(
            columns=train.names,
            inputs=[
                encode(
                    name,
                    train.column(name),
                    kinds[name].kind,
                    bins,
                    ways.get(name),
                    kinds[name].form,
                )
                for name in used
            ],
            left_out={name: left_out[name] for name in train.names if name in left_out},
            target=made.fit(train, target),
            layout=train.layout,
            missing={train.name_of(key): texts for key, texts in (missing or {}).items()},
        )

    @property
    def task(self) -> Task:
        """Regression if the target is a number, classification if it is one of some classes."""
        return "regression" if isinstance(self.target, ScaledTarget) else "classification"

    @property
    def familiar(self) -> Familiar:
        """What new tables are expected to be like."""
        arrays = [record for record in self.inputs if isinstance(record, ArrayInput)]
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
    def embedded(self) -> list[Coded]:
        """The records that make codes, in the order of the columns of `Inputs.codes`."""
        return [record for record in self.inputs if isinstance(record, Coded)]

    @property
    def slots(self) -> int:
        """The number of columns of `Inputs.codes`."""
        return sum(record.slots for record in self.embedded)

    def apply(self, table: Table) -> tuple[Inputs, Met]:
        """Rows as a network sees them, and what was met; columns are found by name, in any order.

        The target and columns that were left out may be absent. DataError if an input column is,
        or if a number is infinite.
        """
        named = self.align(table)
        self._refuse_absent(named)
        numeric = [record.name for record in self.inputs if isinstance(record, Numeric)]
        refuse_infinities(named, numeric)
        numbers = [record.apply(named.column(record.name)) for record in self.dense]
        codes = [record.apply(named.column(record.name)) for record in self.embedded]
        inputs = Inputs(
            np.concatenate([np.zeros((len(table), 0), np.float32), *numbers], axis=1),
            np.concatenate([np.zeros((len(table), 0), np.int64), *codes], axis=1),
        )
        return inputs, self._met(table, named)

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
        the training file, or every one but the target.
        """
        if table.named:
            return self._marked(table)
        without = [name for name in self.columns if name != self.target.name]
        for names in (self.columns, without):
            if len(names) == len(table.names):
                return self._marked(table.renamed(names))
        raise DataError(
            f"{table.source} has no header, and not as many columns as the training rows",
            expected=f"{len(self.columns)} columns, or {len(without)} without the target",
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

    def _met(self, table: Table, named: Table) -> Met:
        """What the rows held that is worth saying."""
        met = []
        for record in self.inputs:
            column = named.column(record.name)
            found = MetColumn(
                name=record.name,
                missing=int(np.count_nonzero(column.missing)),
                unseen=record.unseen(column),
                bad=bad_cells(named, record.name, record.kind, getattr(record, "form", None)),
            )
            met += [found] if found.missing or found.unseen or found.bad else []
        extra = [name for name in named.names if name not in self.columns]
        return Met(rows=len(table), columns=met, extra=extra, by_position=not table.named)

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


def _nothing_left(train: Table, left_out: dict[str, str]) -> DataError:
    """The error for a table without a single usable input."""
    reasons = "; ".join(f"{name}: {why}" for name, why in left_out.items())
    return DataError(
        f"{train.source} has no column to learn from",
        expected="at least one column besides the target that differs from row to row",
        got=reasons or "only the target",
    )
