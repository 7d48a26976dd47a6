"""The documentation is true: examples print what it shows, live pages run, nothing is left out."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import api.markup as markup
import pytest
from live.page import LESSONS, ROOT, Page, blocks

from chainrule.explain.pictures import Drawing

DOCS = ROOT / "docs"
CHAPTERS = sorted((DOCS / "course").glob("[0-9]*.md"))
LIVE = [path for path in sorted(DOCS.rglob("*.md")) if any(blocks(path.read_text("utf-8")))]

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
        ("serving.md", 6),
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


# -- live pages: what they show is computed when the site is built, so here they only have to run


@pytest.mark.parametrize("path", LIVE, ids=lambda path: path.stem)
def test_live_page(path: Path, tmp_path: Path) -> None:
    page = Page(path, tmp_path)
    for kind, argument, body in blocks(path.read_text("utf-8")):
        shown = page.show(kind, argument, body)
        if kind == "picture":
            assert isinstance(shown.value, Drawing)
            assert len(shown.value.csv().splitlines()) > 2
            assert not re.search(r"\bnan\b", shown.value.svg(alone=False))
        elif kind == "table":
            assert len({tuple(record) for record in shown.value}) == 1  # one head for all
        elif kind == "value":
            assert isinstance(shown.value, str)
        else:
            assert shown.code


def test_a_block_shows_what_it_prints_and_its_last_value(tmp_path: Path) -> None:
    page = Page(Path("none.md"), tmp_path)
    text = (
        "```{run}\nx = 2\nprint(x)\nx + 1\n```\n\nIt is {value}`str(x)`.\n\n```python\nx = 5\n```\n"
    )
    first, second = blocks(text)
    assert page.show(*first).output == "2\n3\n"
    assert page.show(*second).value == "2"


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_numbers_in_the_words_of_a_chapter_are_computed(path: Path) -> None:
    """What is neither code nor printed names no result: those come from `value`."""
    words = re.sub(r"^```.*?^```$|`[^`]*`", "", path.read_text("utf-8"), flags=re.M | re.S)
    assert not re.findall(r"-?\d+\.\d+", words)


def test_the_course_has_every_lesson_and_every_statement() -> None:
    contents = (DOCS / "course" / "index.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| \[\d+\. .*?\]\((\w+)\.md\) \|(.*)\|$", contents, re.MULTILINE))
    assert list(rows) == [path.stem for path in CHAPTERS]
    for script in LESSONS.glob("*.py"):
        said = re.search(r"^Shows (.*)\.$", script.read_text("utf-8"), re.MULTILINE)
        assert said is not None
        assert set(re.findall(r"L\d+", said[1])) <= set(re.findall(r"L\d+", rows[script.stem]))
    shown = {int(number) for row in rows.values() for number in re.findall(r"L(\d+)", row)}
    assert shown == set(range(1, 38))


# -- pages of the interface


def test_every_public_name_has_its_place() -> None:
    import chainrule.public

    page = (DOCS / "api" / "chainrule.md").read_text("utf-8")
    listed = " ".join(re.findall(r"```\{api\} chainrule\n(.*?)```", page, re.DOTALL)).split()
    dtypes = re.findall(r"`(\w+)`", page.partition("##")[0])
    public = {name for name in vars(chainrule.public) if not name.startswith("_")}
    assert public <= {*listed, *dtypes}
    assert len(listed) == len(set(listed))
    assert all(hasattr(chainrule, name) for name in listed)


def test_every_page_is_in_the_contents() -> None:
    contents = (DOCS / "index.md").read_text("utf-8")
    pages = [*DOCS.glob("*.md"), *(DOCS / "api").glob("*.md")]
    names = {path.relative_to(DOCS).with_suffix("").as_posix() for path in pages} - {"index"}
    assert names <= set(contents.splitlines())


def test_docstrings_become_markup() -> None:
    found = doctest.testmod(markup)
    assert (found.failed, found.attempted) == (0, 1)
