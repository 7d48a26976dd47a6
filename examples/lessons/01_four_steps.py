"""Lesson 1: the four steps of learning, taken once, on one batch.

A model is a function whose behaviour is its parameters. This one is a line, w * x + b, and it
starts out knowing nothing: w = 0 and b = 0. Learning nudges w and b so that the gap between
prediction and truth shrinks. Each batch of rows goes through four steps: forward pass, loss,
backward pass, update. Here they happen once, slowly, on 32 rows of the line y = 2x + 1.

Shows L1, L2, L3, L20 and L25.
"""

import chainrule as cr


def batch():
    """32 rows: x from -1 to just below 1, and the truth y = 2x + 1."""
    x = cr.tensor([row / 16 - 1.0 for row in range(32)])
    return x, 2 * x + 1


def gradient_of_w(w, b=1.0):
    """The loss at some w, and its gradient there: how steeply the loss grows with w."""
    x, y = batch()
    parameter = cr.Parameter(w)
    loss = ((parameter * x + b - y) ** 2).mean()
    loss.backward()
    return loss.item(), parameter.grad.item()


def one_update(rate=0.1):
    x, y = batch()
    w, b = cr.Parameter(0.0), cr.Parameter(0.0)

    print("1. Forward pass: 32 rows in, 32 predictions out.")
    predictions = w * x + b
    print(f"   the first: {predictions[0]:.3f}, the truth: {y[0]:.3f}")

    print("2. Loss: how far each prediction is from its truth, squared, and then the mean.")
    losses = (predictions - y) ** 2
    loss = losses.mean()
    print(f"   {len(losses)} losses, averaged to one number: {loss:.4f}")

    print("3. Backward pass: a gradient for each parameter.")
    loss.backward()
    print(f"   w: {w.grad:+.4f}   b: {b.grad:+.4f}   (minus: the loss falls when it grows)")

    print(f"4. Update: new = old - rate * gradient, for both at once. The rate is {rate}.")
    with cr.no_grad():
        for name, parameter in (("w", w), ("b", b)):
            old = parameter.item()
            parameter -= rate * parameter.grad
            print(f"   {name}: {old:.4f} - {rate} * {parameter.grad:+.4f} = {parameter:.4f}")

    after = ((w * x + b - y) ** 2).mean()
    print(f"\nThat was one update. The loss of the batch: {loss:.4f} before, {after:.4f} after.")
    return loss.item(), after.item()


def main():
    print(__doc__)
    one_update()
    print("\nWhat a gradient says (with b = 1; the truth is w = 2):")
    for w in (0.0, 1.0, 2.0, 3.0, 4.0):
        loss, gradient = gradient_of_w(w)
        better = "flat" if gradient == 0 else "w should grow" if gradient < 0 else "w should shrink"
        print(f"   w = {w:.0f}   loss {loss:.4f}   gradient {gradient:+.4f}   {better}")
    print("Its sign is the direction in which the loss grows, its size is the steepness.")


if __name__ == "__main__":
    main()
