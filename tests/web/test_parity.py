"""One answer everywhere: predict, estimator, served JSON, served CSV, reloaded artefact, ONNX."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.web.conftest import INPUTS, Client, ships, without_target, write_csv

from chainrule.cli.main import run
from chainrule.explain.attribution import explain_row
from chainrule.model import Model, Predictions, load, save
from chainrule.web.prediction.app import application

Row = dict[str, Any]


@pytest.fixture(scope="module")
def estimator() -> Any:
    """A fitted estimator, which learned from a frame what `model` learned from a file."""
    pytest.importorskip("sklearn.callback", reason="needs scikit-learn 1.9")
    pandas = pytest.importorskip("pandas")
    from chainrule.estimators import NeuralClassifier

    frame = pandas.DataFrame(ships(300, 0))
    estimator = NeuralClassifier((8,), epochs=2, types={"note": "text"}, random_state=0)
    return estimator.fit(frame[INPUTS], frame["late"])


@pytest.fixture(scope="module", params=["train", "estimator"])
def trained(request: pytest.FixtureRequest, model: Model) -> Model:
    """A model of each origin."""
    if request.param == "train":
        return model
    made: Model = request.getfixturevalue("estimator").model_
    return made


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    """500 rows with gaps, unseen categories and columns in another order."""
    return without_target(ships(500, 7))


@pytest.fixture(scope="module")
def direct(trained: Model, rows: list[Row]) -> Predictions:
    return trained.predict(rows)


def test_reloaded(trained: Any, rows: list[Row], direct: Predictions, tmp_path: Path) -> None:
    for path in (save(trained, tmp_path / "m"), save(trained, tmp_path / "m.zip")):
        again = load(path).predict(rows)
        assert again.values.tolist() == direct.values.tolist()
        np.testing.assert_array_equal(again.probabilities, direct.probabilities)


def test_served(trained: Any, rows: list[Row], direct: Predictions, tmp_path: Path) -> None:
    """JSON and CSV; the file that `chainrule predict` writes is the one that is served."""
    values = direct.values.tolist()
    assert direct.probabilities is not None
    sure = np.round(direct.probabilities.astype(float), 6)
    client = Client(application(trained))
    answer = client.predict(*rows).json()
    found = [item["late"] for item in answer["predictions"]]
    assert [item["value"] for item in found] == values
    np.testing.assert_array_equal([list(item["probabilities"].values()) for item in found], sure)
    assert "port: 'Atlantis' not seen in training" in "\n".join(answer["notes"])
    data, out = write_csv(tmp_path / "new.csv", rows, list(rows[0])), tmp_path / "out.csv"
    folder = save(trained, tmp_path / "m")
    assert run(["predict", str(folder), str(data), "-q", "-o", str(out)]) == 0
    csv = {"content-type": "text/csv"}
    written = client.ask("POST", "/predict", content=data.read_bytes(), headers=csv)
    assert written.headers["content-type"].startswith("text/csv")
    assert written.text == out.read_text()
    last = [line.split(",")[-3:] for line in written.text.splitlines()[1:]]
    assert [value for value, *_ in last] == values
    np.testing.assert_array_equal(np.array(last)[:, 1:].astype(float), sure)


def test_estimated(estimator: Any, rows: list[Row]) -> None:
    direct = estimator.model_.predict(rows)
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(rows)[list(estimator.feature_names_in_)]  # scikit-learn asks for that
    assert estimator.predict(frame).tolist() == direct.values.tolist()
    np.testing.assert_allclose(estimator.predict_proba(frame), direct.probabilities, atol=1e-6)


def test_exported(trained: Any, rows: list[Row], direct: Predictions, tmp_path: Path) -> None:
    runtime = pytest.importorskip("onnxruntime")
    from chainrule.model.onnx_export import export_onnx, onnx_inputs

    export_onnx(trained, tmp_path / "model.onnx")
    session = runtime.InferenceSession(tmp_path / "model.onnx")
    names = ["late", "probabilities of late"]
    values, sure = session.run(names, onnx_inputs(trained, rows))
    np.testing.assert_allclose(sure, direct.probabilities, atol=1e-5)
    assert values.tolist() == direct.values.tolist()


def test_weights_stay(trained: Any, rows: list[Row], tmp_path: Path) -> None:
    """Bit for bit, and so their hash: predicting, serving and explaining learn nothing."""
    folder = save(trained, tmp_path / "m")
    data = write_csv(tmp_path / "new.csv", ships(60, 1), [*INPUTS, "late"])
    before, files = weights(trained), {path: path.read_bytes() for path in folder.iterdir()}
    for count in (1, 7, 300):
        trained.predict(rows[:count])
        assert Client(application(trained)).predict(*rows[:count]).status_code == 200
    explain_row(trained, *(trained.preparation.apply(trained.read(rows[:n]))[0] for n in (1, 1)))
    for how in (["--row", "3"], ["--worst-rows"], ["--importance"]):
        assert run(["explain", str(folder), "--data", str(data), *how]) == 0
    assert weights(trained) == weights(load(folder)) == before
    assert {path: path.read_bytes() for path in folder.iterdir()} == files


def weights(model: Model) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in model.weights().items()}
