"""Lesson 3: the loss, one number for how wrong a prediction is.

If a number is to be predicted, the loss measures the distance to it: mean squared error (MSE) and
its family. If a category is to be predicted, the network gives a probability to each class, and
cross-entropy looks at the probability of the right one. Every loss must be differentiable: if a
small change of the parameters does not change it, there is no telling which way is better.

Shows L1, L17, L18 and L19.
"""

import math

import chainrule as cr
from chainrule import nn
from chainrule.data import courier, prepare, read_table


def mse(predictions, targets):
    return nn.MSELoss()(cr.tensor(predictions), cr.tensor(targets)).item()


def cross_entropy(probabilities, target):
    """Of probabilities; the loss itself takes scores, whose softmax they are: their logarithms."""
    scores = cr.tensor([[math.log(p) for p in probabilities]])
    return nn.CrossEntropyLoss()(scores, cr.tensor([target])).item()


def family(error):
    """What one error costs in the three losses of the MSE family."""
    zero, x = cr.tensor([0.0]), cr.tensor([error])
    return [loss(x, zero).item() for loss in (nn.MSELoss(), nn.L1Loss(), nn.HuberLoss())]


def counting_mistakes():
    """A loss that counts wrong answers has no slope; gives the error that says so."""
    model, x, target = nn.Linear(2, 3), cr.tensor([[1.0, 2.0]]), cr.tensor([0])

    @cr.compile
    def step(x, target):
        best = model(x).argmax(1)
        mistakes = (best != target).float().mean()
        mistakes.backward()
        return mistakes

    try:
        step(x, target)
    except cr.errors.GradientError as error:
        return str(error)
    return "no error"


def main():
    print(__doc__)
    print("Mean squared error")
    print(f"   of [3, 5, 7] when [2.5, 5.5, 8] is true: {mse([3.0, 5, 7], [2.5, 5.5, 8]):.1f}")
    print("   one error of   MSE     L1   Huber    (the last two forgive a far-away row)")
    for error in (0.5, 2.0, 10.0):
        print("   {:>12g} {:>5g} {:>6g} {:>7g}".format(error, *family(error)))

    print("\nCross-entropy, when the first of three classes is right")
    for p in ([0.7, 0.2, 0.1], [0.7, 0.1, 0.2], [0.999, 0.0005, 0.0005], [0.001, 0.998, 0.001]):
        print(f"   {p!s:<24} {cross_entropy(p, 0):.4f}")
    print("   Only the right class counts: near 0 when confident and right, large when wrong.")
    one_hot = cross_entropy([0.7, 0.2, 0.1], [1.0, 0.0, 0.0])
    print(f"   The right class may also be given as one-hot, [1, 0, 0]: {one_hot:.4f}")

    print("\nWhich one? The target tells, and chainrule chooses by it:")
    for table, target in ((courier(), "charge"), (read_table("spirals"), "arm")):
        print(f"   {prepare(table, target).report.about('task')[0]}")

    print("\nA loss that only counts mistakes cannot be learned from:")
    print("   " + counting_mistakes().replace("\n", "\n   "))


if __name__ == "__main__":
    main()
