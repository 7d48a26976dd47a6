"""Every lesson runs, prints the numbers it is about, and uses nothing but the public faces."""

from __future__ import annotations

import ast
import contextlib
import io
import json
import re
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

LESSONS = Path(__file__).parents[2] / "examples" / "lessons"
SCRIPTS = sorted(LESSONS.glob("*.py"))

# Statements of the checklist that the lessons cover between them.
COVERED = [*range(1, 11), *range(12, 32), 33, 34, 36]

Check = Callable[[str, dict[str, Any]], None]
CHECKS: dict[str, Check] = {}


def lesson(check: Check) -> Check:
    """A check of the script of the same name: it gets the printed text and the script's names."""
    CHECKS[check.__name__.removeprefix("lesson_")] = check
    return check


def run(script: Path) -> tuple[str, dict[str, Any]]:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        names = runpy.run_path(str(script), run_name="__main__")
    return printed.getvalue(), names


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_lesson(script: Path) -> None:
    assert script.stem in CHECKS, f"{script.name} needs a check of its numbers here"
    text, names = run(script)
    CHECKS[script.stem](text, names)
    # The listing of a recorded step is as wide as it is; all else fits a screen.
    prose = text.partition("The step as it is recorded")[0]
    assert max(map(len, prose.splitlines())) <= 110


def test_every_check_has_its_script() -> None:
    assert sorted(CHECKS) == [script.stem for script in SCRIPTS]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_lesson_uses_the_public_faces_only(script: Path) -> None:
    for node in ast.walk(ast.parse(script.read_text("utf-8"))):
        if isinstance(node, ast.Import | ast.ImportFrom):
            module = getattr(node, "module", None) or node.names[0].name
            parts = [*module.split("."), *(name.name for name in node.names)]
            assert parts[0] in ("chainrule", "numpy", "math")
            assert parts[1:2] not in (["core"], ["ops"])
        if isinstance(node, ast.Attribute):
            private = node.attr.startswith("_") and not node.attr.endswith("__")
            assert not private, f"{node.attr} is private"


def test_the_table_of_contents_names_every_lesson_and_statement() -> None:
    contents = (LESSONS / "README.md").read_text("utf-8")
    shown = []
    for script in SCRIPTS:
        row = next(line for line in contents.splitlines() if f"({script.name})" in line)
        said = re.search(r"^Shows (.*)\.$", script.read_text("utf-8"), re.MULTILINE)
        assert said is not None, f"{script.name} does not say what it shows"
        numbers = re.findall(r"L\d+", said[1])
        assert re.findall(r"L\d+", row.rpartition("(")[2]) == numbers
        shown += numbers
    assert {f"L{number}" for number in COVERED} <= set(shown)


def number_after(words: str, text: str) -> float:
    """The first number after `words` in `text`."""
    found = re.search(re.escape(words) + r"\s*([-+]?[\d,]*\.?\d+(?:e[-+]\d+)?)", text)
    assert found is not None, f"nothing like {words!r} in:\n{text}"
    return float(found[1].replace(",", ""))


# -- the lessons


@lesson
def lesson_01_four_steps(text: str, names: dict[str, Any]) -> None:
    steps = ["1. Forward pass", "2. Loss", "3. Backward pass", "4. Update"]
    assert [text.index(step) for step in steps] == sorted(text.index(step) for step in steps)
    assert "32 rows in, 32 predictions out" in text
    assert "32 losses, averaged to one number: 2.2109" in text
    updates = re.findall(r"(\S+) - 0\.1 \* (\S+) = (\S+)", text)
    assert len(updates) == 2  # each parameter once
    for old, gradient, new in updates:
        assert float(new) == pytest.approx(float(old) - 0.1 * float(gradient), abs=1e-4)
    before, after = re.findall(r"([\d.]+) before, ([\d.]+) after", text)[0]
    assert float(after) < float(before)
    step = 1e-2
    for w in (0.0, 2.0, 3.5):
        rise = names["gradient_of_w"](w + step)[0] - names["gradient_of_w"](w - step)[0]
        assert names["gradient_of_w"](w)[1] == pytest.approx(rise / (2 * step), abs=1e-3)
    assert names["gradient_of_w"](2.0) == (0.0, 0.0)


@lesson
def lesson_02_forward_pass(text: str, names: dict[str, Any]) -> None:
    assert re.findall(r"(\d) in, (\d) out", text) == [("1", "3"), ("2", "5"), ("3", "7")]
    assert "0.8 * 1 + 0.2 * 2 + (-0.2) = 1.0" in text
    assert "ReLU      [0.000, 1.000, 0.750]" in text
    assert "Linear    [-0.175]" in text
    output = names["network"]()(names["cr"].tensor([1.0, 2.0])).item()
    assert output == pytest.approx(-0.175, abs=1e-6)
    assert "the parameters are the same" in text
    drawn = {box.title: box.lines for box in names["drawing"]().boxes}
    assert "gives [0, 1, 0.75]" in drawn["1"]
    assert "gives [-0.175]" in drawn["2"]
    assert names["drawing"]().text() in text


@lesson
def lesson_03_losses(text: str, names: dict[str, Any]) -> None:
    assert names["mse"]([3.0, 5.0, 7.0], [2.5, 5.5, 8.0]) == 0.5
    assert names["family"](2.0)[0] == 4.0
    assert names["family"](10.0)[0] == 100.0
    cross_entropy = names["cross_entropy"]
    assert round(cross_entropy([0.7, 0.2, 0.1], 0), 4) == 0.3567
    assert round(cross_entropy([0.7, 0.2, 0.1], [1.0, 0.0, 0.0]), 4) == 0.3567
    assert cross_entropy([0.7, 0.1, 0.2], 0) == pytest.approx(-np.log(0.7), abs=1e-6)
    assert cross_entropy([0.999, 0.0005, 0.0005], 0) < 0.002
    assert cross_entropy([0.001, 0.998, 0.001], 0) > 6
    assert "regression: 'charge' is a number" in text
    assert "classification: 'arm' is text" in text
    line = next(
        number
        for number, code in enumerate((LESSONS / "03_losses.py").read_text().splitlines(), start=1)
        if ".argmax(1)" in code
    )
    assert f"breaks at argmax (03_losses.py:{line})" in text


@lesson
def lesson_04_backpropagation(text: str, names: dict[str, Any]) -> None:
    values, by_hand = names["by_hand"]()
    assert values["z2"][0] == pytest.approx(-0.175, abs=1e-6)
    assert by_hand["2.bias"][0] == pytest.approx(-2 * (1 + 0.175), abs=1e-6)
    engine = names["by_engine"]()
    assert list(engine) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    for name, hand in by_hand.items():
        np.testing.assert_allclose(engine[name], hand, rtol=1e-6)
    assert not engine["0.weight"][0].any()  # at 0, the slope of ReLU is 0
    links, product = names["one_chain"]()
    assert list(links.values()) == pytest.approx([-2.35, -0.5, 1.0, 2.0])
    assert product == pytest.approx(float(engine["0.weight"][1, 1]))
    assert "DIFFERENT" not in text
    rates = [float(arrow.text.removeprefix("times ")) for arrow in names["chain_drawn"]().arrows]
    assert rates == pytest.approx([*links.values()][::-1])
    drawn = {box.title: box.lines for box in names["drawing"]().boxes}
    for name, hand in by_hand.items():
        layer, _, parameter = name.partition(".")
        (line,) = (one for one in drawn[layer] if f"gradient of {parameter} " in one)
        told = json.loads("[" + line.partition("[")[2])
        assert told == pytest.approx(hand.ravel().tolist(), abs=1e-3)
    assert names["drawing"]().text() in text
    phases = [instruction.phase for instruction in names["recorded"]().instructions]
    assert list(dict.fromkeys(phases)) == ["forward", "loss", "backward", "update"]
    assert names["recorded"]().listing() in text


@lesson
def lesson_05_why_backward(text: str, names: dict[str, Any]) -> None:
    counts = {}
    for row in re.findall(r"^ +(\d+) +(\d+) +(\d+) +[\d.]+ +(\d+) +[\d.]+$", text, re.MULTILINE):
        depth, *found = map(int, row)
        counts[depth] = found
    assert list(counts) == [2, 4, 8, 16, 32, 64]
    ratios = [together / forward for forward, together, _ in counts.values()]
    assert max(ratios) < 4
    assert max(ratios) / min(ratios) < 1.1  # flat
    for depth in (8, 16, 32):  # twice as deep
        assert counts[2 * depth][1] / counts[depth][1] == pytest.approx(2, rel=0.05)
        assert counts[2 * depth][2] / counts[depth][2] == pytest.approx(4, rel=0.15)


@lesson
def lesson_06_gradient_descent(text: str, names: dict[str, Any]) -> None:
    for row in (
        "step  0   w 0.6000   loss 5.7600",
        "step  1   w 1.0800   loss 3.6864",
        "step  2   w 1.4640   loss 2.3593",
        "step 19   w 2.9654   loss 0.0012",
    ):
        assert row in text
    path = names["descend"]()
    assert len(path) == 20
    for step, (w, loss) in enumerate(path, start=1):
        assert w == pytest.approx(3 - 3 * 0.8**step, abs=1e-5)
        assert loss == pytest.approx((w - 3) ** 2, abs=1e-5)
    assert "● after a step  ○ loss" in text


@lesson
def lesson_07_learning_rates(text: str, names: dict[str, Any]) -> None:
    for rate in names["RATES"].values():
        expected = [9 * (1 - 2 * rate) ** (2 * step) for step in range(31)]
        assert names["losses"](rate) == pytest.approx(expected, rel=1e-3, abs=1e-9)
    small, reasonable, large = (names["losses"](rate) for rate in names["RATES"].values())
    assert small[-1] > 0.8 * small[0]
    assert reasonable[-1] < 1e-4
    assert large[-1] > 100 * large[0]
    assert 0.001 <= names["RATES"]["reasonable"] <= 0.1


@lesson
def lesson_08_optimizers(text: str, names: dict[str, Any]) -> None:
    optim, cr = names["optim"], names["cr"]
    final = {name: names["descend"](name)[-1] for name in names["OPTIMIZERS"]}
    assert final["SGD"] > 10 * max(final[name] for name in ("momentum", "RMSprop", "Adam"))
    for name, (_, formula) in names["OPTIMIZERS"].items():
        assert f"{name:<9} loss after 150 steps {final[name]:8.5f}   {formula}" in text
    g = 4.0  # of (w - 1)² at w = 3; each formula's first step
    first_steps = {
        "SGD": 0.1 * g,
        "momentum": 0.1 * g,
        "RMSprop": 0.1 * g / np.sqrt(0.01 * g**2),
        "Adam": 0.1,
    }
    for name, change in first_steps.items():
        w = cr.Parameter(3.0)
        optimizer = names["OPTIMIZERS"][name][0]([w])
        assert isinstance(optimizer, optim.Optimizer)
        ((w - 1) ** 2).backward()
        optimizer.step()
        assert w.item() == pytest.approx(3.0 - change, abs=1e-5)
    assert names["gathered"](clear=False) == 12.0
    assert names["gathered"](clear=True) == 6.0
    assert "without zero_grad   12   with zero_grad    6" in text


@lesson
def lesson_09_tutorial(text: str, names: dict[str, Any]) -> None:
    assert len(names["losses"]) == 200
    assert names["losses"][-1] < 0.2 < names["losses"][0]
    assert number_after("w =", text) == pytest.approx(2.0, abs=0.1)
    assert number_after("b =", text) == pytest.approx(1.0, abs=0.1)
    x = names["x"].numpy()
    np.testing.assert_allclose(x, np.linspace(-3, 3, 100, dtype=np.float32)[:, None], atol=1e-6)
    slope, base = np.polyfit(x.ravel(), names["y"].numpy().ravel(), 1)
    assert names["model"].weight.item() == pytest.approx(slope, abs=1e-3)
    assert names["model"].bias.item() == pytest.approx(base, abs=1e-3)


@lesson
def lesson_10_prepare_data(text: str, names: dict[str, Any]) -> None:
    assert "4 rows left out: they repeat earlier rows (lines 201, 202, 203, 204)" in text
    assert "'twelve' taken as missing (line 21)" in text
    assert "1 missing value: zone 1" in text
    assert "rows: 140 train, 30 validation, 30 test" in text
    assert "train      mean +0.000, deviation 1.000" in text
    for part in ("validation", "test"):
        assert f"{part:<10} mean +0.000" not in text
    for zone in ("near", "far", "abroad"):
        assert f"zone = {zone}" in text
    assert "Batches of 32: [32, 32, 32, 32, 12]" in text
    assert "170 train, 30 validation, 50 test" in text


@lesson
def lesson_11_epochs_and_batches(text: str, names: dict[str, Any]) -> None:
    assert "1,000 rows in batches of  100: 10 updates an epoch" in text
    assert "1,000 rows in batches of   32: 32 updates an epoch" in text  # the last has 8 rows
    first, last = re.findall(r"10 updates an epoch, loss (\S+) in .*, (\S+) in epoch", text)[0]
    assert float(last) < 0.05 * float(first)


@lesson
def lesson_12_courier_charges(text: str, names: dict[str, Any]) -> None:
    assert "weight 100.00, bias 50.00" in text
    kilograms, charges = names["parcels"]()
    through_the_origin = float((kilograms * charges).sum() / (kilograms**2).sum())
    assert number_after("without a bias: weight", text) == pytest.approx(
        through_the_origin, abs=0.01
    )
    exact, forced = re.findall(r"typically: ([\d.]+) with a bias, ([\d.]+) without", text)[0]
    assert float(exact) < 0.01
    assert float(forced) > 20
    assert re.search(r"0\.0 +50 +50\.0 +0\.0$", text, re.MULTILINE)


@lesson
def lesson_13_activations(text: str, names: dict[str, Any]) -> None:
    straight, bent = re.findall(r"without activations ([\d.]+) +with ReLU ([\d.]+)", text)[0]
    squares = np.linspace(-1, 1, 61) ** 2
    assert float(straight) == pytest.approx(squares.var(), rel=0.01)  # the best a line can do
    assert float(bent) < 0.001
    assert number_after("the same to", text) < 1e-6


@lesson
def lesson_14_overfitting(text: str, names: dict[str, Any]) -> None:
    rows = re.findall(r"(best|last) epoch \( *(\d+)\) +([\d.]+) +([\d.]+)", text)
    (_, best, best_train, best_validation), (_, last, last_train, last_validation) = rows
    assert int(best) < int(last) == names["EPOCHS"]
    assert float(last_train) < 0.5 * float(best_train)
    assert float(last_validation) > 1.5 * float(best_validation)
    assert "validation worse: overfitting." in text
    assert "the validation loss did not fall for 10 epochs" in text
    assert number_after("With early stopping it ended after epoch", text) == int(best) + 10
    assert number_after("The weights of epoch", text) == int(best)
    assert number_after("with a validation loss of", text) == float(best_validation)


@lesson
def lesson_15_inference(text: str, names: dict[str, Any]) -> None:
    assert "the answers are equal, the parameters unchanged to the last bit" in text
    learning = re.search(r"learning step: (\{.*\})", text)
    assert learning is not None
    assert list(ast.literal_eval(learning[1])) == ["forward", "loss", "backward", "update"]
    assert re.search(r"of inference: +\{'forward': \d+\}$", text, re.MULTILINE)
    assert "What inference assigns: nothing" in text
    assert "learning from it is refused" in text
    chances = re.findall(r"^ +[-\d.]+ +[-\d.]+ +([\d.]+)$", text, re.MULTILINE)
    assert [float(chance) > 0.5 for chance in chances] == [True, False, True, False]


@lesson
def lesson_16_transformer_block(text: str, names: dict[str, Any]) -> None:
    assert re.search(r"\d+ forward, \d+ loss, \d+ backward, \d+ update", text)
    first, last = re.findall(r"The loss, from ([\d.]+) .* to ([\d.]+)", text)[0]
    assert float(first) > 1.9
    assert float(last) < 0.05
    assert "shown [1, 2, 3, 4, 5, 6]   answered [6, 5, 4, 3, 2, 1]" in text
