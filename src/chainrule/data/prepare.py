"""From a table to arrays: clean, split, learn the preparation, apply it, and say what was done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chainrule.data.clean import drop_rows, rejected_note
from chainrule.data.columns import bad_cells, numeric_vote, refuse_infinities
from chainrule.data.duplicates import also_in, drop_duplicates
from chainrule.data.preparation import Met, Preparation
from chainrule.data.report import Note, Report, counted, named, quoted
from chainrule.data.split import TEST, VALIDATION, rare_classes, split_rows
from chainrule.data.table import Table
from chainrule.data.target import ClassTarget, ScaledTarget, Task, choose_task
from chainrule.errors import DataError, SettingError


@dataclass(frozen=True, eq=False)
class Part:
    """One part of the rows, ready for a network.

    `numbers` float32 [n, features], `codes` int64 [n, embedded], `target` float32 [n, 1] (scaled)
    or int64 [n] (classes), `lines` int64 [n]: where the rows begin in the file `source`.
    """

    numbers: NDArray[np.float32]
    codes: NDArray[np.int64]
    target: NDArray[np.float32] | NDArray[np.int64]
    lines: NDArray[np.int64]
    source: str

    def __len__(self) -> int:
        return len(self.lines)


@dataclass(frozen=True, eq=False)
class Prepared:
    """A table made ready: the three parts, the preparation, and the report of what was done.

    `baseline` is what a model must beat: predicting the mean of the training target, or the name
    of its most frequent class.
    """

    preparation: Preparation
    train: Part
    validation: Part
    test: Part
    report: Report
    baseline: float | str

    @property
    def task(self) -> Task:
        """Regression or classification."""
        return self.preparation.task


def prepare(
    table: Table,
    target: str | int,
    *,
    seed: int = 0,
    validation: Table | None = None,
    test: Table | None = None,
    task: str | None = None,
    types: Mapping[str, str] | None = None,
    drop: Iterable[str] = (),
) -> Prepared:
    """Clean and split a table, learn from its training rows, and turn all parts into arrays.

    `target` names the column to predict, by name or position. `validation` or `test` rows, given
    here or by the table's source, are kept as they are, and the rest is split from `table`: 15%
    each. `task` ("regression", "classification") and `types` ("numeric", "category" by column)
    override what is chosen from the cells; columns in `drop` are no inputs. DataError for data
    that cannot be used.

    >>> from chainrule.data import read_table
    >>> prepared = prepare(read_table("courier"), "charge")
    >>> len(prepared.train), len(prepared.validation), len(prepared.test), prepared.task
    (140, 30, 30, 'regression')
    """
    validation = validation or table.given.get("validation")
    test = test or table.given.get("test")
    name = table.name_of(target)
    dropped = [table.name_of(key) for key in drop]
    asked = {table.name_of(key): kind for key, kind in (types or {}).items()}
    if name in dropped:
        raise SettingError(f"column {name!r} is the target, so it cannot be dropped")
    task = task or _task_of_kind(asked.pop(name, None))
    _refuse_infinities(table, {*dropped, *asked, *([name] if task == "classification" else [])})
    chosen, reason = choose_task(table, name, task)
    notes = [*rejected_note(table), Note(about="task", text=f"{chosen}: {reason}", column=name)]
    rows = _clean(table, name, chosen, notes)
    tables = _split(rows, name, chosen, seed, {"validation": validation, "test": test}, notes)
    preparation = Preparation.fit(tables["train"], name, chosen, types=asked, drop=dropped)
    notes += _column_notes(preparation, tables["train"], asked)
    for part, given in (("validation", validation), ("test", test)):
        if given is not None:
            tables[part] = _judged(preparation, given, notes)
            notes += _shared_note(tables[part], tables["train"])
    parts = {part: _part(preparation, part, taken, notes) for part, taken in tables.items()}
    return Prepared(
        preparation=preparation,
        report=Report(source=table.source, notes=notes),
        baseline=_baseline(preparation, parts["train"]),
        **parts,
    )


def prepare_more(preparation: Preparation, table: Table) -> tuple[Part, Report]:
    """Other rows whose target is known, under a preparation that exists: to evaluate a model.

    Nothing is learned from them. DataError if an input column or the target is not there.

    >>> from chainrule.data import courier
    >>> part, report = prepare_more(prepare(courier(), "charge").preparation, courier(rows=10))
    >>> len(part), part.target.shape
    (10, (10, 1))
    """
    notes: list[Note] = []
    part = _part(preparation, "rows", _judged(preparation, table, notes), notes)
    return part, Report(source=table.source, notes=notes)


def _task_of_kind(kind: str | None) -> str | None:
    """The task that a kind given to the target column asks for."""
    tasks = {"numeric": "regression", "category": "classification"}
    return None if kind is None else tasks.get(kind, kind)


def _refuse_infinities(table: Table, but: set[str]) -> None:
    """DataError if a numeric column of the table holds an infinity, whichever part it falls in."""
    names = [name for name in table.names if name not in but]
    refuse_infinities(table, [name for name in names if numeric_vote(table.column(name))])


def _clean(table: Table, target: str, task: Task, notes: list[Note]) -> Table:
    """The rows that can be learned from: the target is known, and no earlier row is the same."""
    column = table.column(target)
    known = ~np.isnan(column.numbers) if task == "regression" else ~column.missing
    rows, found = drop_rows(table, known, "target", f"the target {target} is missing")
    notes += found
    if task == "regression" and len(column.bad):
        bad = bad_cells(table, target)
        text = f"of these, {quoted(cell.text for cell in bad)} in {target} is no number"
        lines = [cell.line for cell in bad]
        notes.append(Note(about="target", text=text, column=target, count=len(bad), lines=lines))
    rows, found = drop_duplicates(rows)
    notes += found
    return rows


def _split(
    rows: Table,
    target: str,
    task: Task,
    seed: int,
    given: Mapping[str, Table | None],
    notes: list[Note],
) -> dict[str, Table]:
    """The table's own rows by part; a part that was given takes none of them."""
    shares = {"validation": VALIDATION, "test": TEST}
    kept = {part: 0.0 if given[part] is not None else share for part, share in shares.items()}
    classes = None
    if task == "classification":
        classes = ClassTarget.fit(rows, target).apply(rows)
        notes += _rare_note(rows, target, classes)
    split = split_rows(len(rows), seed, classes, **kept, source=rows.source)
    tables = {part: rows.take(getattr(split, part)) for part in ("train", "validation", "test")}
    sizes = [
        f"{len(given[p] or tables[p]) if p in given else len(tables[p]):,} {p}" for p in tables
    ]
    how = f"seed {seed}" + (", classes in proportion" if classes is not None else "")
    notes.append(Note(about="split", text=f"rows: {', '.join(sizes)} ({how})"))
    return tables


def _rare_note(rows: Table, target: str, classes: NDArray[np.int64]) -> list[Note]:
    """A note about the classes that only train, as they are too rare to be measured."""
    rare = rare_classes(classes)
    if not rare:
        return []
    lines = rows.lines[np.isin(classes, rare)].tolist()
    names = quoted(ClassTarget.fit(rows, target).classes[code] for code in rare)
    text = f"{names}: fewer than 3 rows, used for training only"
    return [Note(about="target", text=text, column=target, count=len(lines), lines=lines)]


def _judged(preparation: Preparation, given: Table, notes: list[Note]) -> Table:
    """Rows that were given, as they are but for those whose target is missing."""
    table, target = preparation.align(given), preparation.target
    notes += rejected_note(table)
    if target.name not in table.columns:
        raise DataError(f"{given.source} has no target column {target.name!r}")
    if isinstance(target, ScaledTarget):
        refuse_infinities(table, [target.name])
    why = f"the target {target.name} is missing in {given.source}"
    table, found = drop_rows(table, target.known(table), "target", why)
    notes += found
    if len(table) == 0:
        raise DataError(f"no row of {given.source} has a target to compare with")
    return table


def _shared_note(table: Table, train: Table) -> list[Note]:
    """A note about rows that are also among the training rows; they stay."""
    shared = also_in(table, train)
    if not shared:
        return []
    text = f"{counted(shared, 'row')} of {table.source} also among the training rows; kept"
    return [Note(about="duplicates", text=text, count=shared)]


def _part(preparation: Preparation, part: str, table: Table, notes: list[Note]) -> Part:
    """A part as arrays; what the rows held that is worth saying goes to the notes."""
    inputs, met = preparation.apply(table)
    target = preparation.target
    dotted = target.dotted(table) if isinstance(target, ClassTarget) else None
    notes += [dotted] if dotted is not None else []
    notes += _met_notes(part, met)
    return Part(inputs.numbers, inputs.codes, target.apply(table), table.lines, table.source)


def _column_notes(preparation: Preparation, train: Table, asked: Mapping[str, str]) -> list[Note]:
    """What became of each column, and why."""
    notes = [
        Note(about="column", text=f"left out: {why}", column=name)
        for name, why in preparation.left_out.items()
    ]
    for record in preparation.inputs:
        why = " (asked for)" if record.name in asked else ""
        notes.append(Note(about="column", text=record.treatment() + why, column=record.name))
    return notes


def _met_notes(part: str, met: Met) -> list[Note]:
    """The cells of a part that are missing, as one note, and those bad or unseen, one by one."""
    missing = {column.name: column.missing for column in met.columns if column.missing}
    notes = []
    if missing:
        count = sum(missing.values())
        where = named((f"{name} {cells:,}" for name, cells in missing.items()), limit=5)
        text = f"{part}: {counted(count, 'missing value')}: {where}"
        notes.append(Note(about="cells", text=text, count=count))
    for column in met.columns:
        for text, count, lines in column.strange():
            about = {"about": "cells", "column": column.name, "count": count, "lines": lines}
            notes.append(Note.model_validate({"text": f"{part}: {text}", **about}))
    return notes


def _baseline(preparation: Preparation, train: Part) -> float | str:
    """The mean of the training target, or its most frequent class."""
    target = preparation.target
    if isinstance(target, ScaledTarget):
        return target.mean
    return target.classes[int(np.bincount(train.target.reshape(-1)).argmax())]
