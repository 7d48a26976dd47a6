"""The main job: same seed, same weights; the scores; what a failed or interrupted one leaves."""

from __future__ import annotations

import signal
from pathlib import Path

import numpy as np
import pytest

from chainrule.data import prepare_more, read_table
from chainrule.errors import DataError, TrainingError
from chainrule.model import load
from chainrule.train import Run, Settings, Trained, Watcher, train_table
from chainrule.train.scoring import judge

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


def ships(folder: Path) -> Path:
    """A table with a column of many categories, which is embedded, and gaps."""
    rows = [
        f"p{i * i % 90},{'' if i % 7 == 0 else i % 11},{i % 5},{'yn'[i * i % 3 == 0]}"
        for i in range(600)
    ]
    (folder / "ships.csv").write_text("port,load,crew,late\n" + "\n".join(rows) + "\n")
    return folder / "ships.csv"


def trained(folder: Path, name: str, **settings: object) -> Trained:
    chosen = {
        "data": str(ships(folder)),
        "target": "late",
        "epochs": 3,
        "layers": [16],
        "dropout": 0.2,
        "output": str(folder / name),
    }
    return train_table(Settings.model_validate({**chosen, **settings}))


@pytest.mark.parametrize("backend", ["native", "interpret"])
@pytest.mark.usefixtures("always_pays")
def test_same_seed_same_weights_to_the_bit(tmp_path: Path, backend: str) -> None:
    first, second = (trained(tmp_path, name, seed=3, backend=backend) for name in "ab")
    how = {"native": "as machine code", "interpret": "interpreted: backend is interpret"}
    assert first.history.ran == how[backend]
    assert first.run.summary().ran == first.history.ran
    assert first.prepared.preparation.embedded
    assert first.settings.dropout == 0.2
    assert first.scores == second.scores
    for name, array in first.model.weights().items():
        assert array.tobytes() == second.model.weights()[name].tobytes()
    files = [tmp_path / run / "model" / "model.safetensors" for run in "ab"]
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize("other", [{"seed": 4}, {"dropout": 0.3}, {"batch_size": 31}])
def test_another_setting_other_weights(tmp_path: Path, other: dict[str, object]) -> None:
    first, second = trained(tmp_path, "first"), trained(tmp_path, "second", **other)
    for name, array in first.model.weights().items():
        assert not np.array_equal(array, second.model.weights()[name])


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "rmsprop", "adagrad"])
@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_every_optimizer_and_schedule_learns(tmp_path: Path, optimizer: str, schedule: str) -> None:
    settings = Settings.model_validate(
        {
            "data": "courier",
            "optimizer": optimizer,
            "schedule": schedule,
            "lr": 0.05 if optimizer in ("sgd", "adagrad") else 0.01,
            "epochs": 40,
            "output": str(tmp_path / "run"),
        }
    )
    assert train_table(settings).scores["r2"] > 0.9


def test_what_is_saved_is_what_was_judged(tmp_path: Path) -> None:
    made = trained(tmp_path, "run")
    loaded = load(tmp_path / "run")
    part, _ = prepare_more(loaded.preparation, read_table(str(tmp_path / "ships.csv")))
    np.testing.assert_array_equal(
        loaded.outputs(part.numbers, part.codes), made.model.outputs(part.numbers, part.codes)
    )
    assert judge(loaded, made.prepared.test).scores == made.scores == loaded.card.scores
    assert judge(loaded, made.prepared.test).baseline == made.baseline
    assert made.run.summary().state == "done"
    assert made.run.epochs() == made.history.epochs


def test_the_baseline_is_the_training_mean(tmp_path: Path) -> None:
    made = train_table(Settings(data="courier", epochs=1, output=str(tmp_path / "run")))
    charge = read_table("courier").column("charge").numbers
    line = {part: getattr(made.prepared, part).lines for part in ("train", "test")}
    at = {name: np.isin(read_table("courier").lines, lines) for name, lines in line.items()}
    apart = charge[at["test"]] - charge[at["train"]].mean()
    assert made.baseline["rmse"] == pytest.approx(np.sqrt(np.mean(apart**2)))
    assert made.model.card.trivial == pytest.approx([charge[at["train"]].mean()])


def test_what_could_not_be_used_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no column 'lat'"):
        trained(tmp_path, "run", target="lat")
    assert not (tmp_path / "run").exists()


def test_a_failed_training_says_so(tmp_path: Path) -> None:
    with pytest.raises(TrainingError):
        trained(tmp_path, "run", optimizer="sgd", lr=1e12, dropout=0.0)
    found = Run(tmp_path / "run").summary()
    assert found.state == "failed"
    assert "no longer finite" in found.stopped
    assert not (tmp_path / "run" / "model").exists()


def test_a_watcher_is_told(tmp_path: Path) -> None:
    class Noting(Watcher):
        def __init__(self) -> None:
            self.told: list[object] = []

        def step(self, epoch: int, step: int) -> None:
            self.told.append((epoch, step))

    watcher = Noting()
    settings = Settings(data="courier", epochs=2, output=str(tmp_path / "run"))
    train_table(settings, watcher)
    assert watcher.told == [(epoch, step) for epoch in (1, 2) for step in range(1, 6)]


def test_interrupted_before_anything_was_learned(tmp_path: Path) -> None:
    class Impatient(Watcher):
        def ready(self, *_: object) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_table(Settings(data="courier", output=str(tmp_path / "run")), Impatient())
    assert Run(tmp_path / "run").summary().state == "interrupted"
    assert not (tmp_path / "run" / "model").exists()


def test_interrupted_training_is_saved(tmp_path: Path) -> None:
    class Pressing(Watcher):
        def step(self, epoch: int, step: int) -> None:
            if (epoch, step) == (2, 3):
                signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        settings = Settings(data="courier", epochs=9, output=str(tmp_path / "run"))
        made = train_table(settings, Pressing())
    finally:
        signal.signal(signal.SIGINT, before)
    assert made.history.interrupted
    assert made.run.summary().state == "interrupted"
    assert [result.steps for result in made.run.epochs()] == [5, 8]
    assert len(load(tmp_path / "run").predict("courier").values) == 200


def test_digits(tmp_path: Path) -> None:
    made = train_table(Settings(data="digits", output=str(tmp_path / "run")))
    assert made.scores["accuracy"] >= 0.965
    assert made.baseline["accuracy"] == pytest.approx(0.1)


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"needs the real tables in {SHARED}")
def test_titanic(tmp_path: Path) -> None:
    data = str(SHARED / "titanic.csv")
    made = train_table(Settings(data=data, target="Survived", output=str(tmp_path / "run")))
    assert made.scores["accuracy"] >= 0.76
