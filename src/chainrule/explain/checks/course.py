"""Checks of how the loss went."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from chainrule.explain.evidence import Course, Evidence
from chainrule.explain.findings import CLEAR, Check, Seen

ENOUGH = 5
"""Epochs from which on a course says something."""

FEW_ROWS = 50
"""Validation rows from which on they say whether a network is better than none."""


def diverged(evidence: Evidence) -> Iterator[Seen]:
    """A loss that was no longer finite, with the operation where it began."""
    course = evidence.course
    if course is None or np.isfinite(course.losses).all():
        return
    step = int(np.flatnonzero(~np.isfinite(course.losses))[0]) + 1
    what = f"The loss is no longer finite at step {step}"
    broken = evidence.broken
    if broken is None:
        yield Seen(what, {"step": step}, {}, _rate(evidence, 0.1))
        return
    what += f"; it began in {broken.op} ({broken.phase}) of step {broken.step}, from "
    what += "; ".join(broken.inputs)
    where = {"layer": broken.layer, "op": broken.op, "line": broken.line, "lines": broken.rows}
    where["columns"] = broken.columns
    known = {name: place for name, place in where.items() if place}
    yield Seen(what, {"step": step, "began": broken.step}, known, _rate(evidence, 0.1))


def rate_too_large(evidence: Evidence) -> Iterator[Seen]:
    """A loss that grew far above where it began, though it stayed finite."""
    course = evidence.course
    if course is None or not len(course.train) or not np.isfinite(course.losses).all():
        return
    first, highest = float(course.losses[0]), float(course.train.max())
    if highest > 3 * first or course.train[-1] > 1.5 * first:
        epoch = int(course.train.argmax()) + 1
        what = f"The loss rose from {first:.4g} to {highest:.4g} in epoch {epoch}"
        yield Seen(
            what, {"first": first, "highest": highest}, {"epoch": epoch}, _rate(evidence, 0.1)
        )


def rate_too_small(evidence: Evidence) -> Iterator[Seen]:
    """A loss that falls steadily and hardly at all."""
    course = evidence.course
    if course is None or len(course.train) < ENOUGH:
        return
    fall = 1 - _times(course.train[-1], course.train[0])
    steady = float(np.mean(np.diff(course.train) < 0))
    if 0 <= fall < 0.2 and steady > 0.9:
        what = f"In {len(course.train)} epochs the loss fell by {fall:.1%}, steadily"
        numbers = {"fall": fall, "epochs that fell": steady}
        yield Seen(what, numbers, {}, _rate(evidence, 10))


def not_moving(evidence: Evidence) -> Iterator[Seen]:
    """A loss that neither falls nor rises."""
    course = evidence.course
    if course is None or len(course.train) < ENOUGH or not np.isfinite(course.train).all():
        return
    low, high = float(course.train.min()), float(course.train.max())
    steady = float(np.mean(np.diff(course.train) < 0))
    if high > 0 and (high - low) / high < 0.02 and steady <= 0.9:
        what = f"The loss stays between {low:.4g} and {high:.4g}"
        yield Seen(what, {"lowest": low, "highest": high}, {}, _rate(evidence, 10))


def overfitting(evidence: Evidence) -> Iterator[Seen]:
    """A validation loss that rises while the training loss falls on."""
    course = evidence.course
    if course is None or len(course.validation) < 2 * ENOUGH or np.isnan(course.validation).all():
        return
    best = int(np.nanargmin(course.validation))
    end = _smooth_end(course.validation)
    rise = _times(end, course.validation[best]) - 1
    fell = 1 - _times(_smooth_end(course.train), course.train[best])
    if rise > 0.5 and fell > 0.3 and best + 1 <= 0.6 * len(course.validation):
        what = f"After epoch {best + 1} the validation loss rose by {rise:.0%}, while the training "
        what += f"loss fell by {fell:.0%}"
        more = min(0.5, 2 * float(evidence.settings.get("dropout") or 0.1) + 0.1)
        numbers = {"rise": rise, "fall": fell, "best epoch": best + 1}
        yield Seen(what, numbers, {"epoch": best + 1}, {"dropout": round(more, 2)})


def underfitting(evidence: Evidence) -> Iterator[Seen]:
    """A network that is too small: barely better than the trivial answer, also in training."""
    course = evidence.course
    if course is None or len(course.train) < ENOUGH or not math.isfinite(course.trivial):
        return
    train, validation = _smooth_end(course.train), _smooth_end(course.validation)
    learned = train < 0.95 * course.train[0]  # else the rate is to blame
    if learned and train > 0.5 * course.trivial and validation < 1.2 * train and _settled(course):
        what = f"The training loss ends at {train:.4g}; the trivial answer has {course.trivial:.4g}"
        layers = [max(64, 4 * width) for width in evidence.settings.get("layers", [])] or [64, 64]
        remedy = {"layers": layers if len(layers) > 1 else [*layers, *layers]}
        yield Seen(what, {"loss": train, "trivial": course.trivial}, {}, remedy)


def no_better_than_trivial(evidence: Evidence) -> Iterator[Seen]:
    """A network that is no use: the trivial answer costs less on rows that were not learned."""
    course = evidence.course
    if course is None or course.judged < FEW_ROWS or len(course.validation) < ENOUGH:
        return
    best = float(np.nanmin(course.validation, initial=math.inf))
    if best >= course.trivial_validation:
        what = f"The lowest validation loss is {best:.4g}; always answering the same costs "
        what += f"{course.trivial_validation:.4g}"
        numbers = {"validation loss": best, "trivial": course.trivial_validation}
        yield Seen(what, {**numbers, "rows": course.judged})


def batch_too_large(evidence: Evidence) -> Iterator[Seen]:
    """So few updates that the loss still falls at the end."""
    course, size = evidence.course, int(evidence.settings.get("batch_size", 0))
    if course is None or len(course.train) < ENOUGH or size < 2:
        return
    per_epoch = len(course.losses) / len(course.train)
    late = course.train[-max(2, len(course.train) // 5) :]
    if per_epoch <= 3 and len(course.losses) < 300 and late[-1] < 0.97 * late[0]:
        what = (
            f"{per_epoch:.0f} updates an epoch, {len(course.losses)} in all, and the loss falls on"
        )
        numbers = {"updates": len(course.losses), "updates an epoch": per_epoch}
        yield Seen(what, numbers, {}, {"batch_size": max(1, size // 8)})


def batch_too_small(evidence: Evidence) -> Iterator[Seen]:
    """Batches of so few rows that updates are mostly chance."""
    course, size = evidence.course, int(evidence.settings.get("batch_size", 0))
    if course is None or not 1 <= size <= 4 or evidence.rows < 200:
        return
    late = course.losses[-max(20, len(course.losses) // 5) :]
    if len(late) < 20 or not np.isfinite(late).all() or late.mean() <= 0:
        return
    noise = float(late.std() / late.mean())
    if noise > 0.5:
        what = f"Batches of {size}: losses of single steps vary by {noise:.0%} of their mean"
        yield Seen(what, {"variation": noise}, {}, {"batch_size": 32})


def _rate(evidence: Evidence, factor: float) -> dict[str, float]:
    rate = evidence.settings.get("lr")
    return {"lr": float(f"{rate * factor:.3g}")} if rate else {}


def _times(loss: float, before: float) -> float:
    """How many times another a loss is; 1 where that was 0, so that nothing is said."""
    return float(loss / before) if before > 0 else 1.0


def _smooth_end(losses: np.ndarray) -> float:
    return float(np.mean(losses[-max(1, len(losses) // 10) :]))


def _settled(course: Course) -> bool:
    """Whether the training loss hardly falls any more."""
    half = course.train[len(course.train) // 2 :]
    return len(half) > 1 and float(half[-1]) > 0.9 * float(half[0])


COURSE = [
    Check(
        "diverged",
        "from there on every weight is lost.",
        "a smaller learning rate; look at the rows named, and at numbers far from all others.",
        diverged,
    ),
    Check(
        "rate too large",
        "each step overshoots the valley it aims at.",
        "a smaller learning rate, such as a tenth.",
        rate_too_large,
        live=True,
    ),
    Check(
        "rate too small",
        "most of the way would still be ahead.",
        "a larger learning rate, such as ten times, or more epochs.",
        rate_too_small,
        proof=CLEAR,
    ),
    Check(
        "loss not moving",
        "nothing is learned.",
        "another learning rate; see whether gradients reach the first layer.",
        not_moving,
        proof=CLEAR,
        live=True,
        waits=True,
    ),
    Check(
        "overfitting",
        "the network learns its rows by heart; the weights of the best epoch were kept.",
        "more rows, a smaller network, more dropout, or fewer epochs.",
        overfitting,
    ),
    Check(
        "underfitting",
        "the network cannot bend as the data do.",
        "wider or more layers, or columns that tell more.",
        underfitting,
        proof=CLEAR,
    ),
    Check(
        "no better than trivial",
        "a single number, or the shares of the classes, would predict as well as this network.",
        "see the other findings; if there are none, columns that tell more about the target.",
        no_better_than_trivial,
    ),
    Check(
        "batch too large",
        "an epoch is only a few updates.",
        "smaller batches, or more epochs.",
        batch_too_large,
        proof=CLEAR,
    ),
    Check(
        "batch too small",
        "an update follows a few rows, not the data, and machine code has little to do at once.",
        "larger batches, such as 32.",
        batch_too_small,
        proof=CLEAR,
    ),
]
