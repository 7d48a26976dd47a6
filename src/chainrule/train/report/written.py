"""Writing the pictures and the page of a run into its folder."""

from __future__ import annotations

import json

from chainrule.data import Part
from chainrule.errors import ArtefactError
from chainrule.explain import Finding
from chainrule.explain.pictures import Drawing, training
from chainrule.explain.pictures.judged import judged
from chainrule.explain.pictures.rates import rate_search
from chainrule.explain.plain import plain
from chainrule.model import Model
from chainrule.model.store import load
from chainrule.train.inside import inside_pictures
from chainrule.train.keeping import kept_losses
from chainrule.train.rate_finder import RateSearch
from chainrule.train.replay import Replay
from chainrule.train.report.document import document
from chainrule.train.report.findings import SECTION, told
from chainrule.train.run import FINDINGS, PICTURES, REPORT, Run


def write_report(run: Run, model: Model | None = None, test: Part | None = None) -> None:
    """Write report.html and the pictures of a run, each as SVG and its numbers as CSV.

    `model` and the rows to judge it by are absent where the training did not get that far.
    """
    learned = [*pictures_of(run), *_inside(run)]
    worth = judged(model, test) if model is not None and test is not None and len(test) else []
    (run.path / PICTURES).mkdir(exist_ok=True)
    for picture in [*learned, *worth]:
        run.write(f"{PICTURES}/{picture.name}.svg", picture.svg())
        run.write(f"{PICTURES}/{picture.name}.csv", picture.csv())
    run.write(REPORT, document(run, learned, worth))


def all_pictures(run: Run) -> list[Drawing]:
    """How the training of a run went, inside and out, and what came of it on validation rows.

    ArtefactError where its states cannot be gone back to.
    """
    replay = run.replay
    worth = judged(load(run.path), replay.prepared.validation)
    return [*pictures_of(run), *inside_pictures(replay), *worth]


def write_findings(run: Run, found: list[Finding]) -> None:
    """Keep what was found in a run, and show it in the report, if that is written already."""
    run.write(FINDINGS, json.dumps(plain(found), ensure_ascii=False, allow_nan=False, indent=1))
    path = run.path / REPORT
    if path.is_file():
        page, section = path.read_text(encoding="utf-8"), told(found)
        run.write(REPORT, SECTION.sub(lambda _: section, page, count=1))


def pictures_of(run: Run) -> list[Drawing]:
    """How the training of a run went, as far as it is known; none before its first epoch."""
    epochs = run.epochs()
    if not epochs:
        return []
    numbers = [result.epoch for result in epochs]
    train = [result.train_loss for result in epochs]
    validation = [result.validation_loss for result in epochs]
    pictures: list[Drawing] = [training.losses(numbers, train, validation)]
    losses = kept_losses(run.path)
    pictures += [training.step_losses(losses)] if len(losses) else []
    pictures.append(training.rate(numbers, [result.rate for result in epochs]))
    search = run.rate_search()
    return pictures if search is None else [*pictures, searched(search)]


def searched(search: RateSearch) -> Drawing:
    """How the rate of a run was found."""
    return rate_search(search.rates, search.losses, search.smoothed, search.chosen, search.reason)


def _inside(run: Run) -> list[Drawing]:
    """The pictures of a run's kept states; none where going back to them would take long."""
    if not run.keeps_rows:
        return []
    try:
        # Interpreted: compiling would take longer than the few steps that are looked at.
        return inside_pictures(Replay.of(run.path, {"backend": "interpret"}))
    except ArtefactError:
        return []
