"""Model: preparation, forward program, weights and card in one folder. Loading executes nothing."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from chainrule.core.interpret import interpret
from chainrule.core.program import Program
from chainrule.data import Met, Preparation, Table, read_table
from chainrule.errors import ArtefactError, ChainruleError
from chainrule.model.forward import for_rows
from chainrule.tensor import Cell

SCHEMA = 1
_ROWS_AT_ONCE = 4096


class Manifest(BaseModel):
    """model.json, field by field."""

    model_config = ConfigDict(extra="forbid")

    schema_version: Literal[1]
    chainrule_version: str
    task: Literal["regression", "classification"]
    target: str
    preparation: dict[str, Any]
    program: dict[str, Any]
    weights_sha256: str
    card: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a model says about rows.

    `values`: numbers in the user's units, float64 [n], or class names, object [n].
    `probabilities`: float32 [n, classes], for classification. `met`: what was missing or unknown.
    """

    values: NDArray[Any]
    probabilities: NDArray[Any] | None
    met: Met


@dataclass(eq=False)
class Model:
    """A trained model: what it takes to turn rows as people have them into predictions.

    `card` says where it comes from: its data, scores, settings and versions.
    """

    preparation: Preparation
    program: Program
    card: dict[str, Any] = field(default_factory=dict)
    _sized: dict[int, Program] = field(default_factory=dict)

    @property
    def task(self) -> str:
        """regression or classification."""
        return self.preparation.task

    @property
    def classes(self) -> list[str]:
        """The names of the classes; none for a number."""
        return list(getattr(self.preparation.target, "classes", []))

    def weights(self) -> dict[str, NDArray[Any]]:
        """The frozen parameters and buffers by name."""
        return {name: self.program.cells[name].held() for name in self.program.reads}

    def outputs(self, numbers: NDArray[Any], codes: NDArray[Any]) -> NDArray[Any]:
        """The forward pass: scaled numbers [n, 1] or probabilities [n, classes]; nothing changes."""
        found = [np.empty((0, max(1, len(self.classes))), np.float32)]
        for start in range(0, len(numbers), _ROWS_AT_ONCE):
            part = slice(start, start + _ROWS_AT_ONCE)
            program = self._for_rows(len(numbers[part]))
            found.append(interpret(program, (numbers[part], codes[part]))[0])
        return np.concatenate(found)

    def _for_rows(self, rows: int) -> Program:
        """The program for so many rows; those of the last few sizes are kept."""
        program = self._sized.get(rows)
        if program is None:
            program = for_rows(self.program, rows)
            if len(self._sized) >= 8:
                self._sized.clear()
            self._sized[rows] = program
        return program

    def predict(self, rows: Any) -> Predictions:
        """Predictions for rows: a file name, a data frame, a dict of columns, a list of dicts.

        Columns are matched by name, in any order; the target need not be there. Raises DataError
        when an input column is missing.
        """
        table = rows if isinstance(rows, Table) else read_table(rows)
        inputs, met = self.preparation.apply(self.preparation.align(table))
        outputs = self.outputs(inputs.numbers, inputs.codes)
        values = self.preparation.target.inverse(outputs)
        classes = self.task == "classification"
        return Predictions(values, outputs if classes else None, met)

    def save(self, path: str | Path) -> Path:
        """Write the model as a folder; whole, or not at all.

        An existing model there is replaced; another file or folder is an ArtefactError.
        """
        from safetensors.numpy import save_file

        target = Path(path)
        _refuse_foreign(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        try:
            weights = {name: np.ascontiguousarray(raw) for name, raw in self.weights().items()}
            save_file(weights, made / "model.safetensors")
            (made / "model.json").write_text(self._manifest(made / "model.safetensors"))
            (made / "README.md").write_text(card_text(self))
            if target.exists():
                shutil.rmtree(target)
            made.chmod(0o755)
            os.replace(made, target)
        finally:
            shutil.rmtree(made, ignore_errors=True)
        return target

    def _manifest(self, weights: Path) -> str:
        from chainrule.version import __version__

        manifest = Manifest(
            schema_version=SCHEMA,
            chainrule_version=__version__,
            task=self.preparation.task,
            target=self.preparation.target.name,
            preparation=json.loads(self.preparation.to_json()),
            program=json.loads(self.program.to_json()),
            weights_sha256=_digest(weights),
            card=self.card,
        )
        return manifest.model_dump_json(indent=1)

    def __repr__(self) -> str:
        inputs = ", ".join(record.name for record in self.preparation.inputs)
        return f"<Model: {self.task} of {self.preparation.target.name} from {inputs}>"


def load(path: str | Path) -> Model:
    """Load a model from its folder, or from the folder of the run that made it.

    Raises ArtefactError, which says what is wrong, when the folder does not hold a whole model.
    """
    folder = _model_folder(Path(path))
    try:
        manifest = Manifest.model_validate_json((folder / "model.json").read_text())
        if _digest(folder / "model.safetensors") != manifest.weights_sha256:
            raise ArtefactError(f"{folder / 'model.safetensors'} is not what the model was saved with")
        cells = _cells(folder / "model.safetensors")
        program = Program.from_json(json.dumps(manifest.program), cells)
        preparation = Preparation.from_json(json.dumps(manifest.preparation))
        _check_complete(program)
    except ArtefactError:
        raise
    except ValidationError as wrong:
        first = wrong.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise ArtefactError(f"{folder / 'model.json'} is not valid: {where}: {first['msg']}") from None
    except (ChainruleError, OSError, ValueError, KeyError, TypeError) as wrong:
        what = wrong.what if isinstance(wrong, ChainruleError) else wrong
        raise ArtefactError(f"the model in {folder} cannot be read: {what}") from None
    return Model(preparation, program, manifest.card)


def _model_folder(path: Path) -> Path:
    for folder in (path, path / "model"):
        if (folder / "model.json").is_file():
            return folder
    raise ArtefactError(
        f"there is no model at {path}",
        expected="the folder of a model (with model.json), or of a run",
        hint="chainrule runs list shows the runs here",
    )


def _cells(path: Path) -> list[Cell]:
    from safetensors.numpy import load_file

    try:
        return [Cell(array, name) for name, array in load_file(path).items()]
    except Exception as broken:
        raise ArtefactError(f"{path} cannot be read: {broken}") from None


def _check_complete(program: Program) -> None:
    for name, symbol in program.reads.items():
        held = program.cells[name].held() if name in program.cells else None
        if held is None or held.shape != symbol.shape or held.dtype != symbol.dtype:
            raise ArtefactError(f"the weights of {name} are missing or of another shape")


def _refuse_foreign(target: Path) -> None:
    if target.exists() and not (target / "model.json").is_file():
        raise ArtefactError(f"{target} exists and is not a model", hint="another output folder")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def card_text(model: Model) -> str:
    """The model card: what the model is, how good, from what, and how to use it."""
    card = model.card
    inputs = "\n".join(f"- `{record.name}`: {record.treatment()}" for record in model.preparation.inputs)
    scores = "\n".join(f"| {name} | {value} |" for name, value in card.get("scores", {}).items())
    return f"""# A model of `{model.preparation.target.name}` ({model.task})

Trained by chainrule {card.get("chainrule", "")} on {card.get("data", "unknown data")}, {card.get("date", "")}.

| on the test rows | |
|---|---|
{scores}

## Inputs
{inputs}

## Use
    chainrule predict {card.get("folder", "MODEL")} DATA -o predictions.csv
"""
