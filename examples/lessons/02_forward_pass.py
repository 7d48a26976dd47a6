"""Lesson 2: neurons, layers and the forward pass.

A neuron multiplies each input by a weight, adds everything up, and adds a bias:
w1 * x1 + ... + wn * xn + b. A layer is several neurons side by side that look at the same inputs.
A network is layers one after the other, with something bent between them: here ReLU, which keeps
what is positive and makes the rest 0. The forward pass computes outputs; it learns nothing.

Shows L12, L13, L14 and L16.
"""

import chainrule as cr
from chainrule import nn
from chainrule.explain import open_step


def neuron():
    """One neuron with one input: w = 2, b = 1."""
    layer = nn.Linear(1, 1)
    layer.load_state_dict({"weight": [[2.0]], "bias": [1.0]})
    return layer


def network():
    """Two inputs, three neurons with ReLU, one output: with the numbers of the lesson."""
    layers = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    layers.load_state_dict(
        {
            "0.weight": [[0.5, -0.3], [0.8, 0.2], [-0.1, 0.4]],
            "0.bias": [0.1, -0.2, 0.05],
            "2.weight": [[0.7, -0.5, 0.3]],
            "2.bias": [0.1],
        }
    )
    return layers


def drawing():
    """The network with the numbers that flow through it; `.save("network.svg")` writes it."""
    model = network()
    forward = cr.compile(lambda x: model(x), backend="interpret")
    return open_step(forward, cr.tensor([[1.0, 2.0]])).graph()


def numbers(tensor):
    return "[" + ", ".join(f"{round(n, 6) + 0.0:.3f}" for n in tensor.tolist()) + "]"


def main():
    print(__doc__)
    print("One neuron, w = 2 and b = 1:")
    for x in (1.0, 2.0, 3.0):
        print(f"   {x:.0f} in, {neuron()(cr.tensor([x])).item():.0f} out")

    print("\nA neuron with two inputs is the same sum with one more term:")
    x, first = cr.tensor([1.0, 2.0]), network()[0]
    w, b = first.weight[1], first.bias[1]
    terms = " + ".join(f"{w[i]:.1f} * {x[i]:.0f}" for i in range(2))
    print(f"   {terms} + ({b:.1f}) = {(w * x).sum() + b:.1f}")

    print("\nThree such neurons, ReLU, and one neuron on top of them:")
    print(network())
    value = x
    print(f"   x         {numbers(value)}")
    for layer in network():
        value = layer(value)
        print(f"   {type(layer).__name__:<9} {numbers(value)}")
    print("\nThe same, drawn:")
    print(drawing().text())
    print("More layers would go on in the same way: linear, bend, linear, bend, ...")

    model = network()
    before = model.state_dict()
    for _ in range(3):
        model(x)
    same = all((before[name] == now).numpy().all() for name, now in model.state_dict().items())
    print(f"\nAfter three forward passes the parameters are {'the same' if same else 'changed'}:")
    print("computing outputs teaches a network nothing. For that there are three more steps.")


if __name__ == "__main__":
    main()
