"""Hugging Face's datasets: their own client against a stand-in of the hub, and their objects."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import duckdb
import numpy as np
import pytest

from chainrule.data import ArrayColumn, read_table
from chainrule.errors import DataError

_spec = spec_from_file_location("stand_in_of_the_hub", Path(__file__).with_name("hub.py"))
assert _spec is not None
assert _spec.loader is not None
hub = module_from_spec(_spec)
_spec.loader.exec_module(hub)

NAME = "gvlassis/california_housing"
READ = """
import json
from chainrule.data import prepare, read_table
from chainrule.errors import DataError
table = read_table("hf://gvlassis/california_housing")
first = {name: column.numbers[0] for name, column in table.columns.items()}
prepared = prepare(table, "MedHouseVal")
sizes = [len(part) for part in (prepared.train, prepared.validation, prepared.test)]
try:
    read_table("hf://gvlassis/no_such")
except DataError as error:
    print(json.dumps([first, sizes, error.exit_code, error.one_line()]))
"""


def parquet(file: Path, start: int, rows: int, folder: Path) -> bytes:
    made = folder / "part.parquet"
    duckdb.sql(f"from '{file}' limit {rows} offset {start}").write_parquet(str(made))
    return made.read_bytes()


def test_a_dataset_of_the_hub_with_its_own_split(shared_tables: Path, tmp_path: Path) -> None:
    pytest.importorskip("datasets")
    file = shared_tables / "california_housing/california_housing.csv"
    shares = {"train": (0, 16640), "validation": (16640, 2000), "test": (18640, 2000)}
    files = {
        f"data/{part}-00000-of-00001.parquet": parquet(file, *share, tmp_path)
        for part, share in shares.items()
    }
    with hub.serving(NAME, files) as address:
        places = {"HF_ENDPOINT": address, "HF_HOME": str(tmp_path / "home")}
        command = [sys.executable, "-c", READ]
        told = subprocess.run(
            command, env={**os.environ, **places}, capture_output=True, text=True, check=True
        )
    first, sizes, code, words = json.loads(told.stdout)
    assert list(first) == [
        "MedInc",
        "HouseAge",
        "AveRooms",
        "AveBedrms",
        "Population",
        "AveOccup",
        "Latitude",
        "Longitude",
        "MedHouseVal",
    ]
    assert (first["MedInc"], first["HouseAge"], first["MedHouseVal"]) == (8.3252, 41.0, 4.526)
    assert sizes == [16640, 2000, 2000]
    assert code == 3
    assert "hf://gvlassis/no_such cannot be read as a dataset" in words


def test_datasets_in_memory_keep_their_split_and_the_names_of_classes() -> None:
    datasets = pytest.importorskip("datasets")
    kinds = datasets.Features(
        {"x": datasets.Value("float32"), "y": datasets.ClassLabel(names=["cat", "dog"])}
    )
    made = datasets.Dataset.from_dict({"x": [1.5, None, 3.0], "y": [1, 0, None]}, kinds)
    table = read_table(made)
    np.testing.assert_array_equal(table.column("x").numbers, [1.5, np.nan, 3])
    assert table.column("y").cells.tolist() == ["dog", "cat", None]
    parts = {"valid": made.select([0]), "train": made.select([2, 1]), "unsupervised": made}
    table = read_table(datasets.DatasetDict(parts))
    assert table.column("x").numbers.tolist() == [3.0, pytest.approx(np.nan, nan_ok=True)]
    assert {part: len(given) for part, given in table.given.items()} == {"validation": 1}
    assert "1 part left out: unsupervised" in map(str, table.notes)
    with pytest.raises(DataError, match="no split"):
        read_table(datasets.DatasetDict({"left": made, "right": made}))


def test_images_of_a_dataset_are_decoded() -> None:
    datasets = pytest.importorskip("datasets")
    pytest.importorskip("PIL")
    pictures = [np.full((4, 6), shade, np.uint8) for shade in (0, 200)]
    made = datasets.Dataset.from_dict(
        {"label": ["a", "b"], "image": pictures},
        datasets.Features({"label": datasets.Value("string"), "image": datasets.Image()}),
    )
    column = read_table(made).column("image")
    assert isinstance(column, ArrayColumn)
    np.testing.assert_array_equal(column.array[..., 0], pictures)
