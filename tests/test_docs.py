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
}


def test_examples_about_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        Path(name).write_text(text)
    found = doctest.testfile(str(DOCS / "data.md"), module_relative=False, raise_on_error=False)
    assert found.failed == 0
    assert found.attempted > 5


def test_examples_about_layers() -> None:
    found = doctest.testfile(str(DOCS / "layers.md"), module_relative=False, raise_on_error=False)
    assert found.failed == 0
    assert found.attempted > 10
