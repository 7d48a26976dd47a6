"""Lesson 15: inference, using what was learned.

Once a network is trained its parameters are frozen. New input goes through the forward pass and
nothing else: no loss, no backward pass, no update. However often it is asked, nothing changes, and
the same question gets the same answer.

Shows L16 and L36.
"""

import numpy as np

import chainrule as cr
from chainrule import nn, optim
from chainrule.errors import GradientError


def trained():
    """A small network that has learned whether a point lies inside of a circle."""
    cr.manual_seed(0)
    rng = np.random.default_rng(0)
    points = rng.uniform(-1, 1, (400, 2)).astype(np.float32)
    inside = ((points**2).sum(axis=1) < 0.5).astype(np.int64)
    model = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, 2))
    loss_function, optimizer = nn.CrossEntropyLoss(), optim.Adam(model.parameters(), lr=0.02)

    @cr.compile
    def learn(x, y):
        loss = loss_function(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    for _ in range(300):
        learn(points, inside)
    return model, learn.program(points, inside)


def phases(program):
    """How many instructions a recorded program has in each of its phases, in their order."""
    names = [instruction.phase for instruction in program.instructions]
    return {name: names.count(name) for name in dict.fromkeys(names)}


def frozen_bytes(model):
    return {name: value.numpy().tobytes() for name, value in model.state_dict().items()}


def main():
    print(__doc__)
    model, learning = trained()
    model.eval()  # dropout is off from here on
    model.freeze()  # no parameter gathers a gradient any more
    forward = cr.compile(model)

    before = frozen_bytes(model)
    new = cr.tensor([[0.0, 0.1], [0.9, 0.9], [-0.3, 0.2], [0.2, -0.95]])
    answers = [nn.functional.softmax(forward(new), 1) for _ in range(100)]
    print("   point           inside with probability")
    for point, chances in zip(new.tolist(), answers[0].tolist(), strict=True):
        print(f"   {point[0]:5.2f} {point[1]:5.2f}     {chances[1]:.3f}")

    equal = all((answer.numpy() == answers[0].numpy()).all() for answer in answers)
    kept = frozen_bytes(model) == before
    print(f"\nAsked 100 times: the answers are {'equal' if equal else 'different'},", end=" ")
    print(f"the parameters {'unchanged to the last bit' if kept else 'changed'}.")

    program = forward.program(new)
    print(f"\nInstructions of a learning step: {phases(learning)}")
    print(f"Instructions of inference:       {phases(program)}")
    print(f"What inference assigns: {', '.join(program.assigns) or 'nothing'}")
    try:
        nn.CrossEntropyLoss()(model(new), cr.tensor([1, 0, 1, 0])).backward()
    except GradientError as error:
        print(f"\nAnd learning from it is refused:\n   {error.what}")


if __name__ == "__main__":
    main()
