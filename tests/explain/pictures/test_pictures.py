"""Pictures: well-formed drawings whose numbers are those of a peer."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from chainrule.errors import DataError, SettingError
from chainrule.explain.pictures import Axis, Picture, classes, numbers, training
from chainrule.explain.pictures.drawing import plain_style
from chainrule.explain.pictures.judged import judged
from chainrule.explain.pictures.marks import Bars, Cells, Line, Points, thinned
from chainrule.explain.pictures.scales import fitted, log_ticks, ticks
from chainrule.train import Settings, train_table

HOSTILE = "<script>&\"'"

metrics = pytest.importorskip("sklearn.metrics")


def drawn(
    seed: int, rows: int = 300, count: int = 3
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Probabilities of some classes, and which one holds, related but not the same."""
    random = np.random.default_rng(seed)
    true = random.integers(0, count, rows)
    scores = random.random((rows, count)).round(3) + (true[:, None] == np.arange(count)) * 0.6
    return scores / scores.sum(axis=1, keepdims=True), true


def series(picture: Picture) -> dict[str, list[list[str]]]:
    """The CSV of a picture, by series."""
    found: dict[str, list[list[str]]] = {}
    for name, *values in list(csv.reader(io.StringIO(picture.csv())))[1:]:
        found.setdefault(name, []).append(values)
    return found


def every_mark() -> Picture:
    marks = [
        Line(HOSTILE, [1, 2, 3], [1.0, float("nan"), 2.0]),
        Points("dots", [1, 2], [float("inf"), 3.0]),
        Bars("bars", [0, 1, 2], [3, 4]),
        Cells("cells", [0, 1, 2], [0, 1], np.array([[0.1, 0.9]]), np.array([[0, 1]]), [["1", "9"]]),
    ]
    return Picture("all", HOSTILE, HOSTILE, Axis(HOSTILE), Axis("y"), marks)


@pytest.mark.parametrize("alone", [True, False])
def test_a_drawing_is_well_formed_whatever_names_are(alone: bool) -> None:
    root = ElementTree.fromstring(every_mark().svg(alone))
    tags = [element.tag.rpartition("}")[2] for element in root.iter()]
    assert "script" not in tags
    assert {"polyline", "circle", "rect", "text"} <= set(tags)
    assert ("style" in tags) is alone


def test_what_is_not_finite_is_not_drawn() -> None:
    text = every_mark().svg(alone=False)
    assert "nan" not in text
    assert '"inf' not in text


@settings(max_examples=25)
@given(arrays(np.float64, st.integers(1, 2000), elements=st.floats(-1e6, 1e6)))
def test_a_thinned_line_keeps_its_peaks(y: NDArray[np.float64]) -> None:
    kept = [value for _, value in thinned(np.arange(len(y), dtype=np.float64), y)]
    assert (min(kept), max(kept)) == (y.min(), y.max())
    assert len(kept) <= 800


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9))
def test_ticks_are_few_and_inside(low: float, width: float) -> None:
    room = 1e-6 * width + 1e-9 * abs(low)
    found = ticks(low, low + width)
    assert len(found) <= 12
    assert all(low - room <= tick <= low + width + room for tick in found)


@given(st.floats(1e-9, 1e9), st.floats(1.01, 1e9))
def test_logarithmic_ticks_are_inside(low: float, times: float) -> None:
    assert all(low * 0.99 <= tick <= low * times * 1.01 for tick in log_ticks(low, low * times))


@settings(max_examples=50)
@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=5), st.booleans())
def test_a_scale_is_found_for_any_numbers(values: list[float], log: bool) -> None:
    scale = fitted(values, 0, 100, log)
    assert scale.low < scale.high
    assert all(-1 <= scale(value) <= 101 for value in values if scale.shows(value))


@pytest.mark.parametrize("seed", [0, 1])
def test_confusion_is_that_of_scikit_learn(seed: int) -> None:
    scores, true = drawn(seed)
    found = classes.confusion(["a", "b", "c"], scores.argmax(axis=1), true)
    counts = np.zeros((3, 3), np.int64)
    for x, y, text in series(found)["rows"]:
        counts[int(3 - float(y)), int(float(x))] = int(text or 0)
    assert np.array_equal(counts, metrics.confusion_matrix(true, scores.argmax(axis=1)))


@pytest.mark.parametrize("seed", [0, 1])
def test_curves_have_the_areas_of_scikit_learn(seed: int) -> None:
    scores, true = drawn(seed)
    holds = true[:, None] == np.arange(3)
    areas = {name: metrics.roc_auc_score(holds[:, i], scores[:, i]) for i, name in enumerate("abc")}
    means = {
        name: metrics.average_precision_score(holds[:, i], scores[:, i])
        for i, name in enumerate("abc")
    }
    roc, precision = (
        classes.roc("abc", scores, holds),
        classes.precision_recall("abc", scores, holds),
    )
    assert set(series(roc)) == {"by chance", *(f"{n} {area:.3f}" for n, area in areas.items())}
    assert set(series(precision)) == {f"{n} {mean:.3f}" for n, mean in means.items()}


def test_calibration_is_that_of_scikit_learn() -> None:
    calibration = pytest.importorskip("sklearn.calibration")
    scores, true = drawn(2, count=2)
    holds = true[:, None] == np.arange(2)
    found = np.array(series(classes.calibration(scores[:, 1:], holds[:, 1:]))["this model"], float)
    right, said = calibration.calibration_curve(true, scores[:, 1], n_bins=10)
    assert np.allclose(found, np.stack([said, right], axis=1), atol=1e-6)


def test_the_best_epoch_is_marked() -> None:
    found = series(training.losses([1, 2, 3], [3.0, 2.0, 1.0], [3.0, 1.0, 2.0]))
    assert found["best epoch"] == [["2", "1"]]


def test_without_validation_rows_no_epoch_is_marked() -> None:
    picture = training.losses([1, 2], [3.0, 2.0], [float("nan")] * 2)
    assert "best epoch" not in series(picture)
    ElementTree.fromstring(picture.svg())


def test_of_many_rows_evenly_spaced_ones_are_drawn() -> None:
    true = np.arange(5000.0)
    rows = series(numbers.predicted_against_true("y", true + 1, true))["a row"]
    assert len(rows) == numbers.MOST
    assert all(float(y) == float(x) + 1 for x, y in rows)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("courier", {"predicted", "residuals", "errors"}),
        ("spirals", {"confusion", "roc", "precision-recall", "calibration", "boundary"}),
    ],
)
def test_a_model_has_the_pictures_of_its_task(
    data: str, expected: set[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp(data) / "run"
    trained = train_table(Settings(data=data, epochs=2, output=str(folder)))
    found = {picture.name: picture for picture in judged(trained.model, trained.prepared.test)}
    assert found.keys() == expected
    for picture in found.values():
        ElementTree.fromstring(picture.svg())


def test_a_plane_says_what_the_model_says(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("plane") / "run"
    trained = train_table(Settings(data="spirals", epochs=3, output=str(folder)))
    picture = judged(trained.model, trained.prepared.test)[-1]
    x, y, sure = np.array(series(picture)["the model"][:50], float).T
    said = trained.model.predict({"x": x, "y": y}).probabilities
    assert said is not None
    assert np.allclose(sure, abs(said[:, 0] - said[:, 1]) / 2, atol=1e-3)


@settings(max_examples=30)
@given(
    st.lists(st.text("abcdefgh.0", min_size=1, max_size=40), min_size=2, max_size=6, unique=True)
)
def test_a_legend_stays_within_its_picture(names: list[str]) -> None:
    marks = [Line(name, [0, 1], [0.0, 1.0], at) for at, name in enumerate(names)]
    picture = Picture("p", "P", "", Axis("x"), Axis("norm of the gradient"), marks)
    texts = [one for one in ElementTree.fromstring(picture.svg()).iter() if one.tag[-4:] == "text"]
    legend = [one for one in texts if one.get("class") == "legend"]
    assert len(legend) == len(names)
    assert all(float(one.get("x", "")) >= 6 for one in legend)
    assert all(float(one.get("x", "")) + 6.5 * len(one.text or "") <= 480 for one in legend)


@pytest.mark.parametrize("dark", [False, True])
def test_a_picture_is_a_png_of_its_colours(dark: bool) -> None:
    pytest.importorskip("resvg_py")
    image = pytest.importorskip("PIL.Image")
    found = image.open(io.BytesIO(every_mark().png(dark)))
    assert found.size == (960, 640)
    assert found.convert("RGB").getpixel((2, 638)) == ((30, 33, 37) if dark else (255, 253, 250))
    assert "var(" not in plain_style(dark)


def test_without_its_extra_a_png_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.raises(DataError, match=r"pip install 'chainrule\[plot\]'"):
        every_mark().png()


def test_a_picture_is_saved_as_its_name_asks(tmp_path: Path) -> None:
    picture = training.losses([1, 2], [3.0, 2.0], [3.0, 2.5])
    for name in ("a.svg", "a.csv", "a.txt"):
        picture.save(tmp_path / name)
    assert (tmp_path / "a.csv").read_text() == picture.csv()
    assert "● best epoch" in (tmp_path / "a.txt").read_text()
    with pytest.raises(SettingError, match="no such form"):
        picture.save(tmp_path / "a.gif")
