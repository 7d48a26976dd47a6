"""The search: what is tried, that it goes on, that others share it, and the run of the best."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("optuna")

from chainrule.errors import SettingError
from chainrule.train import Settings
from chainrule.tune import SPACE, Choice, Range, space_of, tune

SMALL = {"layers": Choice(("4", "8,8")), "lr": Range(0.001, 0.1, log=True)}


def settings(folder: Path) -> Settings:
    return Settings(
        data="courier", epochs=4, seed=1, backend="interpret", output=str(folder / "run")
    )


def test_the_best_is_trained_and_the_search_goes_on(tmp_path: Path) -> None:
    told: list[tuple[int, float | None, dict[str, Any]]] = []

    def tell(*trial: Any) -> None:
        told.append(trial)

    first = tune(settings(tmp_path), 3, tmp_path / "study", space=SMALL, told=tell)
    assert [number for number, *_ in told] == [1, 2, 3]
    best = min((loss, values["lr"]) for _, loss, values in told if loss is not None)
    assert first.settings.lr == best[1]
    assert first.history.best.validation_loss == pytest.approx(best[0])
    again = settings(tmp_path).model_copy(update={"output": str(tmp_path / "again")})
    tune(again, 4, tmp_path / "study", space=SMALL, told=tell)
    assert [number for number, *_ in told] == [1, 2, 3, 4]
    with pytest.raises(SettingError, match="other settings"):
        tune(settings(tmp_path), 4, tmp_path / "study", space=SPACE)


def test_two_processes_share_the_trials(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    told: list[int] = []
    trained = tune(
        settings(tmp_path),
        5,
        tmp_path / "study",
        space=SMALL,
        jobs=2,
        told=lambda number, *_: told.append(number),
    )
    assert trained.run.summary().state == "done"
    assert sorted(told) == [1, 2, 3, 4, 5]
    assert "Trial" not in capfd.readouterr().err  # optuna's own words


def test_a_search_that_goes_on_is_the_unbroken_one(tmp_path: Path) -> None:
    def tried(name: str, *trials: int) -> list[Any]:
        found: list[Any] = []
        for count in trials:
            here = Settings(
                data="courier",
                epochs=1,
                backend="interpret",
                output=str(tmp_path / f"{name}{count}"),
            )
            tune(
                here.model_copy(),
                count,
                tmp_path / name,
                space=SMALL,
                told=lambda *t: found.append(t),
            )
        return found

    broken = tried("broken", 2, 4)
    assert len({values["lr"] for _, _, values in broken}) == 4
    assert broken == tried("whole", 4)


@pytest.mark.parametrize(
    ("name", "text", "wrong"),
    [
        ("lrr", "0.1..1", "did you mean 'lr'"),
        ("lr", "1..0.1", "no range"),
        ("lr", "0..0.1", "no range"),
        ("dropout", "a..b", "no range"),
        ("data", "x", "cannot be searched"),
    ],
)
def test_a_space_that_is_none(name: str, text: str, wrong: str) -> None:
    with pytest.raises(SettingError, match=wrong):
        space_of({name: text})
