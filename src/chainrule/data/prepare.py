"""From a table to arrays: clean, split, learn the preparation, apply it, and say what was done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from chainrule.data.aims import Aim, choose_aims, inputs_only, target_columns
from chainrule.data.class_names import class_markers
from chainrule.data.clean import drop_headers, rejected_notes
from chainrule.data.columns import refuse_infinities
from chainrule.data.decisions import DataReport, Decision, decisions
from chainrule.data.divide import divided, known_rows, usable_rows
from chainrule.data.encoded import encoded
from chainrule.data.findings import refuse_findings
from chainrule.data.inspection import clean_rows, odd_values
from chainrule.data.markers import marked
from chainrule.data.met import Met
from chainrule.data.notes import column_notes, met_notes, shared_notes
from chainrule.data.parts import Part, Prepared, weighed_alike
from chainrule.data.preparation import Inputs, Preparation, votes_of
from chainrule.data.report import Note, Report
from chainrule.data.roles import Roles
from chainrule.data.seen import rows_seen
from chainrule.data.splitting import plan_split
from chainrule.data.table import Table
from chainrule.data.telltale import telltales
from chainrule.data.weights import Weighing
from chainrule.errors import DataError


def prepare(
    table: Table,
    target: str | int | Sequence[str | int],
    *,
    seed: int = 0,
    validation: Table | None = None,
    test: Table | None = None,
    task: str | None = None,
    types: Mapping[str, str] | None = None,
    encodings: Mapping[str, str] | None = None,
    bins: int | None = None,
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

    `target` names the column to predict, by name or position; several, in a list or as
    "one,other", are learned together, and columns that all say yes or no are labels of one target.
    `validation` or `test` rows, given here or by the table's source, are kept as they are, and the
    rest is split from `table`, 15% each: at random, by `group` (a column; a group is in one part),
    by `time` (columns; the latest rows judge) or by `split_column`; `split` names the way. `task`
    ("regression", "classification", "multi-label"), `types` ("numeric", "category", ... by column)
    and `encodings` ("quantile", "hash", ... by column) override what is chosen from the cells,
    `bins` how many quantile bins columns of numbers are spread over; columns in `drop` are no
    inputs.
    `missing` gives columns more texts that mean "not known". `strict` refuses what looks wrong.
    `weight` names a column that says how much each row counts in the loss; with `class_weight`
    "balanced" all classes count the same. DataError for data that cannot be used.

    >>> from chainrule.data import read_table
    >>> prepared = prepare(read_table("courier"), "charge")
    >>> len(prepared.train), len(prepared.validation), len(prepared.test), prepared.task
    (140, 30, 30, 'regression')
    """
    asked = {table.name_of(key): kind for key, kind in (types or {}).items()}
    markers = {table.name_of(key): texts for key, texts in (missing or {}).items()}
    targets = [name for name in target_columns(table, target) if name not in markers]
    free = [name for name in targets if task is None and name not in asked]
    classes, named = class_markers(table, targets, free)
    markers |= classes
    table, notes = clean_rows(marked(table, markers))
    plan = plan_split(table, split, group, time, split_column, inputs_only(asked))
    roles = Roles.of(table, target, drop, plan.aside(), weight, asked)
    aims = choose_aims(table, roles.targets, task, roles.target_types)
    refuse_infinities(table, [aim.columns[0] for aim in aims if aim.task == "regression"])
    given = {
        "validation": validation or table.given.get("validation"),
        "test": test or table.given.get("test"),
    }
    notes += [*(aim.note() for aim in aims), *named]
    rows, found = usable_rows(table, aims)
    ids, odd = odd_values(rows.without([*roles.dropped, *roles.aside]), roles.types)
    apart = [*roles.no_inputs, *ids]
    tables, division = divided(rows, plan, aims, seed, given, apart)
    notes += [*found, *odd, *division]
    ways = {table.name_of(key): way for key, way in (encodings or {}).items()}
    preparation, columns, found = _learned(tables["train"], aims, roles, ways, bins, markers)
    notes += found
    for part, brought in given.items():
        if brought is not None:
            tables[part] = _judged(preparation, brought, notes)
            notes += shared_notes(tables[part], tables["train"], apart)
    numeric = [record.name for record in preparation.inputs if record.kind == "numeric"]
    for part_rows in tables.values():
        refuse_infinities(part_rows, numeric)
    weighing = Weighing.fit(tables["train"], preparation.targets, roles.weight, class_weight)
    seen = rows_seen(preparation, tables, weighing)  # its text is made while there is room
    made = encoded(preparation, [*tables.values()])
    parts = {
        part: _part(preparation, part, rows, *found, notes, weighing)
        for (part, rows), found in zip(tables.items(), made, strict=True)
    }
    parts |= weighed_alike(train=parts["train"], validation=parts["validation"])
    if strict:
        refuse_findings(table.source, notes)
    answers = zip(preparation.targets, parts["train"].targets, strict=True)
    return Prepared(
        preparation=preparation,
        report=DataReport(source=table.source, notes=notes, columns=columns),
        trivial=[target.trivial(found) for target, found in answers],
        seen=seen,
        **parts,
    )


def prepare_more(preparation: Preparation, table: Table) -> tuple[Part, Report]:
    """Other rows whose target is known, under a preparation that exists: to evaluate a model.

    Nothing is learned from them. DataError if an input column or a target is not there.

    >>> from chainrule.data import courier
    >>> part, report = prepare_more(prepare(courier(), "charge").preparation, courier(rows=10))
    >>> len(part), part.target.shape
    (10, (10, 1))
    """
    notes: list[Note] = []
    rows = _judged(preparation, table, notes)
    part = _part(preparation, "rows", rows, *encoded(preparation, [rows])[0], notes)
    return part, Report(source=table.source, notes=notes)


def _learned(
    train: Table,
    aims: Sequence[Aim],
    roles: Roles,
    ways: Mapping[str, str],
    bins: int | None,
    missing: Mapping[str, str],
) -> tuple[Preparation, list[Decision], list[Note]]:
    """The preparation that the training rows teach, and what was decided about each column."""
    kinds = votes_of(train.without(roles.no_inputs), roles.types, ways)
    preparation = Preparation.fit(
        train,
        [aim.fit(train) for aim in aims],
        types=roles.types,
        encodings=ways,
        bins=bins,
        drop=roles.dropped,
        aside=roles.aside,
        missing=missing,
        kinds=kinds,
    )
    uses = column_notes(preparation, train, {*roles.types, *ways})
    notes = [*uses, *telltales(preparation, train)]
    return preparation, decisions(train, kinds, uses), notes


def _judged(preparation: Preparation, given: Table, notes: list[Note]) -> Table:
    """Rows that were given, but for repeated headers and those in which no target is known."""
    targets = preparation.targets
    table, headers = drop_headers(preparation.align(given))
    notes += [*rejected_notes(table), *headers]
    absent = [name for name in preparation.target_columns if name not in table.columns]
    if absent:
        raise DataError(f"{given.source} has no target column {absent[0]!r}")
    numeric = [target.name for target in targets if target.task == "regression"]
    refuse_infinities(table, numeric)
    table, found = known_rows(table, targets, f" in {given.source}")
    notes += found
    if len(table) == 0:
        raise DataError(f"no row of {given.source} has a target to compare with")
    return table


def _part(
    preparation: Preparation,
    part: str,
    table: Table,
    inputs: Inputs,
    met: Met,
    notes: list[Note],
    weighing: Weighing | None = None,
) -> Part:
    """A part with its answers; what the rows held that is worth saying goes to the notes."""
    notes += [note for target in preparation.targets for note in target.notes(table)]
    notes += met_notes(part, met)
    answers = tuple(target.apply(table) for target in preparation.targets)
    weights = None if weighing is None else weighing.apply(table, answers)
    return Part(inputs.numbers, inputs.codes, answers, table.lines, table.source, weights)
