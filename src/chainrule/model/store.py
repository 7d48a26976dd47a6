"""Saving a model and loading it again. Loading needs no class of anybody's and executes nothing."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from chainrule.core.program import Program
from chainrule.data import Preparation, Table
from chainrule.data.preparation import WholeTask
from chainrule.errors import ArtefactError, ChainruleError
from chainrule.model.artefact import Model
from chainrule.model.card import Card, card_text
from chainrule.model.files import folder_whole, write_whole
from chainrule.model.forward import ANY_ROWS
from chainrule.model.package import (
    MANIFEST,
    README,
    WEIGHTS,
    is_package,
    packed,
    read_files,
)
from chainrule.spec import F32, I64, Spec, spec_of
from chainrule.tensors import Cell
from chainrule.version import __version__

SCHEMA: Literal[3] = 3  # 2 also tells units and versions, 3 has a list of targets


class Manifest(BaseModel):
    """model.json, field by field.

    The two digests tell a damaged file from a model: of the weights' file, and of preparation and
    program written as JSON with sorted keys and without spaces. The card may be edited.
    """

    model_config = ConfigDict(extra="forbid")

    schema_version: Literal[1, 2, 3]
    chainrule_version: str
    task: WholeTask
    target: str
    preparation: dict[str, Any]
    program: dict[str, Any]
    weights_sha256: str
    model_sha256: str
    card: Card


def save(model: Model, path: str | Path) -> Path:
    """Write `model` as the folder `path`, or as a zip of it where `path` ends in .zip.

    It is written whole, or not at all. A model that is there already is replaced; ArtefactError
    for another file or folder, DataError if it cannot be written. Gives the path.
    """
    from safetensors.numpy import save as packed_weights

    target = Path(path)
    raw = {name: np.ascontiguousarray(array) for name, array in model.weights().items()}
    weights = packed_weights(raw)
    files = {
        MANIFEST: _manifest(model, weights).encode(),
        WEIGHTS: weights,
        README: card_text(model.preparation, model.card).encode(),
    }
    zipped = target.suffix == ".zip"
    if target.exists() and not (is_package(target) if zipped else (target / MANIFEST).is_file()):
        raise ArtefactError(f"{target} exists and is not a model", hint="another output")
    if zipped:
        write_whole(target, packed(files))
        return target
    with folder_whole(target) as folder:
        for name, content in files.items():
            (folder / name).write_bytes(content)
    return target


def load(path: str | Path) -> Model:
    """Load a model from its folder, from the folder of the run that made it, or from a zip.

    ArtefactError, which says what is wrong, when there is not a whole model.
    """
    files, place = read_files(Path(path))
    try:
        manifest = Manifest.model_validate_json(files[MANIFEST])
        _check_digests(manifest, files[WEIGHTS], place)
        program = Program.from_json(json.dumps(manifest.program), _cells(files[WEIGHTS]))
        preparation = Preparation.from_json(json.dumps(manifest.preparation))
        model = Model(preparation, program, manifest.card)
        _check_whole(model)
    except ArtefactError:
        raise
    except ValidationError as wrong:
        first = wrong.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        what = f"{place / MANIFEST} is not valid: {where}: {first['msg']}"
        raise ArtefactError(what) from None
    except Exception as broken:  # whatever a made-up program makes its readers stumble over
        what = broken.what if isinstance(broken, ChainruleError) else repr(broken)
        raise ArtefactError(f"the model in {place} does not hold together: {what}") from None
    return model


def _manifest(model: Model, weights: bytes) -> str:
    preparation = json.loads(model.preparation.to_json())
    program = json.loads(model.program.to_json())
    return Manifest(
        schema_version=SCHEMA,
        chainrule_version=__version__,
        task=model.preparation.task,
        target=model.preparation.predicted,
        preparation=preparation,
        program=program,
        weights_sha256=hashlib.sha256(weights).hexdigest(),
        model_sha256=digest(preparation, program),
        card=model.card,
    ).model_dump_json(indent=1)


def _check_digests(manifest: Manifest, weights: bytes, place: Path) -> None:
    """ArtefactError if either file is not as it was saved."""
    right = {
        WEIGHTS: hashlib.sha256(weights).hexdigest() == manifest.weights_sha256,
        MANIFEST: digest(manifest.preparation, manifest.program) == manifest.model_sha256,
    }
    for name, same in right.items():
        if not same:
            raise ArtefactError(f"{place / name} is damaged: it is not as the model was saved")


def digest(preparation: dict[str, Any], program: dict[str, Any]) -> str:
    """The SHA-256, in hexadecimal, of preparation and program as they stand in model.json."""
    text = json.dumps([preparation, program], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _cells(raw: bytes) -> list[Cell]:
    from safetensors.numpy import load as unpacked

    arrays: dict[str, NDArray[Any]] = unpacked(raw)
    return [Cell(array, name) for name, array in arrays.items()]


def _check_whole(model: Model) -> None:
    """ArtefactError if program, weights, preparation and card are not those of one model.

    What still does not fit shows when a row is predicted of which nothing is known.
    """
    program, preparation = model.program, model.preparation
    for name, symbol in program.reads.items():
        cell = program.cells.get(name)
        if cell is None or spec_of(cell.held()) != spec_of(symbol):
            raise ArtefactError(f"the weights of {name} are missing or of another shape")
    outputs = preparation.outputs
    wanted = [
        Spec((ANY_ROWS, len(preparation.features)), F32),
        Spec((ANY_ROWS, preparation.slots), I64),
        Spec((ANY_ROWS, outputs), F32),
    ]
    found = [spec_of(symbol) for symbol in (*program.args, *program.returns)]
    if found != wanted or program.assigns or len(model.card.trivial) != outputs:
        raise ArtefactError("the program of the model does not fit its columns and its target")
    model.predict(Table.of({record.name: [None] for record in preparation.inputs}))
