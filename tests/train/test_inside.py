"""Pictures of the inside of a run: what the engine says of the same states in other ways."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import chainrule as cr
from chainrule.explain.looks import look_at
from chainrule.explain.pictures import Drawing, Panels
from chainrule.tensors import Tensor
from chainrule.train import Settings, train_table
from chainrule.train.inside import inside_pictures
from chainrule.train.keeping import load_state
from chainrule.train.landscape import Landscape
from chainrule.train.probes import probe_at, some_rows
from chainrule.train.replay import Replay, put

NAMES = ["graph", "gradients", "updates", "weights", "activations", "one-weight", "surface"]


@pytest.fixture(scope="module")
def replay(tmp_path_factory: pytest.TempPathFactory) -> Replay:
    path: Path = tmp_path_factory.mktemp("inside") / "run"
    train_table(Settings(data="spirals", epochs=5, layers=[8], dropout=0.0, output=str(path)))
    return Replay.of(path, {"backend": "interpret"})


@pytest.fixture(scope="module")
def pictures(replay: Replay) -> dict[str, Drawing]:
    return {picture.name: picture for picture in inside_pictures(replay)}


def table(picture: Drawing) -> list[list[str]]:
    return list(csv.reader(io.StringIO(picture.csv())))[1:]


def test_all_of_them_are_drawn_and_lie_in_the_run(
    replay: Replay, pictures: dict[str, Drawing]
) -> None:
    assert list(pictures) == [*NAMES, "boundaries"]
    kept = {path.name for path in (replay.path / "pictures").iterdir()}
    for name, picture in pictures.items():
        ElementTree.fromstring(picture.svg())
        assert {f"{name}.svg", f"{name}.csv"} <= kept
        assert picture.title in (replay.path / "report.html").read_text()


def test_gradients_are_those_of_the_eager_network(
    replay: Replay, pictures: dict[str, Drawing]
) -> None:
    loop, rows = replay.loop, some_rows(replay, 256)
    for epoch in (0, 5):
        with replay.cells_kept():
            put(loop, load_state(replay.path, epoch))
            weights = [w for w in loop.network.parameters() if w.ndim > 1]
            found = cr.grad(loop._judge(*loop.batch(rows)), weights)
        norms = [float(np.linalg.norm(one.numpy())) for one in found]
        step = str(epoch * loop.steps_per_epoch + 1)
        drawn = [float(norm) for _, at, norm in table(pictures["gradients"]) if at == step]
        assert np.allclose(drawn, norms, rtol=1e-4)


def test_updates_are_what_the_next_step_does(replay: Replay) -> None:
    probe = probe_at(replay, 2, 32)
    assert probe is not None
    look = look_at(probe)
    assert probe.step == 2 * replay.loop.steps_per_epoch + 1
    for one in probe.updates():
        moved = np.linalg.norm(one.after - one.before) / np.linalg.norm(one.before)
        assert look.shares[one.name] == pytest.approx(moved, rel=1e-4)


def test_every_column_of_a_histogram_holds_all_values(pictures: dict[str, Drawing]) -> None:
    for name in ("weights", "activations"):
        sums: dict[tuple[str, str], float] = {}
        for panel, _, step, _, share in table(pictures[name]):
            sums[panel, step] = sums.get((panel, step), 0.0) + float(share)
        assert len(sums) >= 6
        assert np.allclose([*sums.values()], 1, atol=1e-5)


def test_the_landscape_is_the_loss_of_the_network(replay: Replay) -> None:
    states = [load_state(replay.path, epoch) for epoch in replay.kept]
    landscape, rows = Landscape(replay, states, 64), some_rows(replay, 64)
    for place in (0, -1):
        with replay.cells_kept(), cr.no_grad():
            put(replay.loop, states[place])
            replay.loop.network.eval()
            loss = replay.loop._judge(*replay.loop.batch(rows)).item()
        assert landscape.loss(landscape.states[place]) == pytest.approx(loss, rel=1e-5)
    curve = next(iter(landscape.pictures())).csv()
    assert f"last,{float(curve.splitlines()[-1].split(',')[1]):.7g},{loss:.7g}" in curve


def test_the_last_boundary_is_what_the_network_says_then(
    replay: Replay, pictures: dict[str, Drawing]
) -> None:
    panels = pictures["boundaries"]
    assert isinstance(panels, Panels)
    assert panels.pictures[0].title == "before the first epoch"
    assert panels.pictures[-1].title == "after epoch 5"
    cells = [row for row in table(panels) if row[0] == "after epoch 5" and row[1] == "the model"]
    x, y, sure = np.array([row[2:] for row in cells[:60]], float).T
    preparation = replay.prepared.preparation
    inputs, _ = preparation.apply(_rows(x, y))
    with replay.cells_kept(), cr.no_grad():
        put(replay.loop, load_state(replay.path, 5))
        replay.loop.network.eval()
        said = replay.loop.network(Tensor(inputs.numbers), Tensor(inputs.codes)).numpy()
    likely = np.exp(said - said.max(axis=1, keepdims=True))
    likely /= likely.sum(axis=1, keepdims=True)
    assert np.allclose(sure, np.abs(likely[:, 0] - likely[:, 1]) / 2, atol=2e-3)


def _rows(x: np.ndarray, y: np.ndarray) -> cr.data.Table:
    return cr.data.Table.of({"x": x, "y": y})


def test_a_short_training_has_no_course_to_show(tmp_path: Path) -> None:
    train_table(Settings(data="courier", epochs=2, layers=[4], output=str(tmp_path / "run")))
    assert [p.name for p in inside_pictures(Replay.of(tmp_path / "run"))] == ["graph"]
