"""A step of a run, opened: the run's own numbers, its rows by line, in the user's words."""

from __future__ import annotations

from pathlib import Path

import pytest

from chainrule.errors import ArtefactError, SettingError
from chainrule.train import Run, Settings, train_table


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("steps")
    rows = [f"{i % 7},{'ab'[i % 2]},{i % 7 * 2 + i % 2}" for i in range(120)]
    (folder / "t.csv").write_text("x,kind,y\n" + "\n".join(rows) + "\n")
    settings = {"data": str(folder / "t.csv"), "target": "y", "task": "regression"}
    more = {"types": {"x": "numeric", "kind": "category"}, "layers": [4], "epochs": 4}
    return train_table(
        Settings.model_validate({**settings, **more, "output": str(folder / "run")})
    ).run


def test_a_step_of_a_run(run: Run) -> None:
    opened = run.step(5)
    assert opened.loss == pytest.approx(run.replay.losses[4], rel=1e-6)
    assert opened.labels.step == 5
    assert opened.apart is not None
    assert opened.apart.largest < 1e-5
    lines = [row.line for row in opened.rows]
    again = run.step(5, line=lines[3])
    assert again.row == 3
    assert {row.true for row in opened.rows} <= {str(i) for i in range(14)}
    cells = again.labels.cells
    assert int(again.rows[3].true) == int(cells["x"]) * 2 + (cells["kind"] == "b")
    text = str(run.step(5, layer="layers.0"))
    assert f"line {lines[0]}" in text
    assert "Linear(in_features=" in text


def test_steps_and_rows_that_are_not_there(run: Run, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="no step 1000"):
        run.step(1000)
    with pytest.raises(SettingError, match="line 1 is not in the batch"):
        run.step(1, line=1)
    with pytest.raises(ArtefactError, match="not the folder of a run"):
        Run(tmp_path).step(1)
