"""The example that translates text, on a small language that is another word for word."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sacrebleu")
pytest.importorskip("tokenizers")

from tests.examples.uses import load

example = load("translate")
SMALL = dict(pieces=60, width=32, layers=1, batch=32, epochs=8, rate=1e-2)
WORDS = {"red": "rouge", "big": "grand", "cat": "chat", "dog": "chien", "sees": "voit", "a": "un"}


def pairs_file(folder: Path) -> Path:
    """A subject sees an object; some sentences have a second French one, one is too long."""
    lines = []
    for number in np.random.default_rng(0).permutation(6**4)[:900]:
        chosen = [list(WORDS)[number // 6**place % 6] for place in range(4)]
        lines.append(f"{' '.join(chosen)}.\t{' '.join(WORDS[word] for word in chosen)}\u202f.\tme")
    lines.append(lines[0].replace("\u202f.", "\u202f!"))
    lines.append(f"{'cat ' * 13}.\tchat")
    path = folder / "pairs.zip"
    with zipfile.ZipFile(path, "w") as files:
        files.writestr("_about.txt", "from here")
        files.writestr("fra.txt", "\n".join(lines))
    return path


def test_sentences_are_translated_far_better_than_by_copying(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scores = example.run(pairs_file(tmp_path), test=50, **SMALL)
    assert scores["greedy"] > 40
    assert scores["beam of 4"] > 40
    assert scores["English as it is"] < 20
    assert capsys.readouterr().out.count("right:") == 5


def test_no_sentence_of_the_test_is_trained_on(tmp_path: Path) -> None:
    pairs, test = example.read(pairs_file(tmp_path), 100)
    everything = [english for english, _ in pairs]
    assert len(test) == 100
    assert len(set(everything)) == 800
    assert not set(everything) & set(test)
    assert len(pairs) + sum(map(len, test.values())) == 901
    assert all("\u202f" not in french for _, french in pairs)


def test_batches_hold_similar_lengths_and_padding() -> None:
    pairs = [([4] * (number % 20 + 1), [1] + [5] * (number % 20) + [2]) for number in range(400)]
    found = list(example.batches(pairs, 16, np.random.default_rng(0)))
    assert {(s.shape, t.shape) for s, t in found} == {
        ((16, short), (16, long)) for short, long in example.LENGTHS
    }
    for source, target in found:
        np.testing.assert_array_equal((source > 0).sum(1) + 1, (target > 0).sum(1))
