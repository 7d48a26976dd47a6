"""The example that recommends: tastes that were planted are found again."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from tests.examples.uses import load

example = load("recommend")
USERS, FILMS = 80, 60


@pytest.fixture
def movielens(tmp_path: Path) -> Path:
    """Half of the users like the first half of the films, the others the second."""
    rng = np.random.default_rng(0)
    users, films = (side.ravel() for side in np.mgrid[:USERS, :FILMS])
    seen = rng.random(users.size) < 0.4
    users, films = users[seen], films[seen]
    same = (users < USERS // 2) == (films < FILMS // 2)
    stars = np.clip(
        np.round(2 * np.where(same, 4.3, 2) + rng.normal(0, 0.8, len(users))) / 2, 0.5, 5
    )
    ratings, movies = io.StringIO("userId,movieId,rating,timestamp\n"), io.StringIO()
    ratings.seek(0, io.SEEK_END)
    for user, film, star in zip(users, films, stars, strict=True):
        ratings.write(f"{user + 1},{10 * film + 3},{star},0\n")
    movies.write("movieId,title,genres\n")
    for film in range(FILMS):
        movies.write(f'{10 * film + 3},"Film {film}, The",none\n')
    path = tmp_path / "ml.zip"
    with zipfile.ZipFile(path, "w") as files:
        files.writestr("ml/ratings.csv", ratings.getvalue())
        files.writestr("ml/movies.csv", movies.getvalue())
    return path


def test_planted_tastes_are_found(movielens: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(example, "BATCH", 64)
    monkeypatch.setattr(example, "WIDTH", 8)
    monkeypatch.setattr(example, "RATE", 0.02)
    ratings, titles = example.read(movielens)
    assert titles[:2] == ["Film 0, The", "Film 1, The"]
    scores, model = example.judge(ratings, (USERS, FILMS), epochs=20, pull=0.02)
    assert scores["RMSE in stars"] < 0.8 * scores["of biases alone"]
    assert scores["recall at 10"] > 1.3 * scores["of popularity"]
    assert all(film < FILMS // 2 for film in model.similar(4, 5))
    assert all(film >= FILMS // 2 for film in np.argsort(-model.newcomer([40, 50])[0])[:5])


def test_biases_alone_are_means_where_there_is_much() -> None:
    """Every user rates every film: stars are a sum of two parts, which shrinking hardly moves."""
    users, films = (side.ravel() for side in np.mgrid[:300, :200])
    stars = 3 + 0.01 * (users % 7) - 0.02 * (films % 5)
    guesses = example.biases_alone((users, films, stars), (300, 200))
    np.testing.assert_allclose(guesses[users, films], stars, atol=2e-3)
