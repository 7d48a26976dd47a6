"""Trainings of several targets and of labels: losses, scores, predictions, and what is saved."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.train.several import INPUTS, ROWS, columns

import chainrule as cr
from chainrule import functional as F
from chainrule.data import read_table
from chainrule.errors import SettingError
from chainrule.model import Model, load
from chainrule.train import Run, Settings, Trained, train_table
from chainrule.train.heads import TargetsLoss
from chainrule.train.metrics import average_precision, label_metrics
from chainrule.train.scoring import judge

KINDS = {
    "numbers": ["price", "rent"],
    "classes": ["kind", "zone2"],
    "labels": ["genre"],
    "yes-no": ["fever", "cough", "ill"],
    "mixed": ["rent", "kind", "genre"],
}


def written(folder: Path, targets: list[str]) -> str:
    every = {**columns(), "zone2": ["pqr"[ord(zone) - ord("x")] for zone in columns()["zone"]]}
    with (folder / "t.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*INPUTS, *targets])
        writer.writerows(zip(*(every[name] for name in [*INPUTS, *targets]), strict=True))
    return str(folder / "t.csv")


def trained(folder: Path, kind: str, **settings: Any) -> Trained:
    targets = KINDS[kind]
    chosen = {"target": ",".join(targets), "epochs": 25, "lr": 0.01, "output": str(folder / "run")}
    data = written(folder, targets)
    return train_table(Settings.model_validate({"data": data, **chosen, **settings}))


@pytest.fixture(scope="module", params=list(KINDS))
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return trained(tmp_path_factory.mktemp(request.param), request.param)


def test_it_learns_and_says_how_well(made: Trained) -> None:
    for name, value in made.scores.items():
        assert value is not None
        beaten = made.baseline[name]
        assert beaten is not None
        better = value < beaten if name in ("loss", "log_loss") else value > beaten
        assert better, (name, value, beaten)
    facts = Run(made.run.path).summary()
    assert facts.details == made.details == load(made.run.path).card.details
    assert facts.target == ", ".join(KINDS[_kind(made)])
    assert judge(load(made.run.path), made.prepared.test).details == made.details


def _kind(made: Trained) -> str:
    columns = made.prepared.preparation.target_columns
    return next(kind for kind, names in KINDS.items() if names == columns)


def flat(model: Model, rows: Any) -> tuple[np.ndarray, list[list[Any]]]:
    """Everything predicted: numbers and probabilities, and class names and labels."""
    found = model.predict(rows)
    numbers = [
        p.values[:, None] if p.probabilities is None else p.probabilities
        for p in found.targets.values()
    ]
    words = [p.values.tolist() for p in found.targets.values() if p.probabilities is not None]
    return np.concatenate(numbers, axis=1), words


def test_row_by_row_is_the_whole_is_shuffled_columns(made: Trained) -> None:
    model = load(made.run.path)
    table = read_table({name: columns()[name][:20] for name in INPUTS})
    whole, words = flat(model, table)
    alone = [flat(model, table.take(np.array([row]))) for row in range(20)]
    turned, again = flat(model, table.select(["zone", "b", "a"]))
    scale = np.abs(whole).max(axis=0)
    np.testing.assert_allclose(
        np.concatenate([n for n, _ in alone]) / scale, whole / scale, atol=1e-5
    )
    np.testing.assert_allclose(turned / scale, whole / scale, atol=1e-6)
    assert again == words
    assert [
        [one[0] for one in column] for column in zip(*(w for _, w in alone), strict=True)
    ] == words


def test_predictions_are_in_the_users_terms(made: Trained) -> None:
    model, found = made.model, made.model.predict({name: columns()[name] for name in INPUTS})
    assert len(found) == ROWS
    for target in model.preparation.targets:
        prediction = found[target.name]
        if target.task == "regression":
            true = np.array([np.nan if v is None else v for v in columns()[target.name]])
            assert np.nanmean(np.abs(prediction.values - true)) < 0.5 * np.nanstd(true)
            continue
        assert prediction.probabilities is not None
        assert prediction.probabilities.shape == (ROWS, len(target.choices))
        if target.task == "multi-label":
            held = [[label in some for label in target.choices] for some in prediction.values]
            assert held == (prediction.probabilities > 0.5).tolist()
        else:
            np.testing.assert_allclose(prediction.probabilities.sum(axis=1), 1, rtol=1e-5)
    if len(model.preparation.targets) > 1:
        with pytest.raises(SettingError, match="several targets"):
            _ = found.values
    else:
        assert found.values is found[model.preparation.target.name].values


@pytest.mark.usefixtures("always_pays")
@pytest.mark.parametrize("kind", ["mixed", "yes-no"])
def test_machine_code_learns_the_same(tmp_path: Path, kind: str) -> None:
    both = []
    for backend in ("native", "interpret"):
        folder = tmp_path / backend
        folder.mkdir()
        settings = {"class_weight": "balanced", "layers": [8], "dropout": 0.0, "epochs": 3}
        both.append(trained(folder, kind, backend=backend, **settings))
    assert both[0].history.ran == "as machine code"
    for name, array in both[0].model.weights().items():
        np.testing.assert_allclose(array, both[1].model.weights()[name], rtol=1e-3, atol=1e-5)


def test_the_settings_of_a_run_run_it_again(made: Trained, tmp_path: Path) -> None:
    from chainrule.train import gather

    again = gather(
        {"output": str(tmp_path / "again"), "epochs": 1}, made.run.path / "settings.toml"
    )
    assert train_table(again).prepared.preparation == made.prepared.preparation


# -- the loss and the metrics against formulas written out


def test_the_loss_is_that_of_each_target_alone() -> None:
    rng = np.random.default_rng(0)
    raw = rng.normal(size=(6, 7)).astype(np.float32)
    numbers = [rng.normal(size=(6, 1)).astype(np.float32) for _ in range(2)]
    kinds, labels = rng.integers(0, 3, 6), (rng.random((6, 2)) < 0.5).astype(np.float32)
    tasks = ["regression", "classification", "regression", "multi-label"]
    given = [numbers[0], kinds, numbers[1], labels]
    each = [
        np.square(raw[:, :1] - numbers[0]),
        (np.log(np.exp(raw[:, 1:4]).sum(axis=1)) - raw[np.arange(6), 1 + kinds])[:, None],
        np.square(raw[:, 4:5] - numbers[1]),
        np.log1p(np.exp(raw[:, 5:])) - labels * raw[:, 5:],
    ]
    arrays = [cr.tensor(x) for x in (raw, *given)]
    plain = TargetsLoss(tasks, [1, 3, 1, 2], weighted=False)(*arrays).item()
    shares = [0.5, 1, 0.5, 1]
    assert plain == pytest.approx(
        sum(s * e.mean() for s, e in zip(shares, each, strict=True)), rel=1e-5
    )
    weights = rng.random((6, 5)).astype(np.float32)
    found = TargetsLoss(tasks, [1, 3, 1, 2], weighted=True)(*arrays, cr.tensor(weights)).item()
    parts = np.split(weights, [1, 2, 3], axis=1)
    pairs = zip(shares, each, parts, strict=True)
    assert found == pytest.approx(sum(s * (e * w).mean() for s, e, w in pairs), rel=1e-5)


def test_an_answer_that_is_not_known_has_no_gradient() -> None:
    raw = cr.tensor(np.ones((2, 3), np.float32), requires_grad=True)
    loss = TargetsLoss(["regression", "multi-label"], [1, 2], weighted=True)
    answers = [cr.zeros(2, 1), cr.zeros(2, 2)]
    loss(raw, *answers, cr.tensor([[2.0, 0.0, 1.0], [0.0, 1.0, 0.0]])).backward()
    assert ((raw.grad.numpy() == 0) == [[False, True, False], [True, False, True]]).all()
    assert F.sigmoid(cr.tensor([0.0])).item() == 0.5


def test_metrics_of_labels_counted_by_hand() -> None:
    rng = np.random.default_rng(1)
    sure = np.round(rng.random((40, 3)), 1)
    true = (rng.random((40, 3)) < 0.4).astype(float)
    true[rng.random((40, 3)) < 0.1] = np.nan
    found = label_metrics(sure, true)
    cells = [(p > 0.5, t > 0.5) for p, t in zip(sure.ravel(), true.ravel(), strict=True) if t == t]
    hits = sum(said and holds for said, holds in cells)
    claims, facts = sum(said for said, _ in cells), sum(holds for _, holds in cells)
    precision, recall = hits / claims, hits / facts
    assert found["micro_f1"] == pytest.approx(2 * precision * recall / (precision + recall))
    assert found["accuracy"] == pytest.approx(np.mean([said == holds for said, holds in cells]))
    rows = [
        all((p > 0.5) == (t > 0.5) for p, t in zip(ps, ts, strict=True) if t == t)
        for ps, ts in zip(sure, true, strict=True)
        if not np.isnan(ts).all()
    ]
    assert found["exact_match"] == pytest.approx(np.mean(rows))


def test_average_precision_is_the_area_under_its_steps() -> None:
    rng = np.random.default_rng(2)
    scores, holds = np.round(rng.random(60), 1), rng.random(60) < 0.3
    area, before = 0.0, 0.0
    for threshold in sorted(set(scores), reverse=True):
        said = scores >= threshold
        precision, recall = (said & holds).sum() / said.sum(), (said & holds).sum() / holds.sum()
        area, before = area + (recall - before) * precision, recall
    assert average_precision(scores, holds) == pytest.approx(area)
    assert average_precision(np.full(60, 0.3), holds) == pytest.approx(holds.mean())
    assert np.isnan(average_precision(scores, np.zeros(60, bool)))
