"""The prediction of one row by 8-64-64-1: what a user calls, and the machine code alone; of a row
as people have it; and of a long file.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.goals import Goal, slower, table
from benchmarks.harness import attempt
from benchmarks.networks import NETWORKS

NETWORK = NETWORKS["mlp-8-64-64-1"]
PUBLIC, NATIVE = Goal(2, 4), Goal(5, 5, at_most=True)
LABELS = {
    "public": "chainrule",
    "native": "its machine code alone",
    "prepared": "a model's outputs",
    "from_dict": "a model, from a dict",
    "torch": "PyTorch",
    "jax": "JAX",
    "sklearn": "scikit-learn",
    "onnx": "onnxruntime",
}
COLUMNS = [f"x{place}" for place in range(8)]
FROM_DICT = Goal(1000, 500, at_most=True)
LONG = 1_000_000


def _model(library: Any) -> Any:
    """The network with the weights that all have."""
    model = NETWORK.build(library)
    model.load_state_dict({k: library.from_numpy(v) for k, v in NETWORK.weights().items()})
    return model


def public() -> Callable[[], Any]:
    """A compiled module on a tensor."""
    import chainrule as cr

    forward, row = cr.compile(_model(cr), "native"), cr.from_numpy(NETWORK.rows(1, 1)[0])

    def predict() -> Any:
        with cr.no_grad():
            return forward(row)

    return predict


def native() -> Callable[[], Any]:
    """The machine code, called as the compiled module does once it knows what to run."""
    import chainrule as cr

    row = NETWORK.rows(1, 1)[0]
    with cr.no_grad():
        program: Any = cr.compile(_model(cr), "native").variant(cr.from_numpy(row)).run
    program([row])
    (run,) = program.runs
    return lambda: run(program.memory.address, 0, 1)  # thread 0 of 1


def torch() -> Callable[[], Any]:
    import torch

    torch.set_num_threads(1)
    model, row = _model(torch).eval(), torch.from_numpy(NETWORK.rows(1, 1)[0])

    def predict() -> Any:
        with torch.inference_mode():
            return model(row)

    return predict


def jax() -> Callable[[], Any]:
    import jax
    import jax.numpy as jnp

    weights = {name: jnp.asarray(w) for name, w in NETWORK.weights_inwards().items()}
    forward, row = jax.jit(NETWORK.forward), jnp.asarray(NETWORK.rows(1, 1)[0])
    return lambda: forward(weights, row).block_until_ready()


def prepared() -> Callable[[], Any]:
    """The forward pass of a saved model, on an array that is prepared already."""
    model = _table_model()
    numbers, codes = NETWORK.rows(1, 1)[0], np.zeros((1, 0), np.int64)
    model.compile()
    return lambda: model.outputs(numbers, codes)


def from_dict() -> Callable[[], Any]:
    """A row as people have it: a value by the name of each column."""
    model = _table_model()
    row = [dict.fromkeys(COLUMNS, 0.5)]
    model.compile()
    return lambda: model.predict(row)


def _table_model() -> Any:
    """A saved model of eight numeric columns with the network that all have."""
    import chainrule as cr
    from chainrule.data import Preparation, ScaledTarget, Table
    from chainrule.model import Card, Model, record_forward
    from chainrule.spec import F32, I64, Spec

    noise = np.random.default_rng(0).normal(size=(40, 9))
    table = Table.of(dict(zip([*COLUMNS, "y"], noise.T, strict=True)))
    network = _model(cr).eval()
    specs = [Spec((1, 8), F32), Spec((1, 0), I64)]
    program = record_forward(lambda x, codes: network(x), specs)
    return Model(
        Preparation.fit(table, [ScaledTarget.fit(table, "y")]), program, Card(trivial=[0.0])
    )


def sklearn() -> Callable[[], Any]:
    """MLPRegressor of the same layers, on a prepared array."""
    import warnings

    from sklearn.neural_network import MLPRegressor

    rows, targets = NETWORK.rows(32, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = MLPRegressor(hidden_layer_sizes=(64, 64), max_iter=1).fit(rows, np.ravel(targets))
    return lambda: model.predict(rows[:1])


def onnx() -> Callable[[], Any]:
    """The same network in onnxruntime, on a prepared array."""
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    weights = NETWORK.weights()
    nodes, x = [], "x"
    names = list(weights)
    for place, (weight, bias) in enumerate(zip(names[::2], names[1::2], strict=True)):
        nodes.append(helper.make_node("Gemm", [x, weight, bias], [f"z{place}"], transB=1))
        x = f"z{place}"
        if place < len(names) // 2 - 1:
            nodes.append(helper.make_node("Relu", [x], [f"a{place}"]))
            x = f"a{place}"
    shapes = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, width])
        for name, width in (("x", 8), (x, 1))
    ]
    held = [numpy_helper.from_array(raw, name) for name, raw in weights.items()]
    graph = helper.make_graph(nodes, "mlp", shapes[:1], shapes[1:], held)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(made.SerializeToString(), options)
    row = {"x": NETWORK.rows(1, 1)[0]}
    return lambda: session.run(None, row)


def _long_file() -> str:
    """Rows a second and the most memory of `chainrule predict`, from file to file."""
    from chainrule.model import save

    with tempfile.TemporaryDirectory() as folder:
        data, out = Path(folder) / "long.csv", Path(folder) / "out.csv"
        model = save(_table_model(), Path(folder) / "model")
        noise = np.random.default_rng(0).normal(size=(10_000, 8))
        lines = [",".join(f"{value:.4f}" for value in row) for row in noise.tolist()]
        block = "\n".join(lines) + "\n"
        data.write_text(",".join(COLUMNS) + "\n" + block * (LONG // len(lines)))
        command = [sys.executable, "-m", "chainrule", "predict", str(model), str(data)]
        began = time.perf_counter()
        subprocess.run([*command, "-o", str(out), "-q"], check=True)
        seconds = time.perf_counter() - began
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return f"{LONG / seconds:,.0f} rows/s, at most {most:,.0f} MB"


def main() -> None:
    """The native call under 5 us; the public one at most half of PyTorch's; a dict under 1 ms."""
    where = {name: f"benchmarks.prediction:{name}" for name in LABELS}
    race = attempt(where, repeats=2000)
    found = race.seconds
    remarks = {"public": slower(found, "torch", "public", PUBLIC)}
    if "native" in found:
        remarks["native"] = f"microseconds: {NATIVE.verdict(found['native'] * 1e6)}"
    if "from_dict" in found:
        remarks["from_dict"] = f"microseconds: {FROM_DICT.verdict(found['from_dict'] * 1e6)}"
    if "prepared" in found:
        remarks["prepared"] = slower(found, "torch", "prepared", PUBLIC)
    print("Predicting one row with 8-64-64-1; PyTorch over ours")
    print(table(LABELS, found, race.failures, remarks))
    print(f"  {LONG:,} rows of a CSV file to another: {_long_file()}")
