"""Loading what was saved, whichever it is."""

from __future__ import annotations

from pathlib import Path

from chainrule import serialization
from chainrule.model.artefact import Model
from chainrule.model.package import is_package
from chainrule.model.store import load as load_model
from chainrule.tensors import Tensor


def load(path: str | Path) -> Model | dict[str, Tensor]:
    """A trained model from its folder, its run's or a zip, or the tensors of a safetensors file.

    ArtefactError when there is no such thing, or it is damaged.
    """
    weights_alone = Path(path).is_file() and not is_package(Path(path))
    return serialization.load(path) if weights_alone else load_model(path)
