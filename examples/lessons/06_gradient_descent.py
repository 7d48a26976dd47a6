"""Lesson 6: gradient descent, seen whole.

With one parameter the loss can be drawn as a landscape: here (w - 3)², a valley with its floor at
w = 3. Starting at w = 0, each step goes against the gradient: downhill, and shorter as the ground
gets flatter. Twenty steps of new w = w - rate * gradient come close to the floor.

Shows L25 and L26.
"""

import chainrule as cr
from chainrule import optim
from chainrule.explain import curve


def descend(steps=20, rate=0.1):
    """Where w is after each step, and the loss there."""
    w = cr.tensor(0.0, requires_grad=True)
    optimizer = optim.SGD([w], lr=rate)
    path = []
    for _ in range(steps):
        loss = (w - 3) ** 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        path.append((w.item(), ((w - 3) ** 2).item()))
    return path


def landscape(path):
    """The loss over w, and on it the places that were stepped on."""
    places = [place / 20 for place in range(121)]  # w from 0 to 6
    nothing = float("nan")
    series = {
        "after a step": [nothing for _ in places] + [loss for _, loss in path],
        "loss": [(w - 3) ** 2 for w in places] + [nothing for _ in path],
    }
    return curve(series, x=[*places, *(w for w, _ in path)], x_name="w", height=16)


def main():
    print(__doc__)
    path = descend()
    for step, (w, loss) in enumerate(path):
        if step < 5 or step == len(path) - 1:
            print(f"   step {step:>2}   w {w:.4f}   loss {loss:.4f}")
        elif step == 5:
            print("        ...")
    print()
    print(landscape(path))


if __name__ == "__main__":
    main()
