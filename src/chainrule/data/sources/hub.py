"""Datasets of Hugging Face's hub, through their own library; given splits are kept."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.data.column import Column
from chainrule.data.sources.images import Shape, image_column, image_decoder
from chainrule.data.sources.parts import part_of, with_parts
from chainrule.data.sources.reading import decoding, installed
from chainrule.data.table import Table
from chainrule.errors import DataError

HUB = "hf://"
Framed = Callable[[Any, str], Table]


def from_hub(address: str, framed: Framed, shapes: Mapping[str, Shape]) -> Table:
    """The dataset hf://OWNER/NAME, or hf://OWNER/NAME:CONFIGURATION; DataError if there is none.

    `framed` makes a table of an Arrow table and a name; `shapes` are those of images by column.
    """
    with installed("hf", "a dataset of the hub"):
        from datasets import load_dataset
    name, _, configuration = address.removeprefix(HUB).removeprefix("datasets/").partition(":")
    with decoding(address, "a dataset"):
        found = load_dataset(name, configuration or None)
        return from_dataset(found, address, framed, shapes)


def is_dataset(source: Any) -> bool:
    """Whether something is a Dataset or a DatasetDict, without importing their library."""
    datasets = sys.modules.get("datasets")
    return datasets is not None and isinstance(source, datasets.Dataset | datasets.DatasetDict)


def from_dataset(found: Any, source: str, framed: Framed, shapes: Mapping[str, Shape]) -> Table:
    """A Dataset, or a DatasetDict of given parts, as a table."""
    if not isinstance(found, dict):
        return _part(found, source, framed, dict(shapes))
    known = dict(shapes)
    names = sorted(found, key=lambda name: part_of(name) != "train")  # its images set the size
    parts = {name: _part(found[name], f"{source} ({name})", framed, known) for name in names}
    return with_parts(parts)


def _part(dataset: Any, source: str, framed: Framed, shapes: dict[str, Shape]) -> Table:
    """One dataset: classes by their names, images decoded, all else as Arrow holds it."""
    if len(dataset) == 0:
        raise DataError(f"{source} has no rows")
    pictures = [name for name, kind in dataset.features.items() if type(kind).__name__ == "Image"]
    table = framed(dataset.remove_columns(pictures).with_format("arrow")[:], source)
    columns, notes = dict(table.columns), list(table.notes)
    for name, kind in dataset.features.items():
        if hasattr(kind, "int2str"):
            columns[name] = _classes(columns[name], kind)
    for name in pictures:
        column, told = image_column(_pictures(dataset, name), shape=shapes.get(name))
        shapes[name], columns[name] = column.array.shape[1:], column
        notes += told
    ordered = {name: columns[name] for name in dataset.features}
    return Table(
        ordered, np.arange(1, len(dataset) + 1, dtype=np.int64), source, notes=tuple(notes)
    )


def _pictures(dataset: Any, name: str) -> list[Any]:
    """The decoded images of a column."""
    decode = image_decoder()
    kind = type(dataset.features[name])
    stored = dataset.select_columns([name]).cast_column(name, kind(decode=False))
    return [decode(_bytes(row[name])) for row in stored]


def _classes(column: Column, kind: Any) -> Column:
    """Class numbers as class names; a missing one, or -1 (unknown), is missing."""
    numbers = column.numbers.tolist()
    return Column.of([kind.int2str(int(n)) if n == n and n >= 0 else None for n in numbers])


def _bytes(picture: Any) -> bytes:
    if picture["bytes"] is not None:
        return bytes(picture["bytes"])
    return Path(picture["path"]).read_bytes()
