"""CSV in, the same rows with predictions out: what `chainrule predict` does, for a request."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from chainrule.data import Table
from chainrule.data.sources.content import PACKED, Content
from chainrule.data.sources.reading import Reading
from chainrule.data.sources.text import from_text
from chainrule.model import Model
from chainrule.model.written import as_csv, with_predictions
from chainrule.web.prediction.answers import SOURCE, mistakes
from chainrule.web.prediction.rows import MOST_TOLD, RequestError, Wrong


def answer_csv(model: Model, raw: bytes, most: int) -> tuple[str, int]:
    """The rows of a CSV text with their predictions, as CSV, and how many they are.

    RequestError if it has more than `most` rows, or rows that cannot be read; DataError if it is
    no table, or lacks columns.
    """
    if raw.startswith(PACKED):
        raise RequestError("the body is packed; send it as plain text", status=415)
    table = _table(model, raw)
    if len(table) > most:
        raise RequestError(f"{len(table):,} rows are too many: at most {most:,}", status=413)
    predictions = model.predict(table)
    wrong = [Wrong(f"line {bad.line}: {bad.reason}") for bad in table.rejected]
    wrong += [_by_row(table, found) for found in mistakes(predictions.met)]
    if wrong:
        raise RequestError("some rows cannot be used", wrong[:MOST_TOLD])
    return as_csv(with_predictions(model, table, predictions)), len(table)


def _by_row(table: Table, found: Wrong) -> Wrong:
    """A mistake on a line of the text, by its row."""
    return replace(found, row=1 + int(np.searchsorted(table.lines, found.row or 0)))


def _table(model: Model, raw: bytes) -> Table:
    """The text as a table: only its bytes are read, whatever they look like."""
    return from_text(Content(SOURCE, raw=raw), Reading(like=model.preparation.familiar))
