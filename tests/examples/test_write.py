"""The example that writes text: a small GPT learns a small language of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.examples.uses import load

example = load("write")
SMALL = dict(context=16, width=32, layers=1, heads=2, batch=16, epochs=3, rate=1e-2)


def test_a_text_is_learned_and_gone_on_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two words in turn, by chance: only their first letters are uncertain."""
    words = np.random.default_rng(0).choice(["aloud ", "river "], 3000)
    path = tmp_path / "text.txt"
    path.write_text("".join(words), "utf-8")
    loss = example.run(path, "alo?", 60, **SMALL)
    printed = capsys.readouterr().out
    assert loss < 0.4  # letters by their frequency alone: 2.1; knowing the words, about 0.12
    written = printed.partition("alo?")[2].partition("\n")[0].split()
    assert written[0] == "ud"
    right = [word in ("aloud", "river") for word in written[1:-1]]
    assert np.mean(right) > 0.6


def test_windows_are_followed_by_themselves_one_on() -> None:
    inputs, following = example.windows(np.arange(20), 4, start=3)
    assert inputs.shape == following.shape == (4, 4)
    np.testing.assert_array_equal(inputs + 1, following)
    assert inputs[0, 0] == 3
