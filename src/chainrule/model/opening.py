"""Loading what was saved, whichever it is."""

from __future__ import annotations

from pathlib import Path

from chainrule import serialization
from chainrule.model.artefact import Model
from chainrule.model.store import load as load_model
from chainrule.tensors import Tensor


def load(path: str | Path) -> Model | dict[str, Tensor]:
    """A trained model from its folder or its run's, or the tensors of a safetensors file by name.

    ArtefactError when there is no such thing, or it is damaged.
    """
    return serialization.load(path) if Path(path).is_file() else load_model(path)
