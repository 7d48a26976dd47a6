"""The documentation is true: its examples print what it shows."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"

FILES = {
    "letters.csv": "name;price\nletter;0,80\nparcel;1.234,50\n",
    "undecided.csv": "name;price\na;1,234\nb;2,500\n",
    "broken.csv": "a,b\n1,x\n2,y,z\n3,x\n",
    "houses.csv": "size,price,rent,kind\n"
    + "".join(
        f"{n},{n * 7 + n % 3},{'' if n % 6 == 0 else n + 0.5},{'flat' if n < 85 else 'house'}\n"
        for n in range(60, 120)
    ),
    "films.csv": "minutes,genre\n"
    + "".join(f"{80 + n},{['action', 'comedy', 'action|comedy'][n % 3]}\n" for n in range(40)),
}


@pytest.mark.parametrize(
    ("name", "examples"),
    [
        ("data.md", 6),
        ("estimators.md", 7),
        ("explain.md", 12),
        ("export.md", 9),
        ("layers.md", 11),
        ("targets.md", 12),
    ],
)
def test_examples(
    name: str, examples: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for file, text in FILES.items():
        Path(file).write_text(text)
    found = doctest.testfile(str(DOCS / name), module_relative=False, raise_on_error=False)
    assert found.failed == 0
    assert found.attempted >= examples
