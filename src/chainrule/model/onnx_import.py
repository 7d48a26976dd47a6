"""A graph of ONNX as a module: for inference, and to train it further."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from chainrule.data.sources.reading import installed
from chainrule.errors import ArtefactError, nearest
from chainrule.model.onnx_operators import OPERATORS
from chainrule.nn import Module
from chainrule.tensors import Buffer, Parameter, Tensor, as_tensor

SEVERAL = ("Dropout", "LayerNormalization")
"""The operators whose other outputs can be read, too."""


class OnnxModule(Module):
    """A graph whose floating-point constants are parameters, under their own names.

    Called with the graph's inputs in order; gives its output, or a tuple of them. What sizes and
    axes are computed from must be constant, or the shape of something.
    """

    def __init__(self, graph: Any) -> None:
        with installed("onnx", "a graph of ONNX"):
            from onnx import helper, numpy_helper
        self.constants: dict[str, Any] = {}
        for one in graph.initializer:
            array = numpy_helper.to_array(one)
            if array.dtype.kind == "f":
                setattr(self, one.name, Parameter(array))
            else:
                self.constants[one.name] = array
        weights = {one.name for one in graph.initializer}
        self.inputs = [one.name for one in graph.input if one.name not in weights]
        self.outputs = [one.name for one in graph.output]
        self.nodes = [(node, _attributes(node, helper, numpy_helper)) for node in graph.node]

    def forward(self, *given: Any) -> Any:
        known: dict[str, Any] = {"": None, **self.constants}
        known |= {k: v for k, v in vars(self).items() if isinstance(v, Parameter | Buffer)}
        known |= zip(self.inputs, given, strict=True)
        for node, attributes in self.nodes:
            inputs = [_tensor(known[name], node, place) for place, name in enumerate(node.input)]
            made = OPERATORS[node.op_type](attributes, *inputs)
            known |= zip(node.output, made if isinstance(made, tuple) else (made,), strict=False)
        found = tuple(as_tensor(known[name]) for name in self.outputs)
        return found[0] if len(found) == 1 else found


def load_onnx(path: str | Path) -> OnnxModule:
    """Read an ONNX file as a module; ArtefactError if it is none, or has operators we lack."""
    with installed("onnx", "a graph of ONNX"):
        import onnx
    try:
        model = onnx.load(str(path))
        onnx.checker.check_model(model)
    except OSError as problem:
        raise ArtefactError(f"{path} cannot be read: {problem.strerror}") from None
    except Exception as wrong:  # protobuf's error is no common one
        first = str(wrong).strip().splitlines()[0]
        raise ArtefactError(f"{path} is no graph of ONNX", got=first) from None
    return module_of(model.graph)


def module_of(graph: Any) -> OnnxModule:
    """A graph as a module; ArtefactError that names an operator we lack."""
    for node in graph.node:
        if node.domain not in ("", "ai.onnx") or node.op_type not in OPERATORS:
            close = nearest(node.op_type, OPERATORS)
            raise ArtefactError(
                f"the graph has the operator {node.op_type}, which cannot be read",
                hint=f"{close} can" if close else None,
            )
        if any(node.output[1:]) and node.op_type not in SEVERAL:
            raise ArtefactError(f"the second output of {node.op_type} cannot be read")
    return OnnxModule(graph)


def _tensor(value: Any, node: Any, place: int) -> Any:
    """An input of a node: arrays stay what they are where they say sizes or axes."""
    if value is None or isinstance(value, Tensor):
        return value
    return value if _says_where(node.op_type, place) else as_tensor(value)


def _says_where(operator: str, place: int) -> bool:
    first = {"Reshape", "Expand", "Squeeze", "Unsqueeze", "Slice", "Pad"}
    return place >= 1 and (operator in first or operator.startswith("Reduce"))


def _attributes(node: Any, helper: Any, numpy_helper: Any) -> dict[str, Any]:
    found = {}
    for attribute in node.attribute:
        value = helper.get_attribute_value(attribute)
        if isinstance(value, bytes):
            value = value.decode()
        is_tensor = attribute.type == attribute.TENSOR
        found[attribute.name] = numpy_helper.to_array(value) if is_tensor else value
    if node.op_type == "Constant":
        return {name: np.asarray(value) for name, value in found.items()}
    return found
