"""Lesson 4: backpropagation, link by link.

The loss depends on the output, the output on the hidden neurons, and they on their weights. The
chain rule says: the effect of the first on the last is the product of the rates of change along
the way. Backpropagation walks that chain from its end, the loss, and keeps each product for the
next link. Here it is done by hand for the small network of lesson 2, and then by the engine.

Shows L2, L21, L22 and L24.
"""

import numpy as np

import chainrule as cr
from chainrule import nn, optim
from chainrule.explain import open_step
from chainrule.explain.pictures import Arrow, Box, Diagram

X, Y = [1.0, 2.0], [1.0]  # one row: two inputs and the target
STATE = {
    "0.weight": [[0.5, -0.3], [0.8, 0.2], [-0.1, 0.4]],
    "0.bias": [0.1, -0.2, 0.05],
    "2.weight": [[0.7, -0.5, 0.3]],
    "2.bias": [0.1],
}


def network():
    layers = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    layers.load_state_dict(STATE)
    return layers


def by_hand():
    """Every gradient of loss = (y - z2)², in NumPy, one link after the other."""
    w1, b1, w2, b2 = (np.array(numbers, np.float32) for numbers in STATE.values())
    x, y = np.array(X, np.float32), np.array(Y, np.float32)
    z1 = w1 @ x + b1
    a1 = np.where(z1 > 0, z1, 0)
    z2 = w2 @ a1 + b2
    dz2 = -2 * (y - z2)
    dw2 = np.outer(dz2, a1)
    da1 = dz2 @ w2
    dz1 = da1 * (z1 > 0)
    dw1 = np.outer(dz1, x)
    gradients = {"0.weight": dw1, "0.bias": dz1, "2.weight": dw2, "2.bias": dz2}
    return {"z1": z1, "a1": a1, "z2": z2, "da1": da1}, gradients


def by_engine():
    """The same gradients, by name, from loss.backward()."""
    model = network()
    nn.MSELoss()(model(cr.tensor(X)), cr.tensor(Y)).backward()
    return {name: parameter.grad.numpy() for name, parameter in model.named_parameters()}


def one_chain():
    """From the loss back to one weight, that of x2 in the second hidden neuron."""
    values, gradients = by_hand()
    links = {
        "d loss  / d z2       -2 (y - z2)": float(gradients["2.bias"][0]),
        "d z2    / d a1[1]    W2[1]": STATE["2.weight"][0][1],
        "d a1[1] / d z1[1]    1, for z1[1] > 0": float(values["z1"][1] > 0),
        "d z1[1] / d W1[1,1]  x[1]": X[1],
    }
    return links, float(np.prod(list(links.values())))


def chain_drawn():
    """The same chain as a diagram, the rate of change of each link beside its arrow."""
    values, _ = by_hand()
    z2 = float(values["z2"][0])
    boxes = [
        Box("W1[1,1]", [f"{STATE['0.weight'][1][1]}"], 3),
        Box("z1[1]", [f"{values['z1'][1]:.3f}"]),
        Box("a1[1]", [f"{values['a1'][1]:.3f}"]),
        Box("z2", [f"{z2:.3f}"]),
        Box("loss", [f"{(Y[0] - z2) ** 2:.3f}"], 4),
    ]
    rates, product = one_chain()
    backwards = list(rates.values())[::-1]
    arrows = [Arrow(at, at + 1, f"times {rate:+.3f}") for at, rate in enumerate(backwards)]
    about = f"All rates along the way multiplied: {product:+.3f}, the gradient of W1[1,1]."
    return Diagram("chain", "From one weight to the loss", about, boxes, arrows)


def step():
    """The compiled step of learning: forward, loss, backward, update."""
    model, loss_function = network(), nn.MSELoss()
    optimizer = optim.SGD(model.parameters(), lr=0.1)

    def learn(x, y):
        loss = loss_function(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return cr.compile(learn, backend="interpret")


def drawing():
    """The network with what each layer gave, and the gradient of that, and of its weights."""
    return open_step(step(), cr.tensor([X]), cr.tensor([Y])).graph()


def recorded():
    """The whole step as the list of instructions that chainrule runs."""
    return step().program(cr.tensor(X), cr.tensor(Y))


def main():
    print(__doc__)
    links, product = one_chain()
    print("The chain from the loss to one weight, W1[1,1]:")
    for link, rate in links.items():
        print(f"   {link:<38} {rate:+.3f}")
    engine = by_engine()
    print(f"   {'all four multiplied: d loss / d W1[1,1]':<38} {product:+.3f}")
    print(f"   {'the engine':<38} {engine['0.weight'][1, 1]:+.3f}")

    print("\nThe chain, drawn from the weight to the loss:")
    print(chain_drawn().text())

    print("\nEvery gradient, by hand and by the engine: what each parameter did to the error.")
    for name, hand in by_hand()[1].items():
        row = "  ".join(f"{number + 0.0:+.4f}" for number in hand.ravel())
        same = np.allclose(hand, engine[name], rtol=1e-6)
        print(f"   {name:<9} {'equal' if same else 'DIFFERENT'}  {row}")
    print("The first hidden neuron is at 0 (up to rounding), where the slope of ReLU counts as 0:")
    print("nothing flows back through it, so none of its parameters gets any blame.")

    print("\nThe whole network, drawn with its gradients:")
    print(drawing().text())

    print("\nThe step as it is recorded. Its four phases stand at the right of each instruction.\n")
    print(recorded().listing())


if __name__ == "__main__":
    main()
