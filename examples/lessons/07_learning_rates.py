"""Lesson 7: the learning rate, the size of the steps.

The gradient says which way is down and how steep it is, not how far to go. Too small a rate barely
moves; a reasonable one goes down smoothly; too large a rate jumps over the valley and lands higher
than it started, again and again: training diverges. Typical rates lie between 0.001 and 0.1.

Shows L27.
"""

import chainrule as cr
from chainrule import optim
from chainrule.explain import curve

RATES = {"too small": 0.001, "reasonable": 0.1, "too large": 1.05}


def losses(rate, steps=30):
    """The losses of gradient descent on (w - 3)² from w = 0: at first, and after each step."""
    w = cr.tensor(0.0, requires_grad=True)
    optimizer = optim.SGD([w], lr=rate)
    found = []
    for _ in range(steps):
        loss = (w - 3) ** 2
        found.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return [*found, ((w - 3) ** 2).item()]


def main():
    print(__doc__)
    found = {f"{name} ({rate})": losses(rate) for name, rate in RATES.items()}
    for name, course in found.items():
        print(f"   {name:<18} loss {course[0]:.4f} at first, {course[-1]:.6f} after 30 steps")
    print("\nThe loss by step; each line up is the same factor:\n")
    print(curve(found, x=range(31), x_name="step", log=True, height=16))


if __name__ == "__main__":
    main()
