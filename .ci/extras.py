"""Each extra of the wheel alone, in an environment of its own beside the base.

    python .ci/extras.py WHEEL BASE    # BASE: the python of an environment with the wheel alone

In the base each use below ends with the error that names its command; with the extra it does not,
and what the extra brings is imported.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import subprocess
import sys
import tempfile
import tomllib
import venv
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
NOT_FOR_USERS = {"test", "peers", "docs"}


@dataclass(frozen=True)
class Use:
    """What an extra is for: modules that it brings, and a use, run where `run` is the CLI."""

    modules: str
    code: str


BUILT_IN_ZSTD = sys.version_info >= (3, 14)  # nothing is missing then
ZSTD = "file('t.csv.zst', b'\\x28\\xb5\\x2f\\xfd'); run('inspect t.csv.zst')"
TRAIN = "train courier --epochs 1 --quiet --output"
PICTURE = """
from chainrule.explain.pictures import Axis, Line, Picture
Picture("a", "b", "c", Axis("x"), Axis("y"), [Line("l", [1, 2], [3, 4])]).save("p.png")
"""
USES = {
    "plot": Use("resvg_py", PICTURE),
    "sklearn": Use("sklearn", "import chainrule.estimators"),
    "excel": Use("python_calamine", "file('t.xlsx', b'PK\\x03\\x04'); run('inspect t.xlsx')"),
    "zst": Use("", "" if BUILT_IN_ZSTD else ZSTD),
    "images": Use("PIL.Image", "file('p/a/1.png'); file('p/b/2.png'); run('inspect p')"),
    "audio": Use("soundfile", "file('s/a/1.wav'); file('s/b/2.wav'); run('inspect s')"),
    "hf": Use("datasets", "run('inspect hf://nobody/nothing')"),
    "examples": Use("PIL.Image soundfile tokenizers sacrebleu", ""),
    "onnx": Use("onnx", f"run('{TRAIN} r1'); run('export r1 --format onnx')"),
    "tune": Use("optuna", "run('tune courier --trials 1 --epochs 1 --output r2')"),
    "web": Use(
        "uvicorn chainrule.web.prediction.app chainrule.web.page.app",
        f"run('{TRAIN} r3'); run('serve r3 --host 0.0.0.0')",  # it asks for a token
    ),
    "tensorboard": Use("tensorboard", f"run('{TRAIN} r4 --track tensorboard')"),
    "mlflow": Use("mlflow.tracking", f"run('{TRAIN} r5 --track mlflow')"),
}


def said_by(use: Use) -> str:
    """What a use prints and raises, in this environment."""
    from chainrule.cli.main import run

    def file(path: str, raw: bytes = b"nothing") -> None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(raw)

    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        try:
            exec(use.code, {"run": lambda words: run(words.split()), "file": file})
        except Exception as problem:
            print(problem)
    return said.getvalue()


def try_out(extra: str, there: bool) -> None:
    """Use an extra in this environment, where it is there or is not."""
    use = USES[extra]
    hinted = f"pip install 'chainrule[{extra}]'" in (said := said_by(use))
    if use.code and hinted == there:
        raise SystemExit(f"{extra}, {'installed' if there else 'missing'}: {said}")
    if there:
        for module in use.modules.split():
            importlib.import_module(module)


def alone(extra: str, wheel: Path, base: str, folder: Path) -> str:
    """Install an extra beside the base, and use it there."""
    home = folder / extra
    venv.create(home, with_pip=False)
    python = home / ("Scripts" if os.name == "nt" else "bin") / "python"
    site = "import site; print(site.getsitepackages()[0])"
    packages = [_said([p, "-c", site]).strip() for p in (str(python), base)]
    (Path(packages[0]) / "base.pth").write_text(packages[1])
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
    wanted = f"chainrule[{extra}] @ {wheel.as_uri()}"
    constraints = str(ROOT / "constraints.txt")
    _said([*pip, "install", "-qq", "--no-compile", "-c", constraints, wanted])
    _said([str(python), __file__, "--there", extra], home)
    return f"extra {extra}: works alone"


def _said(command: list[str], folder: Path | None = None) -> str:
    surroundings = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    surroundings["HF_HUB_OFFLINE"] = "1"
    done = subprocess.run(command, cwd=folder, env=surroundings, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout


def main(wheel: Path, base: str) -> None:
    """Every extra that there is; two at a time, for an installation mostly waits."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    listed = set(project["optional-dependencies"]) - NOT_FOR_USERS
    if listed != set(USES):
        raise SystemExit(f"extras without a use, or the other way round: {listed ^ set(USES)}")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        _said([base, __file__, "--missing", *USES], home)
        print("base alone: each extra that is missing names its command", flush=True)
        with ThreadPoolExecutor(2) as pool:
            for line in pool.map(lambda extra: alone(extra, wheel, base, home), USES):
                print(line, flush=True)


if __name__ == "__main__":
    if sys.argv[1] in ("--there", "--missing"):
        for name in sys.argv[2:]:
            try_out(name, sys.argv[1] == "--there")
    else:
        main(Path(sys.argv[1]).resolve(), sys.argv[2])
