"""Workbooks: .xlsx, .xls, .xlsb and .ods, a sheet as a table."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import numpy as np

from chainrule.data.column import Column
from chainrule.data.layout import Layout
from chainrule.data.report import Note
from chainrule.data.sources.content import Content
from chainrule.data.sources.reading import Reading, decoding, installed
from chainrule.data.sources.titles import titled
from chainrule.data.table import Table
from chainrule.errors import DataError, nearest


def from_excel(content: Content, reading: Reading) -> Table:
    """A table from a sheet of a workbook: the one asked for, or the only one that is not empty.

    Lines are the rows as the workbook counts them. Empty rows and empty columns beside the table
    are skipped. DataError if several sheets hold something and none was asked for.
    """
    with installed("excel", "a workbook"):
        from python_calamine import CalamineWorkbook
    with decoding(content.name, "a workbook"):
        book = CalamineWorkbook.from_filelike(io.BytesIO(content.raw))
        sheet = _sheet(book, content.name, reading)
        wanted = book.sheet_names if sheet is None else [sheet]
        sheets = {name: _cells(book.get_sheet_by_name(name)) for name in wanted}
    held = {name: rows for name, rows in sheets.items() if rows}
    if not held:
        raise DataError(f"{content.name} is empty")
    if len(held) > 1:
        raise DataError(
            f"{content.name} holds {len(held)} sheets", got=", ".join(held), hint="--sheet NAME"
        )
    rows = next(iter(held.values()))
    width = max(len(row) for row in rows.values())
    filled = [row + [None] * (width - len(row)) for row in rows.values()]
    columns = [Column.of(list(cells)) for cells in zip(*filled, strict=True)]
    used = [place for place, column in enumerate(columns) if column.cells.any()]
    kept = columns[used[0] : used[-1] + 1]
    lines = np.array(list(rows), dtype=np.int64)
    table = titled(kept, lines, content.name, reading, Layout(sheet=sheet))
    if reading.sheet is not None or sheet is None or len(book.sheet_names) == 1:
        return table
    told = Note(about="layout", text=f"the sheet is {sheet!r}, as in training")
    return replace(table, notes=(told, *table.notes))


def _sheet(book: Any, source: str, reading: Reading) -> str | None:
    """The sheet asked for, by name or by number from 1, or that of training, if it is there."""
    names: list[str] = book.sheet_names
    if reading.sheet is None:
        return reading.like.layout.sheet if reading.like.layout.sheet in names else None
    asked = reading.sheet
    if asked in names:
        return asked
    if asked.isdecimal() and 1 <= int(asked) <= len(names):
        return names[int(asked) - 1]
    close = nearest(asked, names)
    raise DataError(
        f"{source} has no sheet {asked!r}",
        expected=", ".join(names),
        hint=f"did you mean {close!r}?" if close else None,
    )


def _cells(sheet: Any) -> dict[int, list[Any]]:
    """The rows that are not empty, by their number from 1."""
    rows = enumerate(sheet.to_python(skip_empty_area=False), start=1)
    return {place: [_cell(cell) for cell in row] for place, row in rows if _any(row)}


def _any(row: list[Any]) -> bool:
    return any(cell not in ("", None) for cell in row)


def _cell(cell: Any) -> Any:
    """A cell as it is written in a text file."""
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    return cell.isoformat() if isinstance(cell, date) else cell
