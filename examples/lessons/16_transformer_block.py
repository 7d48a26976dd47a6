"""Lesson 16: a transformer learns by the same four steps.

A transformer block lets every position of a sequence look at the others (attention), and then
thinks about each position by itself (a small network). GPT and ViT are many such blocks in a row.
Bigger as it is, nothing about learning is new: forward pass, loss, backward pass, update. One
block learns here to say, at each place, which token stands at the mirrored place.

Shows L2, L5 and L32.
"""

import chainrule as cr
from chainrule import nn, optim
from chainrule.explain import curve

TOKENS, LENGTH, WIDTH = 8, 6, 32


class Block(nn.Module):
    """Attention and a small network, each added to what was there before."""

    def __init__(self):
        self.before_attention, self.before_network = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.query, self.key = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)
        self.value, self.out = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)
        self.network = nn.Sequential(
            nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH)
        )

    def forward(self, x):
        seen = self.before_attention(x)
        query, key, value = self.query(seen), self.key(seen), self.value(seen)
        x = x + self.out(nn.functional.scaled_dot_product_attention(query, key, value))
        return x + self.network(self.before_network(x))


class Mirror(nn.Module):
    """Tokens and their places as vectors, a block, and a score for each token at each place."""

    def __init__(self):
        self.tokens, self.places = nn.Embedding(TOKENS, WIDTH), nn.Embedding(LENGTH, WIDTH)
        self.block, self.scores = Block(), nn.Linear(WIDTH, TOKENS)

    def forward(self, sequence):
        places = self.places(cr.tensor(list(range(LENGTH))))
        return self.scores(self.block(self.tokens(sequence) + places))


def train(steps=300):
    """The trained model, its losses, and the recorded step."""
    generator = cr.manual_seed(0)
    model, loss_function = Mirror(), nn.CrossEntropyLoss()
    optimizer = optim.Adam(model.parameters(), lr=0.003)

    @cr.compile
    def learn(sequence, mirrored):
        scores = model(sequence).reshape(-1, TOKENS)
        loss = loss_function(scores, mirrored.reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    losses = []
    for _ in range(steps):
        sequence = generator.randint(0, TOKENS, (64, LENGTH))
        losses.append(learn(sequence, sequence[:, ::-1]).item())
    return model, losses, learn.programs[0]


def main():
    print(__doc__)
    model, losses, program = train()
    names = [instruction.phase for instruction in program.instructions]
    print(f"One learning step is {len(names)} instructions:", end=" ")
    print(", ".join(f"{names.count(name)} {name}" for name in dict.fromkeys(names)))
    print(f"\nThe loss, from {losses[0]:.3f} (guessing: 2.079) to {losses[-1]:.4f}:\n")
    print(curve({"loss": losses}, x_name="step", log=True))
    sequence = cr.tensor([[1, 2, 3, 4, 5, 6]])
    print(f"\n   shown {sequence[0].tolist()}   answered {model(sequence)[0].argmax(1).tolist()}")


if __name__ == "__main__":
    main()
