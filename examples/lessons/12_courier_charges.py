"""Lesson 12: learning a price list.

A courier takes 100 a kilogram and 50 for coming at all. One neuron that sees weights and charges,
and is told nothing else, learns just that: weight 100 and bias 50. The bias is the part that does
not depend on the input. Without it the line is forced through (0, 0), a parcel of no weight would
have to cost nothing, and no weight of the neuron fits.

Shows L33.
"""

import numpy as np

import chainrule as cr
from chainrule import nn, optim
from chainrule.data import courier
from chainrule.explain import curve


def parcels():
    """50 parcels: kilograms and charges, each [50, 1]."""
    table = courier(rows=50)
    columns = (table.column(name).numbers for name in ("kilograms", "charge"))
    return [column.astype(np.float32)[:, None] for column in columns]


def learn(bias, epochs=2000):
    """The neuron after training, and its last loss."""
    cr.manual_seed(0)
    kilograms, charges = map(cr.from_numpy, parcels())
    model = nn.Linear(1, 1, bias=bias)
    optimizer = optim.SGD(model.parameters(), lr=0.05)
    for _ in range(epochs):
        loss = nn.functional.mse_loss(model(kilograms), charges)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model, loss.item()


def main():
    print(__doc__)
    with_bias, loss = learn(bias=True)
    without, remaining = learn(bias=False)
    weight, base = with_bias.weight.item(), with_bias.bias.item()
    print(f"   with a bias:    weight {weight:.2f}, bias {base:.2f}")
    print(f"   without a bias: weight {without.weight.item():.2f}")
    print(f"   off by, typically: {loss**0.5:.2f} with a bias, {remaining**0.5:.2f} without\n")
    places = np.linspace(0, 5, 60, dtype=np.float32)[:, None]
    lines = {
        name: model(cr.from_numpy(places)).numpy().ravel().tolist()
        for name, model in (("with a bias", with_bias), ("without", without))
    }
    print(curve(lines, x=places.ravel().tolist(), x_name="kilograms"))
    print("\n   kilograms   charge   with a bias   without")
    for kilograms in (0.0, 0.1, 1.0, 2.5, 5.0):
        parcel = cr.tensor([[kilograms]])
        right, wrong = with_bias(parcel).item(), without(parcel).item()
        print(f"   {kilograms:>9.1f} {100 * kilograms + 50:>8.0f} {right:>13.1f} {wrong:>9.1f}")


if __name__ == "__main__":
    main()
