"""Lesson 8: optimizers, corrections to one formula.

All of them start from new w = w - rate * gradient. Momentum keeps some of the last step, so it
rolls on through flat ground. RMSprop divides by the usual size of each parameter's own gradients,
so steep and flat directions move alike. Adam does both, and is what most people reach for first.
Here they go down a long, narrow valley, loss = a² / 50 + b², from a = 10 and b = 1.

Shows L28 and L29.
"""

import chainrule as cr
from chainrule import optim
from chainrule.explain import curve

OPTIMIZERS = {
    "SGD": (lambda cells: optim.SGD(cells, lr=0.1), "w - rate * g"),
    "momentum": (
        lambda cells: optim.SGD(cells, lr=0.1, momentum=0.9),
        "w - rate * m,            m = 0.9 * m + g",
    ),
    "RMSprop": (
        lambda cells: optim.RMSprop(cells, lr=0.1),
        "w - rate * g / sqrt(v),  v = 0.99 * v + 0.01 * g²",
    ),
    "Adam": (
        lambda cells: optim.Adam(cells, lr=0.1),
        "w - rate * m / sqrt(v),  m and v as running means of g and g²",
    ),
}


def descend(name, steps=150):
    """The losses on the way down the valley."""
    a, b = cr.Parameter(10.0), cr.Parameter(1.0)
    optimizer = OPTIMIZERS[name][0]([a, b])
    found = []
    for _ in range(steps):
        loss = a**2 / 50 + b**2
        found.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()  # one call updates every parameter
    return found


def gathered(clear):
    """The gradient of w * w at w = 3 after two backward passes, with or without zero_grad."""
    w = cr.Parameter(3.0)
    optimizer = optim.SGD([w], lr=0.1)
    for _ in range(2):
        if clear:
            optimizer.zero_grad()
        (w * w).backward()
    return w.grad.item()


def main():
    print(__doc__)
    found = {name: descend(name) for name in OPTIMIZERS}
    for name, (_, formula) in OPTIMIZERS.items():
        print(f"   {name:<9} loss after 150 steps {found[name][-1]:8.5f}   {formula}")
    print()
    print(curve(found, x_name="step", height=16))
    print("\nGradients are gathered until they are cleared. Two backward passes of w * w at w = 3:")
    print(f"   without zero_grad {gathered(False):>4.0f}   with zero_grad {gathered(True):>4.0f}")


if __name__ == "__main__":
    main()
