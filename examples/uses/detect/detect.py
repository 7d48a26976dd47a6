"""Detect fraud: find the few payments among many that somebody should look at.

    python examples/uses/detect/detect.py [TABLE COLUMN [PRECISION]]

Any table with a column of two classes, one of them rare, will do. Without one payments are made.
"""

import sys
import tempfile

import numpy as np

import chainrule as cr
from chainrule import nn, optim
from chainrule.data import read_table
from chainrule.train import Settings, average_precision, train_table


# -- prepare
def make_payments(path, rows=40_000, seed=0):
    """Writes a table of payments; gives the chance of fraud that each row was drawn with.

    The recipe: log-odds of -8; +6 for an online payment from a new device, +3 from abroad, +1 for
    each further payment within the hour, +3 for an amount above 60 by night, +3 for gift cards and
    electronics, and on a card's first 60 days all of that twice.
    """
    rng = np.random.default_rng(seed)
    shops = ["grocery", "fuel", "restaurant", "clothing", "travel", "electronics", "gift cards"]
    columns = {
        "amount": np.round(rng.lognormal(3.3, 1.1, rows), 2),
        "hour": (rng.binomial(23, 0.6, rows) + rng.choice([0, 12], rows, p=[0.9, 0.1])) % 24,
        "shop": rng.choice(shops, rows, p=[0.35, 0.15, 0.2, 0.13, 0.07, 0.07, 0.03]),
        "channel": rng.choice(["chip", "contactless", "online"], rows, p=[0.3, 0.45, 0.25]),
        "country": np.where(rng.random(rows) < 0.1, "abroad", "home"),
        "new_device": np.where(rng.random(rows) < 0.12, "yes", "no"),
        "within_hour": rng.poisson(0.25, rows),
        "card_days": rng.integers(1, 1500, rows),
    }
    signs = (
        6 * ((columns["new_device"] == "yes") & (columns["channel"] == "online"))
        + 3 * (columns["country"] != "home")
        + columns["within_hour"]
        + 3 * ((columns["hour"] < 6) & (columns["amount"] > 60))
        + 3 * np.isin(columns["shop"], ["gift cards", "electronics"])
    )
    chance = 1 / (1 + np.exp(8 - signs * np.where(columns["card_days"] < 60, 2, 1)))
    columns["fraud"] = np.where(rng.random(rows) < chance, "yes", "no")
    table = np.stack([*columns.values()], axis=1)
    np.savetxt(path, table, "%s", ",", header=",".join(columns), comments="")
    return chance


# -- train


def train(table, target, folder, class_weight=None, seed=0, **settings):
    """A network for the table, as `chainrule train` makes it; its run lies in the folder."""
    settings |= {"class_weight": class_weight, "output": f"{folder}/run-{seed}-{class_weight}"}
    return train_table(Settings(data=str(table), target=target, seed=seed, **settings))


def odds(trained, part):
    """Of some rows: the log-odds that they are of the rare class, and whether they are."""
    rare = int(np.argmin(trained.prepared.trivial[0]))
    outputs = trained.model.outputs(part.numbers, part.codes).astype(np.float64)
    chances = np.clip(outputs[:, rare], 1e-7, 1 - 1e-7)
    return np.log(chances / (1 - chances)), part.target == rare


def calibration(odds, rare, steps=300):
    """Platt's scaling, sigmoid(slope x log-odds + shift), learned from rows held out."""
    scale = nn.Linear(1, 1)
    scale.load_state_dict({"weight": np.ones((1, 1), "f4"), "bias": np.zeros(1, "f4")})
    optimizer, criterion = optim.Adam(scale.parameters(), lr=0.05), nn.BCEWithLogitsLoss()

    @cr.compile
    def learn(odds, rare):
        loss = criterion(scale(odds), rare)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    columns = [cr.as_tensor(column.astype("float32")[:, None]) for column in (odds, rare)]
    for _ in range(steps):
        learn(*columns)
    return lambda odds: 1 / (1 + np.exp(-scale.weight.item() * odds - scale.bias.item()))


# -- score


def threshold_for(precision, chances, rare):
    """The least threshold from which on so large a share is rare; above 1 if there is none."""
    order = np.argsort(-chances)
    reached = np.cumsum(rare[order]) / np.arange(1, len(order) + 1) >= precision
    return float(chances[order][reached.nonzero()[0][-1]]) if reached.any() else 1.1


def judge(trained, precision):
    """The scores on test rows; calibration and threshold are learned from validation rows."""
    held_out, rare = odds(trained, trained.prepared.validation)
    calibrate = calibration(held_out, rare)
    threshold = threshold_for(precision, calibrate(held_out), rare)
    unseen, rare = odds(trained, trained.prepared.test)
    flagged = calibrate(unseen) >= threshold
    log_loss = lambda sure: -np.log(np.where(rare, sure, 1 - sure)).mean()
    return (
        {
            "share of frauds": rare.mean(),
            "average precision": average_precision(unseen, rare),
            "log loss as trained": log_loss(1 / (1 + np.exp(-unseen))),
            "log loss calibrated": log_loss(calibrate(unseen)),
            "precision": (flagged & rare).sum() / max(1, flagged.sum()),
            "recall": (flagged & rare).sum() / rare.sum(),
        },
        calibrate,
        threshold,
    )


# -- use


def first_to_check(trained, table, calibrate, threshold, count=5):
    """The rows of the test part that somebody should look at first."""
    part, rows = trained.prepared.test, read_table(table)
    chances = calibrate(odds(trained, part)[0])
    print(f"{(chances >= threshold).sum()} of {len(part):,} test rows reach {threshold:.2f}:")
    for chance, line in sorted(zip(chances, part.lines, strict=True), reverse=True)[:count]:
        cells = (str(column.cells[rows.lines == line][0]) for column in rows.columns.values())
        print(f"  {chance:.2f}  line {line}: {', '.join(cells)}")


def main(table=None, target="fraud", precision="0.7"):
    with tempfile.TemporaryDirectory() as folder:
        if table is None:
            make_payments(table := f"{folder}/payments.csv")
        for weights in ("balanced", None):
            runs = [train(table, target, folder, weights, seed) for seed in range(3)]
            found = [judge(trained, float(precision)) for trained in runs]
            print(f"Class weights: {weights or 'none'}; means over three seeds:")
            for name in found[0][0]:
                print(f"  {name:<20} {np.mean([scores[name] for scores, *_ in found]):.4f}")
        first_to_check(runs[0], table, *found[0][1:])


if __name__ == "__main__":
    main(*sys.argv[1:])
