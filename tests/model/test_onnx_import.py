"""Graphs of ONNX as modules: the standard's own tests of its operators, and further training."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx")

import onnx
from onnx import helper, numpy_helper

import chainrule as cr
from chainrule import nn, optim
from chainrule.errors import ArtefactError, ChainruleError
from chainrule.model.onnx_import import load_onnx, module_of
from chainrule.model.onnx_operators import OPERATORS

DTYPES = {"float32", "float64", "int32", "int64", "bool"}
PASSING = 458
"""How many of the standard's node tests of these operators and dtypes pass; the README says it."""

REFUSED = (
    *("batchnorm_example_training", "batchnorm_epsilon_training", "einsum_transpose", "einsum_sum"),
    *("einsum_batch_diagonal", "maxpool_with_argmax", "maxpool_2d_ceil", "edge_pad", "reflect_pad"),
    *("maxpool_3d_dilations_use_ref_impl_large", "wrap_pad", "log_sum_exp_empty_set"),
    *("reduce_max_empty_set", "reduce_min_empty_set"),
)
"""Tests of what operators can do that is refused with an error: parts of their names."""


def cases() -> list[Any]:
    """The standard's tests of single nodes, of the operators and dtypes that can be read."""
    from onnx.backend.test.loader import load_model_tests

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the standard computes its examples with overflows
        found = load_model_tests(kind="node")
    known = [c for c in found if {n.op_type for n in c.model.graph.node} <= OPERATORS.keys()]
    return [case for case in known if all(map(_readable, case.data_sets))]


def _readable(data: Any) -> bool:
    arrays = [array for part in data for array in part]
    return all(isinstance(x, np.ndarray) and x.dtype.name in DTYPES for x in arrays)


def test_the_standards_node_tests() -> None:
    passed, refused = 0, []
    for case in cases():
        if any(part in case.name for part in REFUSED):
            refused.append(case)
            continue
        _check(case)
        passed += 1
    assert passed == PASSING
    for case in refused:
        with pytest.raises(ChainruleError):
            _check(case)


def _check(case: Any) -> None:
    module = module_of(case.model.graph).eval()
    for given, expected in case.data_sets:
        with np.errstate(all="ignore"):  # some of them take the logarithm of 0
            found = module(*given)
        for mine, theirs in zip(
            found if isinstance(found, tuple) else (found,), expected, strict=True
        ):
            assert (mine.shape, mine.dtype) == (theirs.shape, theirs.dtype), case.name
            np.testing.assert_allclose(mine.numpy(), theirs, case.rtol, 1e-6, err_msg=case.name)


def two_layers(folder: Path) -> Path:
    """A file with x W1' + b1, ReLU, and another product; weights from a seed."""
    rng = np.random.default_rng(0)
    shapes = {"first.weight": (8, 3), "first.bias": (8,), "second.weight": (1, 8)}
    weights = [numpy_helper.from_array(rng.normal(size=shape).astype("float32"), name)
               for name, shape in shapes.items()]  # fmt: skip
    nodes = [
        helper.make_node("Gemm", ["x", "first.weight", "first.bias"], ["a"], transB=1),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Gemm", ["b", "second.weight"], ["y"], transB=1),
    ]
    ends = [helper.make_tensor_value_info(n, 1, ["rows", size]) for n, size in (("x", 3), ("y", 1))]
    graph = helper.make_graph(nodes, "two layers", ends[:1], ends[1:], weights)
    onnx.save(helper.make_model(graph), folder / "net.onnx")
    return folder / "net.onnx"


def test_a_graph_is_trained_further(tmp_path: Path) -> None:
    module = load_onnx(two_layers(tmp_path))
    assert sorted(module.state_dict()) == ["first.bias", "first.weight", "second.weight"]
    x = np.random.default_rng(1).normal(size=(64, 3)).astype("float32")
    y = x[:, :1] - x[:, 1:2]
    loss, optimizer = nn.MSELoss(), optim.Adam(module.parameters(), lr=0.05)

    @cr.compile
    def step(x: Any, y: Any) -> Any:
        found = loss(module(x), y)
        optimizer.zero_grad()
        found.backward()
        optimizer.step()
        return found

    losses = [step(x, y).item() for _ in range(60)]
    assert losses[-1] < 0.05 * losses[0]


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "broken.onnx").write_bytes(b"\x08\x07broken")
    with pytest.raises(ArtefactError, match="no graph of ONNX"):
        load_onnx(tmp_path / "broken.onnx")
    with pytest.raises(ArtefactError, match="cannot be read"):
        load_onnx(tmp_path / "absent.onnx")
    graph = helper.make_graph([helper.make_node("Det", ["x"], ["y"])], "g", [], [])
    with pytest.raises(ArtefactError, match="operator Det"):
        module_of(graph)
