"""Lesson 13: why there is something bent between the layers.

A linear layer of a linear layer is a linear layer: however many are stacked, the whole draws a
straight line, and the weights of the one layer that does the same can be written down. With an
activation in between, such as ReLU, every neuron can put a bend into the line, and many bends
make a curve. Both stacks are trained on the same curve, y = x².

Shows L14 and L15.
"""

import numpy as np

import chainrule as cr
from chainrule import nn, optim
from chainrule.explain import curve


def stack(bent):
    """Three linear layers, with or without ReLU between them."""
    between = nn.ReLU if bent else nn.Identity
    return nn.Sequential(
        nn.Linear(1, 16), between(), nn.Linear(16, 16), between(), nn.Linear(16, 1)
    )


def collapsed(model):
    """The one linear layer that does what a stack of linear layers does."""
    weight, bias = np.eye(1), np.zeros(1)
    for layer in model:
        if isinstance(layer, nn.Linear):
            weight = layer.weight.numpy() @ weight
            bias = layer.weight.numpy() @ bias + layer.bias.numpy()
    single = nn.Linear(1, 1)
    single.load_state_dict({"weight": weight, "bias": bias})
    return single


def learn(bent, epochs=400):
    """A stack trained on y = x² from -1 to 1, its predictions there, and its last loss."""
    cr.manual_seed(0)
    x = cr.tensor(np.linspace(-1, 1, 61, dtype=np.float32)[:, None])
    y = x**2
    model = stack(bent)
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    for _ in range(epochs):
        loss = nn.functional.mse_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model, x, loss.item()


def main():
    print(__doc__)
    straight, x, straight_loss = learn(bent=False)
    bent, _, bent_loss = learn(bent=True)
    single = collapsed(straight)
    apart = float(np.abs(single(x).numpy() - straight(x).numpy()).max())
    print("The three linear layers are one linear layer:")
    weight, bias = single.weight.item(), single.bias.item()
    print(f"   {weight:.4f} * x + {bias:.4f}, the same to {apart:.0e}\n")
    print("The loss after the same training:")
    print(f"   without activations {straight_loss:.5f}   with ReLU {bent_loss:.5f}\n")
    drawn = {"with ReLU": bent(x), "without": straight(x), "x²": x**2}
    series = {name: line.numpy().ravel().tolist() for name, line in drawn.items()}
    print(curve(series, x=x.numpy().ravel().tolist(), x_name="x", height=16))


if __name__ == "__main__":
    main()
