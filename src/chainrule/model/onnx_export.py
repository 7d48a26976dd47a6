"""A trained model as a graph of ONNX: from columns as people have them to units and classes."""

from __future__ import annotations

from collections.abc import Sequence
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.data import Preparation, ScaledTarget
from chainrule.errors import ShapeError
from chainrule.model.artefact import Model
from chainrule.model.files import write_whole
from chainrule.model.forward import record_forward
from chainrule.model.onnx_columns import Given, fed, given, write_column
from chainrule.model.onnx_graph import ML, OPSET, OPSET_ML, Graph, write_program
from chainrule.nn import Module
from chainrule.nn.modes import in_mode
from chainrule.spec import spec_of
from chainrule.tensors import as_tensor
from chainrule.version import __version__


def export_onnx(model: Model, path: str | Path) -> list[Given]:
    """Write a model as an ONNX file, in operators of version 20 (and 3 of ai.onnx.ml).

    Its inputs are the model's columns by name, each [rows, 1]: numbers as float64, all else as
    texts; what the standard cannot express (dates, free text, hashing) comes prepared. Its outputs
    are, by the name of each target, numbers in the user's units, float64 [rows], or class names,
    and "probabilities of ..." float32 [rows, classes]. Gives the inputs. DataError if the file
    cannot be written or onnx is not installed; ProgramError for an op without a form in ONNX.
    """
    graph = onnx_model(model)
    write_whole(Path(path), graph.SerializeToString())
    return [given(record) for record in model.preparation.inputs]


def onnx_inputs(model: Model, rows: Any) -> dict[str, NDArray[Any]]:
    """What to feed the model's graph for some rows, whatever `predict` takes."""
    preparation = model.preparation
    table = preparation.align(model.read(rows))
    return {record.name: fed(record, table) for record in preparation.inputs}


def export_network(network: Module, inputs: Sequence[Any], path: str | Path) -> None:
    """Write a network, with its weights and in evaluation mode, as an ONNX file.

    `inputs`: tensors or arrays such as the network takes. The size of the first axis is free, that
    of the rows, if the network's output follows it; the other sizes, and the dtypes, are those of
    `inputs`. The graph's inputs have the names of the arguments of `forward`, its outputs are
    "output", or "output 1" and on for a network that gives several. DataError if the file cannot
    be written or onnx is not installed; ShapeError for inputs of unequal numbers of rows;
    ProgramError for an op without a form in ONNX, and for a network that computes something else
    for another number of rows.

    >>> import chainrule as cr
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     export_network(cr.nn.Linear(3, 2), [cr.zeros(1, 3)], f"{folder}/linear.onnx")
    """
    made = onnx_network(network, inputs)
    write_whole(Path(path), made.SerializeToString())


def onnx_network(network: Module, inputs: Sequence[Any]) -> Any:
    """A network as ONNX's ModelProto, checked; see `export_network`."""
    specs: list[Any] = [spec_of(as_tensor(one).array) for one in inputs]
    if len({spec.shape[:1] for spec in specs}) != 1:
        raise ShapeError(
            "the rows of a network lie along the first axis of all of its inputs",
            expected="inputs with one number of rows",
            got=", ".join(map(str, specs)),
            hint="a network with batch_first=True, or a module that calls this one",
        )
    with in_mode(network, training=False):
        program = record_forward(lambda *given: _flat(network(*given)), specs)
    to, taken = Graph(), list(signature(network.forward).parameters)
    names = [f"{name} input" if name in program.reads else name for name in taken[: len(specs)]]
    to.rows = to("Shape", names[0], start=0, end=1)
    found = write_program(program, to, names)
    numbers = [""] if len(found) == 1 else [f" {place}" for place in range(1, len(found) + 1)]
    outputs = [_named(to, value, f"output{n}") for value, n in zip(found, numbers, strict=True)]
    return _checked(
        to,
        list(map(to.value, names, program.args)),
        list(map(to.value, outputs, program.returns)),
    )


def _flat(found: Any) -> tuple[Any, ...]:
    """The tensors of nested tuples, one after the other."""
    if isinstance(found, tuple | list):
        return tuple(one for part in found for one in _flat(part))
    return (found,)


def onnx_model(model: Model) -> Any:
    """A model as ONNX's ModelProto, checked."""
    to, preparation = Graph(), model.preparation
    inputs = [given(record) for record in preparation.inputs]
    first = to("Shape", inputs[0].name, start=0, end=1)
    to.rows = first
    results = _outputs(to, model, write_program(model.program, to, _prepared(to, preparation)))
    return _checked(
        to,
        [_value(to, one.name, one.dtype, ("rows", *one.sizes), one.takes) for one in inputs],
        [_value(to, name, dtype, ("rows", *sizes)) for name, dtype, sizes in results],
    )


def _checked(to: Graph, inputs: list[Any], outputs: list[Any]) -> Any:
    """The graph as a ModelProto that the standard's own checker finds nothing wrong with."""
    import onnx

    graph = to.helper.make_graph(
        to.nodes, "chainrule", inputs, outputs, list(to.constants.values())
    )
    made = to.helper.make_model(
        graph,
        producer_name="chainrule",
        producer_version=__version__,
        opset_imports=[to.helper.make_opsetid("", OPSET), to.helper.make_opsetid(ML, OPSET_ML)],
        ir_version=10,
    )
    onnx.checker.check_model(made, full_check=True)
    return made


def _prepared(to: Graph, preparation: Preparation) -> list[str]:
    """The network's two inputs, numbers and codes."""
    made = {}
    for record in preparation.inputs:
        markers = preparation.missing.get(record.name)
        texts = None if markers is None else [text.strip() for text in markers.split("|")]
        made[record.name] = write_column(record, to, record.name, texts)
    dense = [made[record.name] for record in preparation.dense]
    coded = [made[record.name] for record in preparation.embedded]
    return [_together(to, dense, np.float32), _together(to, coded, np.int64)]


def _together(to: Graph, parts: list[str], dtype: Any) -> str:
    if not parts:
        empty = to("Concat", to.rows, to.integers([0]), axis=0)
        return to("Expand", to.constant(np.zeros((1, 0), dtype)), empty)
    return parts[0] if len(parts) == 1 else to("Concat", *parts, axis=1)


def _outputs(
    to: Graph, model: Model, returned: list[str]
) -> list[tuple[str, str, tuple[int, ...]]]:
    """What the graph gives for each target: names, dtypes and sizes."""
    found: list[tuple[str, str, tuple[int, ...]]] = []
    start = 0
    for target in model.preparation.targets:
        place = [to.integers([n]) for n in (start, start + target.width, 1, 1)]
        part = to("Slice", returned[0], *place)
        start += target.width
        if isinstance(target, ScaledTarget):
            wide = to("Cast", to("Reshape", part, to.integers([-1])), to=to.kind("float64"))
            made = to("Add", to("Mul", wide, to.constant(np.float64(target.std))),
                      to.constant(np.float64(target.mean)))  # fmt: skip
            found.append((_named(to, made, target.name), "float64", ()))
            continue
        probabilities = f"probabilities of {target.name}"
        if target.task == "classification":
            best = to("ArgMax", part, axis=1, keepdims=0)
            made = to("Gather", to.texts(target.choices), best, axis=0)
            found.append((_named(to, made, target.name), "object", ()))
        found.append((_named(to, part, probabilities), "float32", (target.width,)))
    return found


def _named(to: Graph, value: str, name: str) -> str:
    """The value under the name of an output."""
    to.nodes.append(to.helper.make_node("Identity", [value], [name]))
    return name


def _value(to: Graph, name: str, dtype: str, sizes: tuple[Any, ...], doc: str = "") -> Any:
    return to.helper.make_tensor_value_info(name, to.kind(dtype), sizes, doc)
