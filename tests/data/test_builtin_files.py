"""The built-in tables are whole: read by the csv module alone, so no code of ours hides a fault."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from pathlib import Path

BUILTIN = Path(__file__).parents[2] / "src/chainrule/data/builtin"
# Smallest and largest value of each column, as the sources have them.
DIABETES = {
    "age": (19, 79),
    "sex": (1, 2),
    "bmi": (18, 42.2),
    "bp": (62, 133),
    "s1": (97, 301),
    "s2": (41.6, 242.4),
    "s3": (22, 99),
    "s4": (2, 9.09),
    "s5": (3.2581, 6.107),
    "s6": (58, 124),
    "progression": (25, 346),
}


def test_digits() -> None:
    with gzip.open(BUILTIN / "digits.csv.gz", "rt", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == [f"p{i:02d}" for i in range(64)] + ["digit"]
    assert len(rows) == 1797
    assert {len(row) for row in rows} == {65}
    assert {int(cell) for row in rows for cell in row[:-1]} == set(range(17))
    counts = Counter(row[-1] for row in rows)
    assert [counts[str(digit)] for digit in range(10)] == [
        178, 182, 177, 183, 181, 182, 181, 179, 174, 180,
    ]  # fmt: skip


def test_digits_file_is_reproducible() -> None:
    # Bytes 4 to 7 of a gzip file are its time stamp: zero, so the same table gives the same file.
    assert (BUILTIN / "digits.csv.gz").read_bytes()[4:8] == bytes(4)


def test_diabetes() -> None:
    with (BUILTIN / "diabetes.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == list(DIABETES)
    assert len(rows) == 442
    columns = zip(*([float(cell) for cell in row] for row in rows), strict=True)
    assert [(min(column), max(column)) for column in columns] == list(DIABETES.values())


def test_sources_and_licences_are_stated() -> None:
    text = (BUILTIN / "README.md").read_text(encoding="utf-8")
    for word in ["digits.csv.gz", "Creative Commons Attribution 4.0", "diabetes.csv", "BSD"]:
        assert word in text
