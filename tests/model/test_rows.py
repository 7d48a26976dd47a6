"""A row's prediction is its own: row by row, in a file, with columns in any order.

The tables have semicolons, decimal commas and thousands points: a row alone cannot tell which.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chainrule.model import Model
from chainrule.train import Settings, train_table

NAMES = ["id", "size", "city", "note", "day"]
CITIES = [f"city {place}" for place in range(30)]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = tmp_path_factory.mktemp("rows")
    rng = np.random.default_rng(0)
    rows = []
    for place in range(300):
        size, city = rng.gamma(2.0), CITIES[rng.integers(30)]
        note = " ".join(rng.choice(["warm", "cold", "dry", "wet"], 4))
        day = f"2021-{rng.integers(1, 13):02d}-{rng.integers(1, 28):02d}"
        rows.append([f"x{place}", german(1000 * size), city, note, day, "ny"[int(size > 2)]])
    (folder / "t.csv").write_text(written([*NAMES, "glad"], rows))
    chosen = {"data": str(folder / "t.csv"), "target": "glad", "epochs": 3, "drop": ["id"]}
    return train_table(
        Settings.model_validate({**chosen, "types": {"note": "text"}, "output": str(folder / "r")})
    ).model


def german(number: float) -> str:
    return f"{number:,.1f}".translate(str.maketrans(",.", ".,"))


def written(names: list[str], rows: list[list[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=";").writerows([names, *rows])
    return text.getvalue()


row = st.tuples(
    st.sampled_from(["x1", "7", ""]),
    st.floats(-10, 1e6).map(german) | st.sampled_from(["", "?", "NA", "3", "1.234"]),
    st.sampled_from([*CITIES[:4], "nowhere", "", "12"]),
    st.sampled_from(["warm wet", "cold", "unheard-of words", "", "7"]),
    st.sampled_from(["2021-05-06", "", "2030-01-01"]),
).map(list)


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=st.lists(row, min_size=1, max_size=6), order=st.permutations(range(5)))
def test_row_by_row_is_the_whole_file_is_shuffled_columns(
    model: Model, tmp_path: Path, rows: list[list[str]], order: list[int]
) -> None:
    def predicted(names: list[str], some: list[list[str]]) -> tuple[list[object], np.ndarray]:
        (tmp_path / "new.csv").write_text(written(names, some))
        found = model.predict(tmp_path / "new.csv")
        return found.values.tolist(), found.probabilities

    whole, sure = predicted(NAMES, rows)
    alone = [predicted(NAMES, [one]) for one in rows]
    shuffled = predicted([NAMES[i] for i in order], [[one[i] for i in order] for one in rows])
    apart = np.concatenate([probabilities for _, probabilities in alone])
    np.testing.assert_allclose(apart, sure, atol=1e-6)
    np.testing.assert_allclose(shuffled[1], sure, atol=1e-6)
    decided = np.abs(sure[:, 0] - sure[:, 1]) > 1e-5
    for values in ([value for found, _ in alone for value in found], shuffled[0]):
        assert [v for v, d in zip(values, decided, strict=True) if d] == [
            v for v, d in zip(whole, decided, strict=True) if d
        ]


def test_what_rows_lack_is_counted_and_extra_columns_are_named(model: Model) -> None:
    found = model.predict({"size": [None, "?"], "city": ["nowhere", "city 1"], "note": ["cold"] * 2,
                           "day": ["2021-05-06"] * 2, "owner": [1, 2]})  # fmt: skip
    assert found.met.text().splitlines() == [
        "size: 2 missing values",
        "city: 'nowhere' not seen in training (line 1)",
        "ignored, as training had no such column: owner",
    ]
