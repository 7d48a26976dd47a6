"""`chainrule inspect`: what a table, a model or a run holds."""

from __future__ import annotations

import json
from pathlib import Path

import click

from chainrule.cli.text import out, table
from chainrule.data import Table, column_kinds, prepare, read_table
from chainrule.model import Model, load
from chainrule.train.run import SUMMARY, Run


@click.command("inspect")
@click.argument("thing", metavar="DATA|MODEL|RUN")
@click.option("--target", metavar="COLUMN", help="Show also how the table would be prepared.")
@click.option("--names", metavar="A,B,...", help="Column names, for a file without a header.")
@click.option("--json", "as_json", is_flag=True, help="Print all of it as JSON.")
def command(thing: str, target: str | None, names: str | None, as_json: bool) -> None:
    """Show what a table, a model or a run holds, without changing anything."""
    path = Path(thing)
    if (path / SUMMARY).is_file():
        from chainrule.cli.runs import describe

        run = Run(path)
        out(json.dumps(run.summary(), indent=1) if as_json else describe(run, run.summary()))
    elif path.is_dir():
        model = load(path)
        out(json.dumps(model.card, indent=1) if as_json else _model_text(model))
    else:
        found = read_table(thing, names.split(",") if names else None)
        if target is not None:
            report = prepare(found, target).report
            out(report.to_json() if as_json else report.text())
        else:
            out(_table_json(found) if as_json else _table_text(found))


def _table_text(found: Table) -> str:
    """Each column: its type, why, how much is missing, and some of its values."""
    rows = [["column", "type", "missing", "values"]]
    for name, kind in column_kinds(found).items():
        column = found.column(name)
        missing = int(column.missing.sum())
        share = f"{missing:,} ({missing / max(1, len(found)):.0%})" if missing else ""
        rows.append([name, kind.kind, share, kind.reason])
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    lines = [
        "  ".join([*(c.ljust(w) for c, w in zip(row[:3], widths, strict=True)), row[3]]).rstrip()
        for row in rows
    ]
    return "\n".join([f"{found.source}: {len(found):,} rows", "", *(f"  {line}" for line in lines)])


def _table_json(found: Table) -> str:
    kinds = {name: kind.model_dump() for name, kind in column_kinds(found).items()}
    missing = {name: int(found.column(name).missing.sum()) for name in found.names}
    return json.dumps(
        {
            "source": found.source,
            "rows": len(found),
            "columns": [{**kind, "missing": missing[name]} for name, kind in kinds.items()],
        },
        indent=1,
    )


def _model_text(model: Model) -> str:
    """What the model predicts, from what, and how well."""
    card = model.card
    lines = [f"A model of {model.preparation.target.name} ({model.task})"]
    if model.classes:
        lines.append(f"  classes: {', '.join(model.classes)}")
    lines.append(f"  trained on {card.get('data')} by chainrule {card.get('chainrule')}")
    lines += [f"  {name} on its test rows: {value}" for name, value in card["scores"].items()]
    weights = model.weights()
    count = sum(array.size for array in weights.values())
    lines += ["", f"Inputs ({len(model.preparation.inputs)}):"]
    lines += [f"  {record.name}: {record.treatment()}" for record in model.preparation.inputs]
    lines += ["", f"Parameters ({count:,}):"]
    lines.append(table([[name, str(list(array.shape))] for name, array in weights.items()]))
    return "\n".join(lines)
