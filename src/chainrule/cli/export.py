"""`chainrule export`: a model in formats that others read."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np

from chainrule.cli.options import quiet_option
from chainrule.cli.text import note, out
from chainrule.errors import SettingError
from chainrule.model import Model, load
from chainrule.model.files import write_whole

ENDINGS = {"onnx": ".onnx", "safetensors": ".safetensors", "pytorch": ".py"}


@click.command("export")
@click.argument("model")
@click.option(
    "--format", "form", required=True, type=click.Choice(list(ENDINGS)),
    help="onnx: a graph with the preparation inside; safetensors: the weights, under PyTorch's "
    "names; pytorch: a module's source, with the weights beside it.",
)  # fmt: skip
@click.option("-o", "--output", help="The file to write; if not given, model and its ending.")
@quiet_option
def command(model: str, form: str, output: str | None, quiet: bool) -> None:
    """Write MODEL, the folder of a run or of a model, for other programs."""
    found = load(model)
    path = Path(output or f"model{ENDINGS[form]}")
    if path.suffix != ENDINGS[form]:
        raise SettingError(f"{path} does not end in {ENDINGS[form]}")
    told = {"onnx": _onnx, "safetensors": _safetensors, "pytorch": _pytorch}[form](found, path)
    if not quiet:
        note(told)
    out(str(path))


def _onnx(model: Model, path: Path) -> str:
    from chainrule.model.onnx_export import export_onnx
    from chainrule.model.onnx_graph import OPSET, OPSET_ML

    inputs = export_onnx(model, path)
    lines = [f"ONNX, opset {OPSET} and ai.onnx.ml {OPSET_ML}. It takes, for each row:"]
    return "\n".join(lines + [f"  {one.name}: {one.takes}" for one in inputs])


def _safetensors(model: Model, path: Path) -> str:
    from safetensors.numpy import save

    weights = {name: np.ascontiguousarray(raw) for name, raw in model.weights().items()}
    write_whole(path, save(weights))
    return f"{len(weights)} tensors, under the names of PyTorch's state_dict"


def _pytorch(model: Model, path: Path) -> str:
    from chainrule.model.torch_source import torch_source

    weights = path.with_suffix(".safetensors")
    title = f"A model of {model.preparation.predicted}."
    write_whole(path, torch_source(model.program, title, weights.name))
    return f"{_safetensors(model, weights)}: {weights}"
