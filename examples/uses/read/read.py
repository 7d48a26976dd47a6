"""Read text: tell unwanted messages from wanted ones, and say which words gave them away.

    python examples/uses/read/read.py [TABLE COLUMN]

Any table with a column of text and a column of classes will do. Without one it reads SMS.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

from chainrule.train import Settings, train_table

SMS = Path(__file__).parents[4] / "shared" / "data" / "sms_spam.tsv"

MESSAGES = (
    "WINNER! You have won a 500 pounds prize. Call 09061701461 now to claim",
    "Are we still having lunch tomorrow? I can call you at one",
    "Your free ringtone is waiting, text YES to 85233",
)

# -- prepare and train


def train(table, target, folder, seed=0, **settings):
    """As `chainrule train TABLE --target COLUMN` does: repeated rows are left out, words counted.

    The network reads a text as the sum of a learned vector for each word and each pair of words.
    """
    known = {"data": str(table), "target": target, "output": f"{folder}/run-{seed}", "seed": seed}
    return train_table(Settings(**known, **settings))


# -- score


def judge(runs):
    """Scores on test rows, and those of always saying the most frequent class: means of runs."""
    parts = {"this network": "scores", "always the majority": "baseline"}
    return {
        name: np.mean([getattr(trained, part)["accuracy"] for trained in runs])
        for name, part in parts.items()
    }


# -- use


def telling_words(model, column, text, count=3):
    """The words without which the answer is less certain, and by how much its log-odds fall."""
    words = text.split()
    without = [" ".join(words[:i] + words[i + 1 :]) for i in range(len(words))]
    chances = model.predict({column: [text, *without]}).probabilities
    sure = np.clip(chances[:, chances[0].argmax()].astype(float), 1e-9, 1 - 1e-9)
    odds = np.log(sure / (1 - sure))
    drops = odds[0] - odds[1:]
    return [(words[i], float(drops[i])) for i in np.argsort(-drops)[:count] if drops[i] > 0]


def main(table=SMS, target="Label"):
    with tempfile.TemporaryDirectory() as folder:
        runs = [train(table, target, folder, seed) for seed in range(3)]
    model = runs[0].model
    print(f"Accuracy on {len(runs[0].prepared.test)} test rows, mean over three seeds:")
    for name, accuracy in judge(runs).items():
        print(f"  {name:<20} {accuracy:.4f}")
    column = model.preparation.inputs[0].name
    found = model.predict({column: list(MESSAGES)})
    for text, kind, chances in zip(MESSAGES, found.values, found.probabilities, strict=True):
        why = ", ".join(f"{word} {drop:.1f}" for word, drop in telling_words(model, column, text))
        print(f"{text}\n  {kind} {chances.max():.3f}, less without: {why}")


if __name__ == "__main__":
    main(*sys.argv[1:])
