"""Kinds of dirt: each spoils some rows of a clean table and says what must be found, and where.

A clean table is a header and rows of texts; row i is on line i + 2 of the file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

ROWS = 60

HEADER = ["customer_id", "age", "fee", "town", "member", "since", "said", "spent"]


@dataclass(frozen=True)
class Dirt:
    """A way to spoil a table: `spoil` changes its rows; `text` is a part of what must be said.

    `lines` are those that must be named, all of them.
    """

    name: str
    spoil: Callable[[list[list[str]]], None]
    text: str
    lines: list[int]


def clean_rows() -> list[list[str]]:
    """Sixty rows of eight columns: an id, numbers, a category, yes or no, dates, a sentence."""
    towns, nouns = (
        ["Oslo", "Rome", "Bath"],
        ["tea", "coffee", "cake", "bread", "jam", "milk", "rice"],
    )
    return [
        [
            f"K{place * 7919 % 10007:05}",
            str(20 + place * 7 % 50),
            f"{place * 13 % 41 + 0.5}",
            towns[place % 3],
            "yes" if place * 5 % 7 < 3 else "no",
            f"2021-{1 + place % 12:02}-{1 + place * 11 % 28:02}",
            f"I had {nouns[place % 7]} and {nouns[place * 3 % 5]} for {place} days",
            f"{place * 17 % 59 * 2}",
        ]
        for place in range(ROWS)
    ]


def written(rows: list[list[str]]) -> str:
    """Rows as a CSV file with its header."""
    return "\n".join(",".join(row) for row in [HEADER, *rows]) + "\n"


def cells(column: str, texts: dict[int, str]) -> Callable[[list[list[str]]], None]:
    """Other texts in a column, by line."""

    def spoil(rows: list[list[str]]) -> None:
        for line, text in texts.items():
            rows[line - 2][HEADER.index(column)] = text

    return spoil


def lines(whole: dict[int, list[str]]) -> Callable[[list[list[str]]], None]:
    """Other rows, by line."""

    def spoil(rows: list[list[str]]) -> None:
        for line, row in whole.items():
            rows[line - 2] = row

    return spoil


def again(line: int, earlier: int, **changed: str) -> Callable[[list[list[str]]], None]:
    """An earlier row once more, some of its cells changed."""

    def spoil(rows: list[list[str]]) -> None:
        rows[line - 2] = list(rows[earlier - 2])
        cells_by_name = {name: {line: text} for name, text in changed.items()}
        for name, texts in cells_by_name.items():
            cells(name, texts)(rows)

    return spoil


DIRTS = [
    Dirt("a bad number", cells("age", {10: "forty"}), "age: 'forty' is no number", [10]),
    Dirt("a bad date", cells("since", {11: "2021-02-30"}), "since: '2021-02-30' is no date", [11]),
    Dirt("a stand-in", cells("fee", {12: "999", 20: "999", 33: "999"}), "--missing fee=999",
         [12, 20, 33]),
    Dirt("an impossible value", cells("age", {13: "-4"}), "age: -4 cannot be", [13]),
    Dirt("a far value", cells("spent", {14: "90000"}), "spent: 90000 far from all others", [14]),
    Dirt("a short row", lines({15: ["K1", "2"]}), "2 cells where 8 are expected", [15]),
    Dirt("the header again", lines({16: HEADER}), "the header again", [16]),
    Dirt("an empty row", lines({17: ["?", "NA", "-", *[""] * 5]}), "every cell is missing", [17]),
    Dirt("a duplicate", again(18, 3), "repeats an earlier row", [18]),
    Dirt("a near duplicate", again(19, 4, customer_id="K99999"), "in all but customer_id", [19]),
    Dirt("two spellings", cells("town", {21: "OSLO"}), "town: 'OSLO', 'Oslo' differ only", [21]),
    Dirt("an infinite number", cells("age", {53: "-inf"}), "age: '-inf' is infinite", [53]),
]  # fmt: skip
"""Each dirt on lines of its own, so that any of them may come together."""
