"""report.html: one file that needs no other, whatever the run was like."""

from __future__ import annotations

import csv
import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from tests.train.several import columns

from chainrule.errors import TrainingError
from chainrule.explain import Finding
from chainrule.explain.findings import Trial
from chainrule.markup import Html, tag
from chainrule.train import Run, Settings, train_table
from chainrule.train.report import write_findings
from chainrule.wording import METRICS

VOID = {"meta"}


class Reader(HTMLParser):
    """Reads a page: its text, its tags, what it would load; refuses tags that are left open."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.text = ""
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [f"{k}={v}" for k, v in attrs if k in ("src", "href", "srcset") and v]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def trained(folder: Path, table: dict[str, list[Any]], target: str, **settings: Any) -> Run:
    data = folder / "t.csv"
    with data.open("w", newline="") as file:
        csv.writer(file).writerows([list(table), *zip(*table.values(), strict=True)])
    given = {"data": str(data), "epochs": 2, "layers": [8], "output": str(folder / "run")}
    return train_table(Settings.model_validate({**given, "target": target, **settings})).run


def page_of(run: Run) -> Reader:
    return Reader((run.path / "report.html").read_text(encoding="utf-8"))


def some(*names: str) -> dict[str, list[Any]]:
    every = columns()
    return {name: every[name] for name in ("a", "b", *names)}


@pytest.mark.parametrize(
    ("target", "words", "pictures"),
    [
        ("price", "is off by", {"predicted", "residuals", "errors", "boundary"}),
        (
            "kind",
            "is right in",
            {"confusion", "roc", "precision-recall", "calibration", "boundary"},
        ),
        ("genre", "is right in", {"roc", "precision-recall", "calibration"}),
    ],
)
def test_a_report_says_what_came_of_the_run(
    target: str, words: str, pictures: set[str], tmp_path: Path
) -> None:
    run = trained(tmp_path, some(target), target)
    page = page_of(run)
    assert page.loads == []
    assert "script" not in page.tags
    assert f"Predicting {target}" in page.text
    assert words in page.text
    assert all(METRICS[name] in page.text for name in run.summary().scores)
    expected = pictures | {"loss", "rate", "steps", "graph"}
    assert {path.stem for path in (run.path / "pictures").glob("*.svg")} == expected
    assert {path.stem for path in (run.path / "pictures").glob("*.csv")} == expected


def test_several_targets_have_pictures_each(tmp_path: Path) -> None:
    run = trained(tmp_path, some("price", "kind"), ["price", "kind"])  # type: ignore[arg-type]
    names = {path.stem for path in (run.path / "pictures").glob("*.csv")}
    assert {"predicted-price", "confusion-kind"} <= names
    assert "several targets" in page_of(run).text


def test_names_from_the_data_are_text_and_nothing_else(tmp_path: Path) -> None:
    hostile = "</title><script>alert(1)</script>"
    table = some("kind")
    table[hostile] = [f"<img src=x onerror=1>{value}" for value in table.pop("kind")]
    page = page_of(trained(tmp_path, table, hostile))
    assert not {"script", "img"} & set(page.tags)
    assert hostile in page.text


def test_a_training_that_failed_has_a_report(tmp_path: Path) -> None:
    table = some("price")
    with pytest.raises(TrainingError):
        trained(tmp_path, table, "price", lr=1e30, optimizer="sgd", schedule="constant", epochs=5)
    assert (
        "The training failed: the loss is no longer finite" in page_of(Run(tmp_path / "run")).text
    )


def test_how_the_rate_was_found_is_drawn(tmp_path: Path) -> None:
    run = trained(tmp_path, some("price"), "price", lr="auto")
    search = run.rate_search()
    assert search is not None
    rows = (run.path / "pictures" / "rate-search.csv").read_text().splitlines()
    assert rows[0] == "series,learning rate,loss of the batch"
    assert len(rows) == 1 + 2 * len(search.rates) + 1
    assert "The search for the rate" in page_of(run).text
    assert search.reason in page_of(run).text


def test_findings_are_shown_and_exchanged(tmp_path: Path) -> None:
    run = trained(tmp_path, some("price"), "price")
    hostile = Finding("<b>", "</section><script>", {"n": 1.0}, {"layer": "a\\1"}, "why", "what")
    tried = Trial({"lr": 0.1}, 10, 1, math.inf, 0.4)
    write_findings(run, [hostile, replace(hostile, tried=tried)])
    assert run.findings() == [hostile, replace(hostile, tried=tried)]
    page = page_of(run)
    assert "script" not in page.tags
    assert "where: layer a\\1" in page.text
    assert "validation loss 0.4 instead of a loss that diverged" in page.text
    write_findings(run, [])
    assert "What looks wrong" not in page_of(run).text
    (run.path / "findings.json").write_text('[{"name": 3}]')
    assert run.findings() == []


def test_attributes_and_texts_are_escaped() -> None:
    assert tag("a", "<", Html("<b>"), title='"x"') == '<a title="&quot;x&quot;">&lt;<b></a>'


def test_pages_need_no_colour_but_their_own(tmp_path: Path) -> None:
    """Every variable that is used is defined, for light and for dark."""
    run = trained(tmp_path, some("price"), "price")
    text = (run.path / "report.html").read_text()
    used = set(re.findall(r"var\((--\w+)\)", text))
    assert used <= set(re.findall(r"(--\w+):", text))
