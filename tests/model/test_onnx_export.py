"""Models as graphs of ONNX: onnxruntime gives what the model gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

import onnxruntime as runtime

import chainrule as cr
from chainrule.core.op import CALLS, OPS
from chainrule.data import prepare, read_table
from chainrule.errors import ProgramError
from chainrule.model import Card, Model, record_forward
from chainrule.model.onnx_export import export_onnx, onnx_inputs, onnx_model
from chainrule.model.onnx_graph import OPSET, Graph, write_program
from chainrule.spec import F32, Spec, spec_of
from chainrule.train import Settings
from chainrule.train.defaults import choose
from chainrule.train.learning import frozen
from chainrule.train.network import network_for

PORTS = [f"port {i}" for i in range(30)]


def rows(count: int) -> dict[str, list[Any]]:
    """A column of every kind that the standard can express, with gaps, and two that it cannot."""
    return {
        "load": [None if i % 9 == 4 else i % 13 + i / 50 for i in range(count)],
        "tail": [float(np.exp(i % 17)) * (-1) ** i for i in range(count)],
        "rank": [i * 37 % 101 for i in range(count)],
        "crew": [999 if i % 11 == 5 else i % 7 + i / 10 for i in range(count)],
        "kind": [["cod", "eel", "?"][i % 3] for i in range(count)],
        "port": [PORTS[i * 7 % 30] for i in range(count)],
        "dry": [["yes", "no", None][i * 5 % 3] for i in range(count)],
        "day": [f"2024-{i % 12 + 1:02}-{i % 27 + 1:02}" for i in range(count)],
        "note": [f"sea {['calm', 'rough'][i % 2]} on leg {i % 5} today" for i in range(count)],
    }


@pytest.fixture(scope="module")
def model() -> Model:
    """Initial weights; a number, a class, and labels are predicted."""
    count = 600
    answers = {
        "price": [i * 31 % 17 + i / 7 for i in range(count)],
        "fish": [["sole", "ray"][i % 2] for i in range(count)],
        "tags": [["a|b", "a", "b"][i % 3] for i in range(count)],
    }
    prepared = prepare(
        read_table({**rows(count), **answers}),
        "price,fish,tags",
        types={"tags": "labels", "note": "text", "dry": "boolean"},
        encodings={"tail": "log", "rank": "quantile", "port": "embedding"},
        missing={"crew": "999"},
    )
    cr.manual_seed(1)
    chosen = choose(Settings(), prepared.preparation, len(prepared.train))
    network = network_for(prepared.preparation, chosen).eval()
    trivial = [number for numbers in prepared.trivial for number in numbers]
    return frozen(network, prepared.preparation, Card(trivial=trivial))


def test_all_kinds_of_columns_and_targets(model: Model, tmp_path: Path) -> None:
    odd = {**rows(40), "kind": ["", "cod", "EEL", "NA"] * 10, "port": ["port 1", "Mars"] * 20}
    given = {one.name: one.takes for one in export_onnx(model, tmp_path / "model.onnx")}
    assert {name for name, takes in given.items() if takes.startswith("prepared")} == {
        "day",
        "note",
    }
    session = runtime.InferenceSession(tmp_path / "model.onnx")
    names = [output.name for output in session.get_outputs()]
    for table in (odd, {name: values[:1] for name, values in odd.items()}):
        found = dict(zip(names, session.run(None, onnx_inputs(model, table)), strict=True))
        expected = model.predict(table)
        np.testing.assert_allclose(found["price"], expected["price"].values, rtol=1e-5)
        assert found["fish"].tolist() == expected["fish"].values.tolist()
        for name in ("fish", "tags"):
            probable = expected[name].probabilities
            np.testing.assert_allclose(found[f"probabilities of {name}"], probable, atol=1e-5)


def test_the_graph_says_what_it_takes(model: Model) -> None:
    made = onnx_model(model)
    assert {opset.domain: opset.version for opset in made.opset_import}[""] == OPSET
    takes = {one.name: one.doc_string for one in made.graph.input}
    assert takes["load"] == "numbers, NaN where missing"
    assert "layers.0.weight" in {one.name for one in made.graph.initializer}


WRITTEN = [name for name, op in OPS.items() if op.onnx is not None]


@pytest.mark.parametrize("name", WRITTEN)
def test_each_op_computes_the_same(name: str) -> None:
    op = OPS[name]
    for inputs, settings in op.samples(np.random.default_rng(0)):
        arrays = [_single(x) for x in inputs]
        if any(0 in x.shape for x in arrays) or any(settings.get("interior", ())):
            continue  # onnxruntime refuses empty arrays, and ONNX has no padding between elements
        to = Graph()
        names = [f"x{place}" for place in range(len(arrays))]
        to.specs = {n: Spec(x.shape, x.dtype) for n, x in zip(names, arrays, strict=True)}
        form: Any = op.onnx
        made = to(form, *names) if isinstance(form, str) else form(to, *names, **settings)
        expected = np.asarray(op.forward(*arrays, **settings))
        graph = to.helper.make_graph(
            to.nodes,
            name,
            [_value(to, n, x) for n, x in zip(names, arrays, strict=True)],
            [_value(to, made, expected)],
            list(to.constants.values()),
        )
        opsets = [to.helper.make_opsetid("", OPSET)]
        packed = to.helper.make_model(graph, opset_imports=opsets, ir_version=10)
        session = runtime.InferenceSession(packed.SerializeToString())
        fed = dict(zip(names, arrays, strict=True))
        (found,) = session.run(None, fed)
        assert spec_of(found) == spec_of(expected)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def _single(x: Any) -> np.ndarray[Any, Any]:
    array = np.asarray(x)
    return array.astype(np.float32) if array.dtype.kind == "f" else array


def _value(to: Graph, name: str, array: np.ndarray[Any, Any]) -> Any:
    return to.helper.make_tensor_value_info(name, to.kind(array.dtype), array.shape)


def test_an_op_without_a_form_is_an_error() -> None:
    def fn(x: Any) -> Any:
        sizes = dict(window=(2,), stride=(1,), low=(0,), high=(0,))
        return CALLS["sum_pool_spread"](x, space=(4,), **sizes)

    with pytest.raises(ProgramError, match="no form for the op sum_pool_spread"):
        write_program(record_forward(fn, [Spec((1, 2, 3), F32)]), Graph(), ["x"])
