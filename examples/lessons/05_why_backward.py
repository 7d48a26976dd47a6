"""Lesson 5: why the chain is walked backwards.

Two parameters of a deep network share most of the chain between them and the loss. Walking it once
from the end, and keeping what was multiplied so far, gives all gradients for about the price of two
more forward passes. Working out one layer's gradient at a time walks the shared end of the chain
again and again, and the work grows with the square of the depth. Here nothing is timed: chainrule
writes a step down as a list of instructions, and those are counted.

Shows L23.
"""

import chainrule as cr
from chainrule import nn
from chainrule.explain import curve

DEPTHS = (2, 4, 8, 16, 32, 64)


def network(depth):
    """`depth` layers of four neurons, each followed by tanh."""
    layers = [module for _ in range(depth) for module in (nn.Linear(4, 4), nn.Tanh())]
    return nn.Sequential(*layers)


def count(fn, *phases):
    """How many instructions of these phases a recorded function has."""
    program = cr.compile(fn).program(cr.tensor([[1.0, 2.0, 3.0, 4.0]]))
    return sum(instruction.phase in phases for instruction in program.instructions)


def instructions(depth):
    """Of one forward pass, of all gradients at once, and of one layer's gradients at a time."""
    model = network(depth)
    layers = [list(layer.parameters()) for layer in model if isinstance(layer, nn.Linear)]

    def gradients_of(parameters):
        return lambda x: cr.grad(model(x).sum(), parameters)

    forward = count(lambda x: model(x).sum(), "forward")
    together = count(gradients_of([p for layer in layers for p in layer]), "backward")
    one_by_one = sum(count(gradients_of(layer), "backward") for layer in layers)
    return forward, together, one_by_one


def main():
    print(__doc__)
    print("Instructions")
    print("   depth   forward   all gradients   over forward   a layer at a time   over forward")
    found = {}
    for depth in DEPTHS:
        found[depth] = forward, together, one_by_one = instructions(depth)
        print(
            f"   {depth:>5} {forward:>9} {together:>15} {together / forward:>14.2f}"
            f" {one_by_one:>19} {one_by_one / forward:>14.2f}"
        )
    ratios = {
        "all at once": [together / forward for forward, together, _ in found.values()],
        "a layer at a time": [one_by_one / forward for forward, _, one_by_one in found.values()],
    }
    print("\nThe cost of all gradients, in forward passes, by depth:\n")
    print(curve(ratios, x=DEPTHS, x_name="layers"))


if __name__ == "__main__":
    main()
