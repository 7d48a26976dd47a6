"""Bad input: one clear line, the right exit code, nothing half-written."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file
from tests.cli.conftest import Call, Said, inside

from chainrule.cli.main import run
from chainrule.errors import ArtefactError, DataError
from chainrule.model import load
from chainrule.model.store import digest


def refused(said: Said, code: int) -> str:
    """The one line that a refusal consists of."""
    assert said.code == code
    assert said.out == ""
    lines = said.err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    assert "Traceback" not in said.err
    return lines[0].removeprefix("error: ")


# -- tables


def table(columns: str, rows: list[str]) -> str:
    return "\n".join([columns, *rows]) + "\n"


GOOD = table("x,y", [f"{i},{i * 3 % 7 + i / 10}" for i in range(40)])

BAD_TABLES: list[tuple[str, str | bytes | None, str, str]] = [
    ("no such file", None, "y", "there is no file t.csv"),
    ("empty", "", "y", "t.csv is empty"),
    ("blank lines", "\n\n\n", "y", "t.csv is empty"),
    ("header only", "x,y\n", "y", "t.csv has a header but no rows"),
    ("no such column", GOOD, "yy", "t.csv has no column 'yy'"),
    ("no such position", GOOD, "7", "positions run from 1 to 2"),
    ("one value", table("x,y", [f"{i},5" for i in range(40)]), "y", "only the value '5"),
    ("no value", table("x,y", [f"{i}," for i in range(40)]), "y", "no value"),
    ("too few rows", table("x,y", [f"{i},{i * i}" for i in range(9)]), "y", "at least 20 rows"),
    ("only the target", table("y", [str(i) for i in range(40)]), "y", "no column to learn from"),
    (
        "inputs all missing",
        table("a,b,y", [f",,{i % 9 + i / 7}" for i in range(40)]),
        "y",
        "no column to learn from",
    ),
    (
        "thousands of classes",
        table("x,name", [f"{i},person{i // 2}" for i in range(5000)]),
        "name",
        "2,500 different values",
    ),
    (
        "infinite target",
        table("x,y", [f"{i},{'inf' if i == 7 else i * 1.5}" for i in range(40)]),
        "y",
        "infin",
    ),
    (
        "infinite input",
        table("x,y", [f"{'-inf' if i == 7 else i},{i * 1.5}" for i in range(40)]),
        "y",
        "--missing x=-inf",
    ),
    ("two columns alike", GOOD.replace("x,y", "y,y"), "y", "two columns called 'y'"),
    ("binary", bytes(range(256)) * 8, "y", "t.csv"),
    ("not gzip", b"\x1f\x8b\x08\x00garbage", "y", "t.csv"),
]


@pytest.mark.parametrize(
    ("content", "target", "expected"),
    [case[1:] for case in BAD_TABLES],
    ids=[case[0] for case in BAD_TABLES],
)
def test_unusable_tables(
    call: Call, folder: Path, content: str | bytes | None, target: str, expected: str
) -> None:
    if content is not None:
        data = content if isinstance(content, bytes) else content.encode()
        (folder / "t.csv").write_bytes(data)
    before = inside(folder)
    assert expected in refused(call("train", "t.csv", "--target", target), 3)
    assert inside(folder) == before


def test_nearest_column_and_file_are_named(call: Call, folder: Path) -> None:
    (folder / "houses.csv").write_text(GOOD.replace("x,y", "area,price"))
    assert "did you mean 'price'?" in refused(call("train", "houses.csv", "--target", "prise"), 3)
    assert "did you mean houses.csv?" in refused(call("train", "house.csv", "--target", "price"), 3)
    assert "did you mean digits?" in refused(call("train", "digit"), 3)


def test_bad_test_rows_leave_nothing(call: Call, folder: Path) -> None:
    (folder / "t.csv").write_text(GOOD)
    (folder / "test.csv").write_text("x\n1\n2\n")
    before = inside(folder)
    line = refused(call("train", "t.csv", "--target", "y", "--test", "test.csv"), 3)
    assert "test.csv has no target column 'y'" in line
    assert inside(folder) == before


def test_a_file_of_the_wrong_kind_of_compression(call: Call, folder: Path) -> None:
    (folder / "t.csv.gz").write_bytes(gzip.compress(GOOD.encode())[:40])
    refused(call("train", "t.csv.gz", "--target", "y"), 3)


# -- rows to predict


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "there is no file rows.csv"),
        ("", "rows.csv is empty"),
        ("port,load,crew\n", "rows.csv has a header but no rows"),
        ("port,laod,crew\nGenua,1,2\n", "is 'laod' the column 'load'?"),
        ("port\nGenua\n", "lacks 2 columns that the model needs"),
        ("Genua,1\nBremen,2\n", "expected 4 columns, or 3 without the target"),
    ],
)
def test_unusable_rows(
    call: Call, folder: Path, ships: Path, content: str | None, expected: str
) -> None:
    if content is not None:
        (folder / "rows.csv").write_text(content)
    before = inside(folder)
    assert expected in refused(call("predict", ships, "rows.csv", "-o", "p.csv"), 3)
    assert inside(folder) == before


def test_rows_to_evaluate_need_the_target(call: Call, folder: Path, ships: Path) -> None:
    (folder / "rows.csv").write_text("port,load,crew\nGenua,1,2\n")
    line = refused(call("evaluate", ships, "rows.csv"), 3)
    assert line == "rows.csv has no target column 'late'"


@pytest.mark.parametrize("output", ["nowhere/p.csv", "file/p.csv", "."])
def test_unwritable_predictions(call: Call, folder: Path, courier: Path, output: str) -> None:
    (folder / "file").write_text("in the way")
    before = inside(folder)
    line = refused(call("predict", courier, "courier", "-o", output), 3)
    assert f"{output} cannot be written" in line
    assert inside(folder) == before


def test_unwritable_run(call: Call, folder: Path) -> None:
    (folder / "file").write_text("in the way")
    line = refused(call("train", "courier", "-q", "--epochs", "1", "--output", "file/run"), 3)
    assert "file/run cannot be written" in line
    assert inside(folder) == {"file"}


# -- flags and settings


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["trian"], "did you mean 'train'?"),
        (["train"], "which table?"),
        (["train", "digits", "--epoch", "3"], "--epochs"),
        (["train", "digits", "--epochs", "x"], "'x' is not a valid integer"),
        (["train", "digits", "--optimizer", "sdg"], "'sdg' is not one of"),
        (["train", "digits", "--type", "p00"], "COLUMN=TYPE"),
        (["train", "digits", "--epochs", "0"], "--epochs cannot be 0 (expected greater than or"),
        (["train", "digits", "--lr", "nan"], "--lr cannot be 'nan'"),
        (["train", "digits", "--lr", "inf"], "--lr cannot be 'inf'"),
        (["train", "digits", "--layers", "64,a"], "--layers cannot be 'a' (expected a valid int"),
        (["train", "digits", "--layers", "0"], "--layers cannot be '0' (expected greater than"),
        (["train", "digits", "--seed", "-1"], "--seed cannot be -1"),
        (["train", "digits", "--seed", str(2**63)], f"--seed cannot be {2**63}"),
        (["train", "digits", "--dropout", "1"], "--dropout cannot be 1.0 (expected less than 1)"),
        (["train", "digits", "--config", "no.toml"], "there is no settings file no.toml"),
        (["train", "digits", "--config", "."], ". cannot be read"),
        (["train", "digits", "--config", "bad.toml"], "bad.toml is not a TOML file"),
        (["train", "digits", "--config", "odd.toml"], "there is no setting epoch in odd.toml; did"),
        (["train", "t.csv"], "which column is to be predicted? (expected one of x, y)"),
        (["train", "t.csv", "--target", "y", "--drop", "y"], "is the target, so it cannot be"),
        (["train", "digits", "--output", "taken"], "taken exists already"),
        (["predict", "model"], "Missing argument 'DATA'"),
        (["runs", "lits"], "lits"),
        (["demo", "--seed", "-1"], "-1 is not in the range"),
    ],
)
def test_wrong_usage(call: Call, folder: Path, arguments: list[str], expected: str) -> None:
    (folder / "t.csv").write_text(GOOD)
    (folder / "bad.toml").write_text("epochs = ")
    (folder / "odd.toml").write_text("epoch = 3")
    (folder / "taken").mkdir()
    (folder / "taken" / "file").write_text("kept")
    before = inside(folder)
    said = call(*arguments)
    assert said.code == 2
    assert expected in said.err
    assert said.out == ""
    assert inside(folder) == before


def test_unknown_variable(call: Call, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("CHAINRULE_EPOCH", "3")
    line = refused(call("train", "courier"), 2)
    assert line == "there is no setting CHAINRULE_EPOCH; did you mean 'epochs'?"
    assert not inside(folder)


def test_wrong_value_names_where_it_was_set(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINRULE_EPOCHS", "many")
    line = refused(call("train", "courier"), 2)
    assert line == "CHAINRULE_EPOCHS cannot be 'many' (expected a valid integer)"


# -- training


def test_divergence(call: Call, folder: Path) -> None:
    said = call("train", "courier", "--lr", "1e6", "--optimizer", "sgd", "--output", "run", "-q")
    line = refused(said, 4)
    assert "no longer finite at step" in line
    assert "a smaller learning rate" in line
    assert json.loads((folder / "run" / "run.json").read_text())["state"] == "failed"
    assert not (folder / "run" / "model").exists()
    shown = call("runs", "show", "run")
    assert shown.code == 0
    assert "no longer finite" in shown.out
    assert "has no model" in refused(call("predict", "run", "courier"), 5)


# -- models and runs


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def change(part: str, other: str) -> Callable[[Path], None]:
    def changed(path: Path) -> None:
        found = path.read_text()
        assert part in found
        path.write_text(found.replace(part, other, 1))

    return changed


def no_bytes(path: Path) -> None:
    path.write_bytes(b"")


def text(content: str) -> Callable[[Path], None]:
    def replaced(path: Path) -> None:
        path.write_text(content, encoding="latin-1")

    return replaced


def without_first_weights(path: Path) -> None:
    weights = load_file(path)
    weights.pop("layers.0.weight")
    save_file(weights, path)


def other_numbers(path: Path) -> None:
    save_file({name: np.zeros_like(array) for name, array in load_file(path).items()}, path)


BROKEN_MODELS: list[tuple[str, Callable[[Path], None], str]] = [
    ("model.json", cut, "is not valid"),
    ("model.json", no_bytes, "is not valid"),
    ("model.json", text("\xff\xfe\x00"), "is not valid"),
    ("model.json", text("{}"), "schema_version"),
    ("model.json", text("[1]"), "is not valid"),
    ("model.json", change('"schema_version": 3', '"schema_version": 99'), "schema_version"),
    ("model.json", change('"task"', '"tusk"'), "task: Field required"),
    ("model.json", change('"op": "relu"', '"op": "silu"'), "model.json is damaged"),
    ("model.json", change('"std": ', '"std": 1'), "model.json is damaged"),
    ("model.json", Path.unlink, "there is no model"),
    ("model.safetensors", cut, "model.safetensors is damaged"),
    ("model.safetensors", no_bytes, "model.safetensors is damaged"),
    ("model.safetensors", without_first_weights, "model.safetensors is damaged"),
    ("model.safetensors", other_numbers, "model.safetensors is damaged"),
    ("model.safetensors", Path.unlink, "cannot be read"),
]


@pytest.mark.parametrize(("name", "damage", "expected"), BROKEN_MODELS)
def test_broken_models(
    call: Call, courier: Path, name: str, damage: Callable[[Path], None], expected: str
) -> None:
    (courier / "run.json").unlink()  # a model alone
    damage(courier / "model" / name)
    for command in (["predict", courier, "courier"], ["evaluate", courier, "courier"]):
        assert expected in refused(call(*command), 5)
    assert expected in refused(call("inspect", courier), 5)


@pytest.mark.parametrize("thing", ["nothing", "empty", "file.csv", "courier"])
def test_not_a_model(call: Call, folder: Path, thing: str) -> None:
    (folder / "empty").mkdir()
    (folder / "file.csv").write_text(GOOD)
    line = refused(call("predict", thing, "courier"), 5)
    assert line.startswith(f"there is no model at {thing}")


@pytest.mark.parametrize(
    "damage", [cut, no_bytes, change('"rows"', '"raws"'), change('"done"', '"undone"')]
)
def test_broken_runs(call: Call, courier: Path, damage: Callable[[Path], None]) -> None:
    damage(courier / "run.json")
    assert "run.json is not valid" in refused(call("runs", "show", courier), 5)
    assert "run.json is not valid" in refused(call("inspect", courier), 5)
    listed = call("runs", "list", ".")
    assert listed.code == 0
    assert listed.out.splitlines()[-1].split() == ["courier-run", "unreadable"]


def test_not_a_run(call: Call) -> None:
    assert "nowhere is not the folder of a run" in refused(call("runs", "show", "nowhere"), 5)


def test_a_run_cut_off_while_writing_its_events(call: Call, courier: Path) -> None:
    events = courier / "events.jsonl"
    events.write_text(events.read_text() + '{"event": "epoch", "epo')
    said = call("runs", "show", courier, "--json")
    assert len(json.loads(said.out)["course"]) == 2


# -- any bytes at all

FUZZ = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@FUZZ
@given(place=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255), weights=st.booleans())
def test_a_changed_byte_is_noticed_or_harmless(
    courier_once: Path,
    tmp_path_factory: pytest.TempPathFactory,
    place: float,
    byte: int,
    weights: bool,
) -> None:
    source = courier_once / "model"
    folder = tmp_path_factory.mktemp("mutated")
    for file in source.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    path = folder / ("model.safetensors" if weights else "model.json")
    raw = bytearray(path.read_bytes())
    raw[int(place * len(raw))] = byte
    path.write_bytes(raw)
    try:
        mutated = load(folder)
    except ArtefactError:
        return
    right = load(source)
    assert mutated.preparation == right.preparation
    assert mutated.program.to_json() == right.program.to_json()
    for name, array in right.weights().items():
        np.testing.assert_array_equal(mutated.weights()[name], array)


def values_of(packed: object) -> list[tuple[list[object], object]]:
    """Every value in nested JSON, with the way to it."""
    found: list[tuple[list[object], object]] = [([], packed)]
    items = (
        packed.items()
        if isinstance(packed, dict)
        else enumerate(packed)
        if isinstance(packed, list)
        else []
    )
    for key, item in items:
        found += [([key, *way], value) for way, value in values_of(item)]
    return found


@FUZZ
@given(data=st.data())
def test_a_made_up_model_is_refused_or_predicts(
    ships_once: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """One value of model.json replaced, and the digest right: a file made by hand."""
    manifest = json.loads((ships_once / "model" / "model.json").read_text())
    ways = [way for way, _ in values_of(manifest) if way and way[0] in ("preparation", "program")]
    way = data.draw(st.sampled_from(ways))
    inner = manifest
    for key in way[:-1]:
        inner = inner[key]
    other = st.one_of(
        st.none(),
        st.integers(-3, 9),
        st.just(1_000_003),
        st.text(max_size=3),
        st.just([]),
        st.just({}),
    )
    inner[way[-1]] = data.draw(other)
    manifest["model_sha256"] = digest(manifest["preparation"], manifest["program"])
    folder = tmp_path_factory.mktemp("made-up")
    (folder / "model.json").write_text(json.dumps(manifest))
    weights = (ships_once / "model" / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(weights)
    with suppress(ArtefactError, DataError):
        load(folder).predict({"port": ["Genua", "Oslo"], "load": [1, None], "crew": [2, 3]})


@FUZZ
@given(
    raw=st.one_of(
        st.binary(max_size=200), st.text(st.sampled_from('ab,;"\n\r\t 01.-?'), max_size=300)
    )
)
def test_any_bytes_as_a_table(raw: bytes | str, folder: Path) -> None:
    (folder / "t.csv").write_bytes(raw if isinstance(raw, bytes) else raw.encode())
    arguments = ["train", "t.csv", "--target", "-1", "--epochs", "1", "-q", "--output"]
    output = f"run{len(list(folder.iterdir()))}"
    assert run([*arguments, output]) in (0, 3)


@settings(FUZZ, max_examples=25)
@given(
    head=st.sampled_from(["", "port,load,crew\n", "port;load;crew\n", "\ufeffport,load\n"]),
    raw=st.one_of(
        st.binary(max_size=100), st.text(st.sampled_from('ab,;|"\n\r\t 01.-?'), max_size=100)
    ),
)
def test_any_bytes_as_rows_and_to_inspect(
    head: str, raw: bytes | str, folder: Path, ships_once: Path
) -> None:
    (folder / "t.csv").write_bytes(
        head.encode() + (raw if isinstance(raw, bytes) else raw.encode())
    )
    assert run(["predict", str(ships_once), "t.csv", "-q", "-o", "p.csv"]) in (0, 3)
    assert run(["inspect", "t.csv"]) in (0, 3)


# -- through a process of its own


def test_exit_codes_of_the_program(folder: Path, courier: Path) -> None:
    cut(courier / "model" / "model.json")
    cases = {
        0: ["runs", "list"],
        2: ["train", "courier", "--epochs", "0"],
        3: ["train", "nothing.csv", "--target", "y"],
        5: ["predict", str(courier), "courier"],
    }
    for code, arguments in cases.items():
        done = subprocess.run(
            [sys.executable, "-m", "chainrule", *arguments], capture_output=True, text=True
        )
        assert done.returncode == code
        assert "Traceback" not in done.stderr
        assert len(done.stderr.splitlines()) == (code != 0)


def test_debug_shows_where_wherever_it_stands(folder: Path) -> None:
    for arguments in (["--debug", "train", "no.csv"], ["train", "no.csv", "--debug"]):
        done = subprocess.run(
            [sys.executable, "-m", "chainrule", *arguments], capture_output=True, text=True
        )
        assert done.returncode == 3
        assert done.stderr.startswith("Traceback")
        assert done.stderr.splitlines()[-1].startswith("error: there is no file no.csv")


def test_interrupted_training_keeps_the_best(folder: Path) -> None:
    program = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from chainrule.cli.main import main; main()"
    )
    arguments = [
        "train",
        "spirals",
        "--epochs",
        "100000",
        "--patience",
        "100000",
        "--output",
        "run",
    ]
    running = subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "CHAINRULE_SEED": "1"},
    )
    events = folder / "run" / "events.jsonl"
    while running.poll() is None and not (events.exists() and events.stat().st_size):
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate()
    assert running.returncode == 130
    assert "interrupted: the weights of epoch" in err
    assert "are in run" in err
    assert "On 90 test rows" in out
    assert json.loads((folder / "run" / "run.json").read_text())["state"] == "interrupted"
    assert len(load(folder / "run").predict("spirals").values) == 600
