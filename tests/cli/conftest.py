"""What the tests of the command line share: a way to call it, an empty folder, a trained run."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from chainrule.cli.main import run
from chainrule.train import Settings, train_table


@dataclass(frozen=True)
class Said:
    """What a command left: its exit code, its results and its messages."""

    code: int
    out: str
    err: str


Call = Callable[..., Said]

COURIER_ROWS = "kilograms,charge\n0.5,100\n1.5,200\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, without settings in the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CHAINRULE_DEBUG", raising=False)
    return tmp_path


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Runs a command in this process, as `main` does."""

    def called(*arguments: object) -> Said:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Said(code, captured.out, captured.err)

    return called


def _trained(folder: Path, **settings: object) -> Path:
    path = folder / "run"
    train_table(Settings.model_validate({**settings, "output": str(path)}))
    return path


@pytest.fixture(scope="session")
def courier_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _trained(tmp_path_factory.mktemp("courier"), data="courier", epochs=2)


@pytest.fixture(scope="session")
def ships_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ships")
    ports = ["Bremen", "Genua", "Tallinn"]
    rows = [
        f"{ports[i % 3]},{'' if i % 7 == 0 else i % 11},{i % 5},{'yn'[i % 2]}" for i in range(90)
    ]
    (folder / "ships.csv").write_text("port,load,crew,late\n" + "\n".join(rows) + "\n")
    return _trained(folder, data=str(folder / "ships.csv"), target="late", epochs=2)


@pytest.fixture
def courier(courier_once: Path, folder: Path) -> Path:
    """A run on the courier's charges (a number from a number), to damage at will."""
    return Path(shutil.copytree(courier_once, folder / "courier-run"))


@pytest.fixture
def ships(ships_once: Path, folder: Path) -> Path:
    """A run with a category, numbers with gaps and two classes."""
    return Path(shutil.copytree(ships_once, folder / "ships-run"))


def inside(folder: Path) -> set[str]:
    """Every file and folder in it, hidden ones too."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}
