"""The rows that a run was trained with, kept as they went into the network."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from chainrule.data import Part, Preparation
from chainrule.data.decisions import DataReport
from chainrule.errors import ArtefactError
from chainrule.model.files import unwritable
from chainrule.train.keeping import CHECKPOINTS

ROWS_KEPT = "rows.safetensors"  # in the folder of states
DATA = "data.json"  # in the folder of the run: what was found in the data

ALL_BYTES = 64 * 2**20
"""The rows are kept if they take no more bytes than this; else the table is read again."""

PARTS = ("train", "validation")


class Rows(Protocol):
    """What a training takes from a table that was made ready."""

    @property
    def preparation(self) -> Preparation: ...
    @property
    def train(self) -> Part: ...
    @property
    def validation(self) -> Part: ...
    @property
    def report(self) -> DataReport: ...


@dataclass(frozen=True, eq=False)
class KeptRows:
    """The same, as it was kept."""

    preparation: Preparation
    train: Part
    validation: Part
    report: DataReport


def keep_rows(run: Path, rows: Rows) -> None:
    """Keep the training and validation rows in the folder of a run, unless they are too large."""
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    parts = {name: getattr(rows, name) for name in PARTS}
    found = {f"{name}.{key}": a for name, part in parts.items() for key, a in _arrays(part).items()}
    if sum(array.nbytes for array in found.values()) > ALL_BYTES:
        return
    about = {
        "preparation": rows.preparation.to_json(),
        "sources": json.dumps({name: part.source for name, part in parts.items()}),
    }
    path = run / CHECKPOINTS / ROWS_KEPT
    part = path.with_suffix(".part")
    try:
        path.parent.mkdir(exist_ok=True)
        save_file({name: np.asarray(a, order="C") for name, a in found.items()}, part, about)
        part.replace(path)
    except SafetensorError as problem:  # what the library makes of a full disk
        raise unwritable(path, OSError(str(problem))) from None
    except OSError as problem:
        raise unwritable(path, problem) from None


def keeps_rows(run: Path) -> bool:
    """Whether a run kept its rows."""
    return (run / CHECKPOINTS / ROWS_KEPT).is_file()


def kept_rows(run: Path) -> KeptRows:
    """The rows that a run kept; ArtefactError if they cannot be read."""
    from safetensors import SafetensorError, safe_open

    path = run / CHECKPOINTS / ROWS_KEPT
    try:
        with safe_open(path, framework="numpy") as file:
            about = file.metadata()
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        sources = json.loads(about["sources"])
        train, validation = (_part(name, arrays, sources[name]) for name in PARTS)
        report = DataReport.model_validate_json((run / DATA).read_bytes())
    except (OSError, SafetensorError, KeyError, ValidationError) as problem:
        raise ArtefactError(f"{path} cannot be read: {problem}") from None
    return KeptRows(Preparation.from_json(about["preparation"]), train, validation, report)


def _arrays(part: Part) -> dict[str, NDArray[Any]]:
    """All arrays of a part, by name."""
    found: dict[str, NDArray[Any]] = {
        "numbers": part.numbers,
        "codes": part.codes,
        "lines": part.lines,
    }
    weights = {} if part.weights is None else {"weights": part.weights}
    targets = {f"target.{place}": answers for place, answers in enumerate(part.targets)}
    return {**found, **weights, **targets}


def _part(name: str, arrays: dict[str, NDArray[Any]], source: str) -> Part:
    own = {key.removeprefix(f"{name}."): a for key, a in arrays.items() if key.startswith(name)}
    places = range(sum(key.startswith("target.") for key in own))
    targets = tuple(own[f"target.{place}"] for place in places)
    weights = own.get("weights")
    return Part(own["numbers"], own["codes"], targets, own["lines"], source, weights)
