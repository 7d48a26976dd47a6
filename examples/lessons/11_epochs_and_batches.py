"""Lesson 11: epochs and batches, the whole cycle.

Training takes the rows a batch at a time, in a new order each time through. Each batch goes
through the four steps and makes exactly one update. Once through all rows is an epoch: 1,000 rows
in batches of 100 are 10 updates. After many epochs the loss has gone down and stays down.

Shows L3, L4, L5 and L10.
"""

import numpy as np

import chainrule as cr
from chainrule import nn, optim
from chainrule.data import batches, row_order
from chainrule.explain import curve


def wave(rows):
    """Points on one period of a sine wave, shuffled, with a little noise."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (rows, 1)).astype(np.float32)
    y = np.sin(np.pi * x) + 0.05 * rng.standard_normal((rows, 1))
    return x, y.astype(np.float32)


def train(rows=1000, batch_size=100, epochs=60):
    """The mean loss of each epoch, and how many updates an epoch made."""
    cr.manual_seed(0)
    x, y = wave(rows)
    model = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 1))
    loss_function = nn.MSELoss()
    optimizer = optim.Adam(model.parameters(), lr=0.01)

    @cr.compile
    def learn(inputs, targets):
        loss = loss_function(model(inputs), targets)  # forward pass, loss
        optimizer.zero_grad()
        loss.backward()  # backward pass
        optimizer.step()  # update
        return loss

    course, updates = [], 0
    for epoch in range(epochs):
        losses = []
        for chosen in batches(row_order(rows, seed=0, epoch=epoch), batch_size):
            losses.append(learn(x[chosen], y[chosen]).item())
            updates += 1
        course.append(float(np.mean(losses)))
    return course, updates // epochs


def main():
    print(__doc__)
    for rows, batch_size in ((1000, 100), (1000, 32), (1000, 1000)):
        course, updates = train(rows, batch_size)
        print(
            f"   {rows:,} rows in batches of {batch_size:>4}: {updates:>2} updates an epoch,"
            f" loss {course[0]:.4f} in the first epoch, {course[-1]:.4f} in epoch {len(course)}"
        )
    print("\nThe loss by epoch, in batches of 100 (noise alone would leave 0.0025):\n")
    print(curve({"loss": train()[0]}, x_name="epoch", log=True))


if __name__ == "__main__":
    main()
