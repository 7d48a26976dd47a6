"""Explained predictions: exact where theory says so, complete, in the columns' own names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from chainrule.data import prepare_more, read_table
from chainrule.data.preparation import Inputs
from chainrule.explain.attribution import explain_row, typical
from chainrule.explain.rows import importances, row_losses, worst_rows
from chainrule.model import Model
from chainrule.train import Settings, train_table
from chainrule.train.scoring import judge


def trained(folder: Path, target: str, **settings: object) -> tuple[Model, Path]:
    rng = np.random.default_rng(1)
    a, b, noise = rng.uniform(0, 10, (3, 260)).round(3)
    kind = rng.integers(0, 30, 260)  # many: a learned vector
    rows = [
        f"{x},{y},k{k},{z},{100 * x + 5 * k:.2f},{'yes' if x + y > 10 else 'no'}"
        for x, y, k, z in zip(a, b, kind, noise, strict=True)
    ]
    file = folder / "t.csv"
    file.write_text("a,b,kind,noise,cost,big\n" + "\n".join(rows) + "\n")
    others = ["cost", "big"]
    others.remove(target)
    given = {"data": str(file), "target": target, "drop": others, "output": str(folder / target)}
    return train_table(Settings.model_validate({**given, **settings})).model, file


@pytest.fixture(scope="module")
def cost(tmp_path_factory: pytest.TempPathFactory) -> tuple[Model, Path]:
    return trained(tmp_path_factory.mktemp("cost"), "cost", epochs=60, encode={"a": "standard"})


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> tuple[Model, Path]:
    return trained(tmp_path_factory.mktemp("big"), "big", epochs=40)


@pytest.mark.parametrize("which", ["cost", "big"])
def test_contributions_are_the_whole_difference(which: str, request: pytest.FixtureRequest) -> None:
    model, file = request.getfixturevalue(which)
    inputs, _ = model.preparation.apply(read_table(str(file)))
    for row in (3, 77):
        one = Inputs(inputs.numbers[row : row + 1], inputs.codes[row : row + 1])
        (found,) = explain_row(model, one, typical(inputs), points=200)
        whole = found.output - found.reference
        assert sum(c.integrated for c in found.contributions) == pytest.approx(whole, rel=0.03)
        assert abs(found.gap) < 0.03 * abs(whole)
        assert {c.column for c in found.contributions} == {"a", "b", "kind", "noise"}
        said = model.predict(read_table(str(file))).values[row]
        assert found.said == (said if which == "big" else f"{said:.4g}")


def test_a_linear_model_is_explained_exactly(tmp_path: Path) -> None:
    """Without hidden layers each column moves the output by its weight times its difference."""
    model, file = trained(tmp_path, "cost", layers=[], epochs=3)
    inputs, _ = model.preparation.apply(read_table(str(file)))
    one, usual = Inputs(inputs.numbers[:1], inputs.codes[:1]), typical(inputs)
    (found,) = explain_row(model, one, usual, points=4)
    weights = next(w for name, w in model.weights().items() if name.endswith("layers.0.weight"))
    std, start = getattr(model.preparation.target, "std", 1.0), 0
    apart = (one.numbers - usual.numbers)[0]
    by_name = {c.column: c for c in found.contributions}
    for record in model.preparation.dense:
        part = slice(start, start + len(record.features))
        expected = float((weights[0, part] * apart[part]).sum()) * std
        assert by_name[record.name].integrated == pytest.approx(expected, rel=1e-3, abs=1e-3)
        assert by_name[record.name].gradient_input == pytest.approx(expected, rel=1e-3, abs=1e-3)
        start = part.stop
    assert by_name["kind"].integrated != 0


def test_what_matters_comes_first_and_noise_last(
    cost: tuple[Model, Path], big: tuple[Model, Path]
) -> None:
    part, _ = prepare_more(cost[0].preparation, read_table(str(cost[1])))
    found = importances(cost[0], part)
    assert found[0].column == "a"
    assert found[0].growth > 10 * abs(found[-1].growth)
    assert importances(cost[0], part) == found
    part, _ = prepare_more(big[0].preparation, read_table(str(big[1])))
    assert {one.column for one in importances(big[0], part)[:2]} == {"a", "b"}


@pytest.mark.parametrize("which", ["cost", "big"])
def test_losses_of_rows(which: str, request: pytest.FixtureRequest) -> None:
    model, file = request.getfixturevalue(which)
    part, _ = prepare_more(model.preparation, read_table(str(file)))
    losses, scores = row_losses(model, part), judge(model, part).scores
    expected = (
        (scores["rmse"] / model.preparation.target.std) ** 2
        if which == "cost"
        else scores["log_loss"]
    )
    assert losses.mean() == pytest.approx(expected, rel=1e-4)
    worst = worst_rows(model, part, 5)
    assert [row.loss for row in worst] == sorted(losses.tolist(), reverse=True)[:5]
    assert worst[0].line == part.lines[losses.argmax()]
    assert worst[0].share == pytest.approx(losses.max() / losses.sum())


def test_text_reads_well(cost: tuple[Model, Path]) -> None:
    model, file = cost
    inputs, _ = model.preparation.apply(read_table(str(file)))
    (found,) = explain_row(model, Inputs(inputs.numbers[:1], inputs.codes[:1]), typical(inputs))
    text = str(found)
    assert "moved it by" in text
    assert "together" in text
    assert "not accounted for" not in text
