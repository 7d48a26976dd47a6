"""What the tests of the page share: a folder of two runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from chainrule.train import Settings, train_table

pytest.importorskip("starlette")
pytest.importorskip("sse_starlette")


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page") / "runs"
    for name, data, rate in (("price run", "courier", 0.01), ("arms", "spirals", 0.02)):
        chosen = {"data": data, "lr": rate, "epochs": 3, "layers": [4], "dropout": 0.0}
        train_table(Settings.model_validate({**chosen, "output": str(folder / name)}))
    return folder
