"""The rows that can be learned from, and their division into parts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from chainrule.data.aims import Aim, Target
from chainrule.data.clean import drop_rows
from chainrule.data.columns import bad_cells
from chainrule.data.duplicates import drop_duplicates
from chainrule.data.lines import every_place
from chainrule.data.markers import markers_met
from chainrule.data.near_duplicates import crossing_note, near_duplicates
from chainrule.data.notes import rare_note
from chainrule.data.report import Note, counted, listed, quoted
from chainrule.data.split import TEST, VALIDATION, Split
from chainrule.data.splitting import SplitPlan, split_table, times_of
from chainrule.data.table import Table
from chainrule.data.target import ClassTarget, known_cells

Codes = NDArray[np.int64]


def usable_rows(table: Table, aims: Sequence[Aim]) -> tuple[Table, list[Note]]:
    """The rows with something to learn: a target is known, and no earlier row is the same."""
    rows, notes = known_rows(table, aims)
    for aim in aims:
        notes += _bad(table, aim.columns[0]) if aim.task == "regression" else []
    rows, found = drop_duplicates(rows)
    return rows, [*notes, *found]


def known_rows(
    table: Table, aims: Sequence[Aim | Target], where: str = ""
) -> tuple[Table, list[Note]]:
    """The rows in which a target is known, and notes about the others.

    Rows that lack one of several targets stay; they count for the others.
    """
    known = {
        name: known_cells(table.column(name), aim.task) for aim in aims for name in aim.columns
    }
    any_known = np.any(list(known.values()), axis=0)
    who = "all targets are" if len(known) > 1 else f"the target {next(iter(known))} is"
    written = _written(table, aims[0]) if len(aims) == 1 else ""
    rows, notes = drop_rows(table, any_known, "target", f"{who} missing{where}{written}")
    for name, there in known.items():
        lacking = listed(table.lines[any_known & ~there])
        if lacking:
            text = f"{counted(len(lacking), 'row')} without {name}{where}, used for the others only"
            notes.append(Note(about="target", text=text, column=name, count=len(lacking),
                              lines=lacking, finding=True))  # fmt: skip
    return rows, notes


def _written(table: Table, aim: Aim | Target) -> str:
    """How missing classes are written, if not by empty cells, and the flag that keeps them."""
    name = aim.columns[0]
    texts = [text for text in markers_met(table.column(name)) if text]
    if aim.task != "classification" or not texts:
        return ""
    return f", written {quoted(texts)}; if that is a class, --missing {name}="


def _bad(table: Table, name: str) -> list[Note]:
    """A note about the cells of a numeric target that are no numbers."""
    bad = bad_cells(table, name)
    if not bad:
        return []
    text = f"of these, {quoted(dict.fromkeys(cell.text for cell in bad))} in {name} is no number"
    lines = [cell.line for cell in bad]
    return [Note(about="target", text=text, column=name, count=len(bad), lines=lines)]


def divided(
    rows: Table,
    plan: SplitPlan,
    aims: Sequence[Aim],
    seed: int,
    given: Mapping[str, Table | None],
    apart: Collection[str],
) -> tuple[dict[str, Table], list[Note]]:
    """The table's own rows by part; a part that was given takes none of them.

    Rows that are the same in all columns but `apart` stay together, as far as the way allows it. At
    random, the first target of classes is in proportion, and training rows have every class of
    every target.
    """
    rows, notes = _with_times(rows, plan)
    shares = {"validation": VALIDATION, "test": TEST}
    kept = {part: 0.0 if given[part] is not None else share for part, share in shares.items()}
    named = [aim.columns[0] for aim in aims if aim.task == "classification"]
    classes = [_classes(rows, name) for name in named]
    if plan.way == "random":
        notes += rare_note(rows, named[0], classes[0]) if named else []
    same = every_place(len(rows))
    if any(kept.values()):
        same, found = near_duplicates(rows, apart)
        notes += found
    split, how = split_table(rows, plan, seed, classes[0] if classes else None, kept, same)
    if plan.way == "random":
        split = _with_every_class(split, classes[1:], same)
    notes += crossing_note(rows, split, same)
    tables = {part: rows.take(getattr(split, part)) for part in ("train", "validation", "test")}
    sizes = [f"{len(given.get(part) or taken):,} {part}" for part, taken in tables.items()]
    notes.append(Note(about="split", text=f"rows: {', '.join(sizes)} ({how})"))
    return tables, notes


def _with_times(rows: Table, plan: SplitPlan) -> tuple[Table, list[Note]]:
    """The rows whose time is known, if it splits them."""
    if plan.way != "time":
        return rows, []
    known = times_of(rows, plan) >= 0
    return drop_rows(rows, known, "split", "their time is missing")


def _classes(rows: Table, name: str) -> Codes:
    """Each row's class, int64 [n]; rows that lack it are a class of their own, the last."""
    target = ClassTarget.fit(rows, name)
    codes = target.apply(rows)
    return np.where(codes < 0, len(target.classes), codes)


def _with_every_class(split: Split, others: Sequence[Codes], same: Codes) -> Split:
    """The split with rows moved to training whose class would not be there; others: [n] each.

    With them go the rows of equal `same`, int64 [n].
    """
    train = np.zeros(sum(map(len, vars(split).values())), dtype=np.bool_)
    train[split.train] = True
    for codes in others:
        train |= ~np.isin(codes, codes[train])
    train = np.isin(same, same[train])
    return Split(
        train=np.flatnonzero(train),
        validation=split.validation[~train[split.validation]],
        test=split.test[~train[split.test]],
    )
