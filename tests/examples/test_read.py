"""The example that reads: which words make a message unwanted is learned, and said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tests.examples.uses import load

example = load("read")


def test_telling_words_are_found(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    plain = ["lunch", "home", "later", "see", "you", "the", "train", "sorry", "work", "mum", "ok"]
    lines = ["kind\tmessage"]
    for number in range(400):
        spam = number % 4 == 0
        words = [*rng.choice(plain, 6), *rng.choice(["prize", "claim", "urgent"], int(spam))]
        lines.append(f"{'spam' if spam else 'ham'}\t{' '.join(rng.permutation(words))} {number}")
    table = tmp_path / "messages.tsv"
    table.write_text("\n".join(lines), "utf-8")
    trained = example.train(table, "kind", tmp_path, epochs=30, lr=0.02)
    scores = example.judge([trained])
    assert scores["this network"] > 0.85 > scores["always the majority"]
    (word, drop), *_ = example.telling_words(trained.model, "message", "see you home prize later")
    assert word == "prize"
    assert drop > 1
