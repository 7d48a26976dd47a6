"""From a table to arrays: clean, split, learn the preparation, apply it, and say what was done."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chainrule.data.clean import drop_headers, drop_rows, rejected_notes
from chainrule.data.columns import bad_cells, numeric_vote, refuse_infinities
from chainrule.data.decisions import DataReport, decisions
from chainrule.data.duplicates import drop_duplicates
from chainrule.data.findings import refuse_findings
from chainrule.data.inspection import clean_rows, odd_values
from chainrule.data.markers import marked
from chainrule.data.near_duplicates import crossing_note, near_duplicates
from chainrule.data.notes import column_notes, met_notes, rare_note, shared_notes
from chainrule.data.preparation import Preparation, votes_of
from chainrule.data.report import Note, Report, quoted
from chainrule.data.seen import Seen, rows_seen
from chainrule.data.split import TEST, VALIDATION
from chainrule.data.splitting import SplitPlan, plan_split, split_table, times_of
from chainrule.data.table import Table
from chainrule.data.target import ClassTarget, ScaledTarget, Task, choose_task
from chainrule.data.telltale import telltales
from chainrule.data.weights import Weighing
from chainrule.errors import DataError, SettingError


@dataclass(frozen=True, eq=False)
class Part:
    """One part of the rows, ready for a network.

    `numbers` float32 [n, features], `codes` int64 [n, slots], `target` float32 [n, 1] (scaled)
    or int64 [n] (classes), `lines` int64 [n]: where the rows begin in the file `source`.
    `weights` float32 [n] say how much each row counts in the loss; None: all the same.
    """

    numbers: NDArray[np.float32]
    codes: NDArray[np.int64]
    target: NDArray[np.float32] | NDArray[np.int64]
    lines: NDArray[np.int64]
    source: str
    weights: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.lines)


@dataclass(frozen=True, eq=False)
class Prepared:
    """A table made ready: the three parts, the preparation, and the report of what was done.

    `baseline` is what a model must beat: predicting the mean of the training target, or the name
    of its most frequent class. `seen` says from which rows what was learned.
    """

    preparation: Preparation
    train: Part
    validation: Part
    test: Part
    report: DataReport
    baseline: float | str
    seen: Seen

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
    encodings: Mapping[str, str] | None = None,
    drop: Iterable[str] = (),
    missing: Mapping[str, str] | None = None,
    strict: bool = False,
    split: str | None = None,
    group: str | None = None,
    time: list[str] | None = None,
    split_column: str | None = None,
    weight: str | None = None,
    class_weight: str | None = None,
) -> Prepared:
    """Clean and split a table, learn from its training rows, and turn all parts into arrays.

    `target` names the column to predict, by name or position. `validation` or `test` rows, given
    here or by the table's source, are kept as they are, and the rest is split from `table`, 15%
    each: at random, by `group` (a column; a group is in one part), by `time` (columns; the latest
    rows judge) or by `split_column`; `split` names the way. `task` ("regression",
    "classification"), `types` ("numeric", "category", ... by column) and `encodings` ("quantile",
    "hash", ... by column) override what is chosen from the cells; columns in `drop` are no inputs.
    `missing` gives columns more texts that mean "not known". `strict` refuses what looks wrong.
    `weight` names a column that says how much each row counts in the loss; with `class_weight`
    "balanced" all classes count the same. DataError for data that cannot be used.

    >>> from chainrule.data import read_table
    >>> prepared = prepare(read_table("courier"), "charge")
    >>> len(prepared.train), len(prepared.validation), len(prepared.test), prepared.task
    (140, 30, 30, 'regression')
    """
    table, notes = clean_rows(marked(table, missing or {}))
    name = table.name_of(target)
    asked = {table.name_of(key): kind for key, kind in (types or {}).items()}
    plan = plan_split(table, split, group, time, split_column, asked)
    weight = None if weight is None else table.name_of(weight)
    aside = {**plan.aside(), **({weight: "it says how much a row counts"} if weight else {})}
    dropped = [table.name_of(key) for key in drop]
    if name in (*dropped, *aside):
        raise SettingError(f"column {name!r} is the target, so it cannot be dropped")
    task = task or _task_of_kind(asked.pop(name, None))
    _refuse_infinities(table, {*dropped, *asked, *([name] if task == "classification" else [])})
    chosen, reason = choose_task(table, name, task)
    notes.append(Note(about="task", text=f"{chosen}: {reason}", column=name))
    given = {
        "validation": validation or table.given.get("validation"),
        "test": test or table.given.get("test"),
    }
    rows = _clean(table, name, chosen, notes)
    ids, found = odd_values(rows.without([*dropped, *aside]), asked)
    notes += found
    apart = [name, *dropped, *aside, *ids]
    tables = _split(rows, plan, name, chosen, seed, given, notes, apart)
    encodings = {table.name_of(key): way for key, way in (encodings or {}).items()}
    kinds = votes_of(tables["train"].without([name, *dropped, *aside]), asked, encodings)
    preparation = Preparation.fit(
        tables["train"],
        name,
        chosen,
        types=asked,
        encodings=encodings,
        drop=dropped,
        aside=aside,
        missing=missing,
        kinds=kinds,
    )
    uses = column_notes(preparation, tables["train"], {*asked, *encodings})
    notes += uses
    columns = decisions(tables["train"], kinds, uses)
    notes += telltales(preparation, tables["train"])
    for part, brought in given.items():
        if brought is not None:
            tables[part] = _judged(preparation, brought, notes)
            notes += shared_notes(tables[part], tables["train"], apart)
    weighing = Weighing.fit(tables["train"], preparation.target, weight, class_weight)
    parts = {part: _part(preparation, part, rows, notes, weighing) for part, rows in tables.items()}
    if strict:
        refuse_findings(table.source, notes)
    return Prepared(
        preparation=preparation,
        report=DataReport(source=table.source, notes=notes, columns=columns),
        baseline=_baseline(preparation, parts["train"]),
        seen=rows_seen(preparation, tables, weighing),
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
    plan: SplitPlan,
    target: str,
    task: Task,
    seed: int,
    given: Mapping[str, Table | None],
    notes: list[Note],
    apart: Collection[str],
) -> dict[str, Table]:
    """The table's own rows by part; a part that was given takes none of them.

    Rows that are the same in all columns but `apart` stay together, as far as the way allows it.
    """
    shares = {"validation": VALIDATION, "test": TEST}
    kept = {part: 0.0 if given[part] is not None else share for part, share in shares.items()}
    if plan.way == "time":
        known = times_of(rows, plan) >= 0
        rows, found = drop_rows(rows, known, "split", "their time is missing")
        notes += found
    classes = None
    if task == "classification":
        classes = ClassTarget.fit(rows, target).apply(rows)
        notes += rare_note(rows, target, classes) if plan.way == "random" else []
    same = np.arange(len(rows))
    if any(kept.values()):
        same, found = near_duplicates(rows, apart)
        notes += found
    split, how = split_table(rows, plan, seed, classes, kept, same)
    notes += crossing_note(rows, split, same)
    tables = {part: rows.take(getattr(split, part)) for part in ("train", "validation", "test")}
    sizes = [f"{len(given.get(part) or taken):,} {part}" for part, taken in tables.items()]
    notes.append(Note(about="split", text=f"rows: {', '.join(sizes)} ({how})"))
    return tables


def _judged(preparation: Preparation, given: Table, notes: list[Note]) -> Table:
    """Rows that were given, but for repeated headers and those whose target is missing."""
    target = preparation.target
    table, headers = drop_headers(preparation.align(given))
    notes += [*rejected_notes(table), *headers]
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


def _part(
    preparation: Preparation,
    part: str,
    table: Table,
    notes: list[Note],
    weighing: Weighing | None = None,
) -> Part:
    """A part as arrays; what the rows held that is worth saying goes to the notes."""
    inputs, met = preparation.apply(table)
    target = preparation.target
    dotted = target.dotted(table) if isinstance(target, ClassTarget) else None
    notes += [dotted] if dotted is not None else []
    notes += met_notes(part, met)
    answers = target.apply(table)
    weights = None if weighing is None else weighing.apply(table, answers)
    return Part(inputs.numbers, inputs.codes, answers, table.lines, table.source, weights)


def _baseline(preparation: Preparation, train: Part) -> float | str:
    """The mean of the training target, or its most frequent class."""
    target = preparation.target
    if isinstance(target, ScaledTarget):
        return target.mean
    return target.classes[int(np.bincount(train.target.reshape(-1)).argmax())]
