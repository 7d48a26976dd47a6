"""Sources by the command line: standard input, queries, patterns, and how they are to be read."""

from __future__ import annotations

import io
import json
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.cli.conftest import Call

ROWS = [(1000 + 37 * i, 100 * i) for i in range(40)]
AMBIGUOUS = "weight;charge\n" + "".join(f"{w // 1000},{w % 1000:03};{c}\n" for w, c in ROWS)


def piped(monkeypatch: pytest.MonkeyPatch, raw: bytes) -> None:
    stream = SimpleNamespace(buffer=io.BytesIO(raw), isatty=lambda: False)
    monkeypatch.setattr("sys.stdin", stream)


def test_standard_input(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    piped(monkeypatch, b"a;b\n1;x\n2;y\n")
    said = call("inspect", "-", "--json")
    assert said.code == 0
    assert json.loads(said.out)["rows"] == 2
    piped(monkeypatch, b"")
    said = call("inspect", "-")
    assert (said.code, said.err) == (3, "error: standard input is empty\n")
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    assert "standard input is a terminal" in call("inspect", "-").err


def test_what_cannot_be_told_is_asked_for_and_then_said(call: Call, folder: Path) -> None:
    Path("t.csv").write_text(AMBIGUOUS)
    said = call("train", "t.csv", "--target", "charge", "--epochs", 1)
    assert said.code == 3
    assert "cannot be told" in said.err
    assert "--decimal" in said.err
    flags = ["--decimal", ",", "--delimiter", "semicolon", "--header", "--encoding", "utf-8"]
    said = call("train", "t.csv", "--target", "charge", "--epochs", 1, *flags, "--output", "run")
    assert said.code == 0, said.err
    assert "numbers of column 1 are rewritten: 1,000 is 1.000" in said.out
    kept = tomllib.loads(Path("run/settings.toml").read_text())
    assert (kept["decimal"], kept["delimiter"], kept["header"]) == (",", "semicolon", True)
    assert call("predict", "run", "t.csv", "--decimal", ",").code == 0
    assert call("evaluate", "run", "t.csv", "--decimal", ",").code == 0
    said = call("train", "--config", "run/settings.toml", "--output", "again")
    assert said.code == 0, said.err


def test_a_header_and_none(call: Call) -> None:
    Path("t.csv").write_text("5,2\n3,4\n")
    facts = [
        json.loads(call("inspect", "t.csv", "--json", *flag).out) for flag in ([], ["--header"])
    ]
    assert [found["rows"] for found in facts] == [2, 1]
    assert call("inspect", "t.csv", "--delimiter", "ab").code == 2
    assert call("inspect", "t.csv", "--decimal", "x").code == 2


@pytest.mark.parametrize("source", ["houses-*.csv", "select * from 'houses-*.csv'"])
def test_patterns_and_queries_train(call: Call, source: str) -> None:
    for part in (0, 1):
        rows = "".join(f"{weight},{charge}\n" for weight, charge in ROWS[part::2])
        Path(f"houses-{part}.csv").write_text(f"weight,charge\n{rows}")
    said = call("train", source, "--target", "charge", "--epochs", 1)
    assert said.code == 0, said.err
    name = "query" if source.startswith("select") else "houses"
    runs = [path.name for path in Path("runs").iterdir()]
    assert len(runs) == 1
    assert runs[0].startswith(name)


def test_a_folder_of_texts_is_inspected(call: Call) -> None:
    for name in ("ham/1", "ham/2", "spam/1"):
        path = Path(f"mails/{name}.txt")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"this is mail {name}")
    said = call("inspect", "mails", "--json")
    assert said.code == 0, said.err
    assert json.loads(said.out)["rows"] == 3


def test_a_long_query_that_is_wrong(call: Call) -> None:
    said = call("inspect", "select " + "x, " * 2000)
    assert said.code == 3
    assert "Traceback" not in said.err


def test_images_without_classes_are_predicted(call: Call) -> None:
    image = pytest.importorskip("PIL.Image")
    for row in range(40):
        path = Path(f"shades/{'dark' if row % 2 else 'light'}/{row}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        image.new("L", (8, 8), 2 * row + 150 * (row % 2 == 0)).save(path)
    flags = ["--epochs", 2, "--output", "run", "-q"]  # a folder by class has one target: the class
    assert call("train", "shades", *flags).code == 0
    Path("new").mkdir()
    for shade in (20, 200):
        image.new("L", (16, 8), shade).save(f"new/{shade}.png")
    said = call("predict", "run", "new")
    assert said.code == 0, said.err
    header, first, _ = said.out.splitlines()
    assert header == "image,predicted label,probability of dark,probability of light"
    assert first.rpartition("new/")[2].startswith("20.png,")
    assert "images of 1 size are scaled to 8 x 8" in said.err
    alone = call("predict", "run", "new/20.png")
    assert alone.out.splitlines()[1].partition(",")[2] == first.partition(",")[2]
    Path("new/20.png").write_bytes(b"no image")
    said = call("predict", "run", "new/20.png")
    assert said.code == 3
    assert "Traceback" not in said.err


def test_what_new_rows_hold_is_said_by_line(call: Call, ships: Path) -> None:
    rows = ["port,load,crew", "Genua,1,2", "port,load,crew", "Oslo,3,1", "Rome,1,1"]
    Path("rows.csv").write_text("\n".join(rows) + "\n")
    said = call("predict", ships, "rows.csv")
    assert said.code == 0
    assert len(said.out.splitlines()) == 4
    assert said.err.splitlines() == [
        "1 line left out: the header again (line 3)",
        "port: 'Oslo', 'Rome' not seen in training (lines 4, 5)",
        "3 predictions",
    ]


def test_a_delimiter_that_only_training_tells_is_said(call: Call) -> None:
    Path("t.csv").write_text(
        "a;b;y\n" + "".join(f"{i},5;x{i % 3};{i * 7 % 5}\n" for i in range(40))
    )
    assert call("train", "t.csv", "--target", "y", "--epochs", 1, "--output", "run").code == 0
    Path("new.csv").write_text("a;b;c|d\nx;x0;1|2\n")
    said = call("predict", "run", "new.csv")
    assert said.code == 0, said.err
    assert "the delimiter is ';', as in training" in said.err
