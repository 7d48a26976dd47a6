"""A run as one page: how good it is, how it learned, from what, and how to use it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.resources import files

from chainrule.data.decisions import DataReport
from chainrule.data.report import counted, named
from chainrule.explain.pictures import Drawing
from chainrule.explain.pictures.drawing import style
from chainrule.markup import Html, joined, table, tag
from chainrule.model.card import LABEL
from chainrule.train.report.findings import told
from chainrule.train.run import Run, Summary
from chainrule.train.score_table import score_table
from chainrule.wording import BASELINES, duration, number

SHOWN_NOTES = 40


def document(run: Run, learned: Sequence[Drawing], judged: Sequence[Drawing]) -> str:
    """The whole page, with everything that it needs in it.

    `learned`: pictures of how the training went; `judged`: of what the model is worth.
    """
    facts = run.summary()
    about = f"{facts.target} from {facts.data}"
    parts = [
        tag("p", f"chainrule · report of a training · {facts.began[:10]}", class_="kicker"),
        tag("h1", f"Predicting {facts.target}"),
        tag("p", verdict(facts), class_="lead"),
        _numbers(facts),
        *_worth(facts, judged),
        told(run.findings()),
        *_course(facts, learned),
        *_data(run.data_report(), facts),
        *_use(run, facts),
    ]
    head = joined(
        [
            Html('<meta charset="utf-8">'),
            Html('<meta name="viewport" content="width=device-width, initial-scale=1">'),
            tag("title", about),
            tag("style", Html(style() + stylesheet())),
        ]
    )
    body = tag("body", tag("main", *parts))
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>{body}</html>\n'


def stylesheet() -> str:
    """How such pages look; the colours are those of pictures."""
    return files("chainrule.train.report").joinpath("style.css").read_text()


def verdict(facts: Summary) -> str:
    """What came of a run, in a sentence or two for somebody who has never trained a network."""
    if facts.state == "running":
        return "The training is still going on, or ended without a word."
    if facts.state == "failed":
        return f"The training failed: {facts.stopped}."
    if not facts.scores:
        return "The training was interrupted before there was anything to judge."
    rows = counted(facts.rows.get("test", 0), "row")
    where = f"On {rows} that it never saw while learning, the network"
    score, trivial = facts.scores, facts.baseline
    if facts.task == "regression":
        return (
            f"{where} is off by {number(score.get('mae'))} on average. Always answering the mean "
            f"would be off by {number(trivial.get('mae'))}."
        )
    if "accuracy" in score:
        what = "the most frequent class" if facts.task == "classification" else "the majority"
        return (
            f"{where} is right in {_percent(score['accuracy'])} of its answers. Always answering "
            f"{what} would be right in {_percent(trivial.get('accuracy'))}."
        )
    return f"{where} predicts several targets at once; the tables below say how well."


def _percent(share: float | None) -> str:
    return "an unknown share" if share is None else f"{share:.1%}"


def _numbers(facts: Summary) -> Html:
    rows = facts.rows
    shown = [
        ("rows to learn from", f"{rows.get('train', 0):,}", "the network saw their answers"),
        ("rows to decide when to stop", f"{rows.get('validation', 0):,}", "validation"),
        ("rows to judge by", f"{rows.get('test', 0):,}", "looked at once, at the end"),
        ("numbers that it learned", f"{facts.parameters:,}", "weights of the network"),
    ]
    if facts.seconds is not None:
        shown.append(("time", duration(facts.seconds), facts.stopped))
    cells = (tag("div", tag("dt", a), tag("dd", b, tag("small", c))) for a, b, c in shown)
    return tag("dl", *cells, class_="facts")


def _worth(facts: Summary, pictures: Sequence[Drawing]) -> Iterator[Html]:
    if not facts.scores:
        return
    yield tag("h2", "How good it is")
    yield tag("p", "All of this is about the test rows, which had no part in the training.")
    yield score_table(facts.scores, facts.baseline, BASELINES[facts.task])
    for detail in facts.details:
        kind = "its majority" if detail.task == LABEL else BASELINES[detail.task]
        yield tag("h3", detail.of)
        yield score_table(dict(detail.scores), dict(detail.baseline), kind)
    yield _figures(pictures)


def _figures(pictures: Sequence[Drawing]) -> Html:
    return tag("div", *(_figure(picture) for picture in pictures), class_="grid")


def _figure(picture: Drawing) -> Html:
    caption = tag("figcaption", picture.about)
    return tag("figure", tag("h3", picture.title), Html(picture.svg(alone=False)), caption)


def _course(facts: Summary, pictures: Sequence[Drawing]) -> Iterator[Html]:
    if not pictures:
        return
    yield tag("h2", "How it learned")
    yield tag(
        "p",
        "A network learns in small steps. Each takes a batch of rows and does four things: forward "
        "(say what it thinks), loss (measure how wrong that is), backward (find out how much each "
        "weight is to blame), update (move every weight a little so that the loss falls).",
    )
    if facts.best_epoch is not None:
        yield tag(
            "p",
            f"It went over its rows {counted(facts.epochs or 0, 'time')} and stopped because "
            f"{facts.stopped}. The weights of epoch {facts.best_epoch} were kept.",
        )
    yield _figures(pictures)


def _data(report: DataReport | None, facts: Summary) -> Iterator[Html]:
    if report is None:
        return
    yield tag("h2", "The data")
    findings = [note for note in report.notes if note.finding]
    others = [note for note in report.notes if not note.finding and note.about != "column"]
    for note in findings[:SHOWN_NOTES]:
        yield tag("p", str(note), class_="finding")
    if others:
        yield tag("ul", *(tag("li", str(note)) for note in others[:SHOWN_NOTES]))
    alike: dict[tuple[str, str], list[str]] = {}
    for column in report.columns:
        alike.setdefault((column.kind, column.use), []).append(column.name)
    columns = [[named(names), *what] for what, names in alike.items()]
    yield table(["columns", "taken for", "what became of them"], columns, left=3)


def _use(run: Run, facts: Summary) -> Iterator[Html]:
    yield tag("h2", "Use it")
    commands = [f"chainrule predict {run.path} NEW.csv -o predictions.csv"] * bool(facts.scores)
    commands += [f"chainrule explain {run.path} --step 1", f"chainrule ui {run.path.parent}"]
    yield _code("\n".join(commands))
    settings = _code(run.settings_text())
    versions = ", ".join(f"{name} {version}" for name, version in facts.versions.items())
    ran = f"The updates ran {facts.ran}. " if facts.ran else ""
    yield tag(
        "details",
        tag("summary", "Settings that do it again"),
        settings,
        tag("p", f"{ran}{versions}", class_="soft"),
    )


def _code(text: str) -> Html:
    """Text as it is to be typed; where it is wider than the page, the keyboard scrolls it."""
    return tag("pre", text, tabindex="0")
