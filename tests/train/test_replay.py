"""Going back to a step of a run: bit for bit where training was, and refused where it cannot be."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from chainrule import generator
from chainrule.errors import ArtefactError, SettingError
from chainrule.train import Settings, train_table
from chainrule.train.keeping import fingerprint, kept_epochs, kept_losses, load_state
from chainrule.train.kept_rows import keep_rows, keeps_rows, kept_rows
from chainrule.train.learning import arrays
from chainrule.train.preparing import prepared_for
from chainrule.train.replay import Replay, chosen_settings


@pytest.fixture(scope="module", params=["native", "interpret"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("replay") / "run"
    table = path.parent / "t.csv"
    rng = np.random.default_rng(0)
    rows = [f"{a:.3f},{b:.3f},{'yn'[int(a * b > 0)]}" for a, b in rng.standard_normal((130, 2))]
    table.write_text("a,b,same\n" + "\n".join(rows) + "\n")
    settings = {"data": str(table), "target": "same", "epochs": 40, "layers": [8]}
    more = {"dropout": 0.3, "patience": 40, "batch_size": 25, "backend": request.param}
    train_table(Settings.model_validate({**settings, **more, "output": str(path)}))
    return path


def test_a_step_is_where_training_was_to_the_last_bit(run: Path) -> None:
    replay = Replay.of(run)
    assert kept_epochs(run) == list(range(0, 41, 3))
    assert replay.steps == 160
    for epoch in (3, 30):  # from the state before, over whole and over smaller batches
        before = replay.before(epoch * 4)
        loss, after = replay.natively(replay.place(epoch * 4), before)
        kept = load_state(run, epoch)
        assert loss == replay.losses[epoch * 4 - 1]
        assert all((after[name] == kept[name]).all() for name in kept if name != "lr")


def test_the_way_there_does_not_matter(run: Path) -> None:
    replay, other = Replay.of(run), Replay.of(run)
    for step in (30, 31, 29, 57):
        replay.before(step)
    there, straight = replay.before(58), other.before(58)
    assert all((there[name] == straight[name]).all() for name in there)


def test_rows_of_a_step_are_those_of_its_batch(run: Path) -> None:
    replay = Replay.of(run)
    places = [replay.place(step) for step in range(5, 9)]  # the second epoch
    assert [(p.epoch, p.within, len(p.rows)) for p in places] == [
        *[(2, within, 25) for within in (1, 2, 3)],
        (2, 4, len(replay.prepared.train) - 75),
    ]
    assert sorted(np.concatenate([p.rows for p in places])) == list(
        range(len(replay.prepared.train))
    )
    for step in (0, 161):
        with pytest.raises(SettingError, match="no step"):
            replay.place(step)


def test_random_numbers_of_others_go_on(run: Path) -> None:
    generator.manual_seed(5)
    first = generator.default_generator.uniform((3,)).tolist()
    second = generator.default_generator.uniform((3,)).tolist()
    generator.manual_seed(5)
    assert generator.default_generator.uniform((3,)).tolist() == first
    Replay.of(run).before(7)
    assert generator.default_generator.uniform((3,)).tolist() == second


def test_other_data_and_lost_states_are_refused(run: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(run, tmp_path / "copy"))
    settings = (copy / "settings.toml").read_text()
    other = tmp_path / "t.csv"
    other.write_text((run.parent / "t.csv").read_text().replace("0.", "1."))
    changed = settings.replace(str(run.parent / "t.csv"), str(other))
    (copy / "settings.toml").write_text(changed)
    Replay.of(copy)  # by the rows that it kept
    (copy / "checkpoints" / "rows.safetensors").write_bytes(b"cut")
    with pytest.raises(ArtefactError, match=r"rows\.safetensors cannot be read"):
        Replay.of(copy)
    (copy / "checkpoints" / "rows.safetensors").unlink()
    with pytest.raises(ArtefactError, match="no longer hold the rows"):
        Replay.of(copy)
    (copy / "settings.toml").write_text(settings)
    (copy / "checkpoints" / "epoch-000000.safetensors").write_bytes(b"cut")
    with pytest.raises(ArtefactError, match="cannot be read"):
        Replay.of(copy).before(1)
    for path in (copy / "checkpoints").glob("epoch*"):
        path.unlink()
    with pytest.raises(ArtefactError, match="kept no states"):
        Replay.of(copy)
    (copy / "settings.toml").write_text("lr = 'fast'")
    with pytest.raises(ArtefactError, match=r"settings\.toml is not valid"):
        Replay.of(copy)


def test_kept_rows_are_those_of_the_table(run: Path) -> None:
    settings = chosen_settings(run)
    prepared, kept = prepared_for(settings), kept_rows(run)
    assert kept.preparation == prepared.preparation
    assert kept.report.columns == prepared.report.columns
    for one, other in ((kept.train, prepared.train), (kept.validation, prepared.validation)):
        assert (one.source, one.weights) == (other.source, None)
        assert (one.lines == other.lines).all()
        assert fingerprint(arrays(one)) == fingerprint(arrays(other))


def test_large_rows_are_not_kept(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = kept_rows(run)
    monkeypatch.setattr("chainrule.train.kept_rows.ALL_BYTES", 100)
    keep_rows(tmp_path, rows)
    assert not keeps_rows(tmp_path)
    monkeypatch.undo()
    weighed = replace(rows, train=rows.train.weighed())
    keep_rows(tmp_path, weighed)
    shutil.copy(run / "data.json", tmp_path)
    found = kept_rows(tmp_path).train.weights
    assert found is not None
    assert (found == 1).all()


def test_losses_that_were_kept_are_those_of_the_epochs(run: Path) -> None:
    losses = kept_losses(run)
    assert np.isfinite(losses).all()
    assert losses[-4:].mean() < losses[:4].mean()


def test_any_way_to_a_step_gives_the_same_state(run: Path) -> None:
    """Forth and back: states that were gone through are taken up where they are nearest."""
    replay = Replay.of(run)
    for step in (60, 59, 62, 3, 160, 61, 59):
        alone, found = Replay.of(run).before(step), replay.before(step)
        assert all(np.array_equal(alone[name], found[name]) for name in alone)
