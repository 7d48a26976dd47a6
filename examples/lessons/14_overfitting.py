"""Lesson 14: overfitting, seen, named and stopped.

A large network that sees few rows for many epochs can learn them by heart, mistakes included.
Then the loss of the training rows goes on falling while the loss of rows that it has not trained
on rises: it memorises instead of generalising. That is called overfitting, and it is why some
rows are kept apart for validation. Early stopping ends the training once the validation loss has
not fallen for a while, and keeps the weights of the best epoch.

Shows L34.
"""

import numpy as np

import chainrule as cr
from chainrule import nn, optim
from chainrule.explain import curve
from chainrule.train import fit

EPOCHS = 100


def answers(rows, seed):
    """Rows of four numbers and an answer, yes or no, that they decide; a fifth of them is wrong."""
    rng = np.random.default_rng(seed)
    measured = rng.standard_normal((rows, 4)).astype(np.float32)
    wrong = rng.random(rows) < 0.2
    return measured, ((measured[:, 0] + measured[:, 1] > 0) ^ wrong).astype(np.int64)


def train(patience):
    """The history of a training that stops after `patience` epochs without improvement."""
    cr.manual_seed(0)
    network = nn.Sequential(
        nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2)
    )
    return fit(
        network,
        nn.CrossEntropyLoss(),
        optim.Adam(network.parameters(), lr=0.003),
        answers(100, seed=0),
        answers(200, seed=1),
        epochs=EPOCHS,
        batch_size=50,
        patience=patience,
    )


def verdict(history):
    """What the two losses at the end say beside those of the best epoch."""
    best, last = history.best, history.epochs[-1]
    learned, worse = last.train_loss < best.train_loss, last.validation_loss > best.validation_loss
    return "overfitting" if learned and worse else "no overfitting"


def main():
    print(__doc__)
    long, stopped = train(patience=EPOCHS), train(patience=10)
    print("                      training loss   validation loss")
    for name, epoch in (("best epoch", long.best), ("last epoch", long.epochs[-1])):
        losses = f"{epoch.train_loss:>13.4f} {epoch.validation_loss:>17.4f}"
        print(f"   {name} ({epoch.epoch:>3}) {losses}")
    print(f"   Since epoch {long.best_epoch} training got better, validation worse:", end=" ")
    print(f"{verdict(long)}.\n")
    losses = {
        "training": [epoch.train_loss for epoch in long.epochs],
        "validation": [epoch.validation_loss for epoch in long.epochs],
    }
    print(curve(losses, x_name="epoch", height=14))
    print(f"\nWith early stopping it ended after epoch {len(stopped.epochs)}: {stopped.stopped}.")
    print(f"The weights of epoch {stopped.best_epoch} are kept, with a validation loss of", end=" ")
    print(f"{stopped.best.validation_loss:.4f}.")


if __name__ == "__main__":
    main()
