"""Lesson 5: why the chain is walked backwards.

Two parameters of a deep network share most of the chain between them and the loss. Walking it once
from the end, and keeping what was multiplied so far, gives all gradients for a small multiple of
one forward pass, however deep the network is. Working out one gradient at a time walks the shared
end of the chain again and again, and the work grows with the square of the depth. Here nothing is
timed: chainrule writes a step down as a list of instructions, and those are counted.

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


def count(fn, phase):
    """How many instructions of a phase the recorded function has."""
    program = cr.compile(fn).program(cr.tensor([[1.0, 2.0, 3.0, 4.0]]))
    return sum(instruction.phase == phase for instruction in program.instructions)


def instructions(depth):
    """Of one forward pass, of all gradients at once, and of one gradient at a time."""
    model = network(depth)
    parameters = list(model.parameters())

    def together(x):
        return cr.grad(model(x).sum(), parameters)

    def one_at_a_time(x):
        output = model(x).sum()
        return [cr.grad(output, [parameter]) for parameter in parameters]

    return count(together, "forward"), count(together, "backward"), count(one_at_a_time, "backward")


def main():
    print(__doc__)
    print("Instructions")
    print("   depth   forward   all gradients   over forward   one at a time   over forward")
    found = {}
    for depth in DEPTHS:
        found[depth] = forward, together, one_by_one = instructions(depth)
        print(
            f"   {depth:>5} {forward:>9} {together:>15} {together / forward:>14.2f}"
            f" {one_by_one:>15} {one_by_one / forward:>14.2f}"
        )
    ratios = {
        "all at once": [together / forward for forward, together, _ in found.values()],
        "one at a time": [one_by_one / forward for forward, _, one_by_one in found.values()],
    }
    print("\nThe cost of all gradients in forward passes: flat, or growing with the depth.\n")
    print(curve(ratios, x=DEPTHS, x_name="layers"))


if __name__ == "__main__":
    main()
