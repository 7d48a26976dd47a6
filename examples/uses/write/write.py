"""Write text: a GPT learns, character by character, how a text goes on, and writes more of it.

    python examples/uses/write/write.py [TEXT.txt [PROMPT]]

Any plain text of some hundred thousand characters will do; without one it reads Shakespeare.
"""

import sys
import time
from pathlib import Path

import numpy as np

import chainrule as cr
from chainrule import nn, optim
from chainrule.nn.networks import GPT, GPTConfig
from chainrule.optim.lr_scheduler import OneCycleLR

SHAKESPEARE = Path(__file__).parents[4] / "shared" / "data" / "tiny_shakespeare.txt"


# -- prepare


class Text:
    """A text as numbers: the first nine tenths to learn from, the last to judge by."""

    def __init__(self, text):
        self.characters = sorted(set(text))
        self.number = {character: i for i, character in enumerate(self.characters)}
        numbers = self.encode(text)
        cut = len(numbers) * 9 // 10
        self.training, self.validation = numbers[:cut], numbers[cut:]

    def encode(self, text):
        known = [self.number[character] for character in text if character in self.number]
        return np.array(known, np.int64)


def windows(numbers, context, start=0):
    """The text cut into windows, and the same one character on: what follows each place."""
    count = (len(numbers) - start - 1) // context
    inputs, following = (numbers[at : at + count * context] for at in (start, start + 1))
    return inputs.reshape(count, context), following.reshape(count, context)


# -- train


def train(text, context=128, width=128, layers=4, heads=4, batch=8, epochs=8, rate=3e-3):
    """The trained network: each epoch cuts the text at other places and shuffles the pieces."""
    cr.manual_seed(0)
    tokens = len(text.characters)
    sizes = (tokens, context, width, layers, heads)
    model = GPT(GPTConfig(*sizes, bias=False, positions="rotary"))
    optimizer = optim.AdamW(model.parameters(), rate, (0.9, 0.99), weight_decay=0.1)

    @cr.compile
    def learn(inputs, following):
        loss = mean_loss(model, inputs, following)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss

    steps = (len(text.training) // context - 1) // batch
    schedule = OneCycleLR(optimizer, rate, steps * epochs, pct_start=0.05, cycle_momentum=False)
    rng = np.random.default_rng(0)
    for epoch in range(epochs):
        inputs, following = windows(text.training, context, int(rng.integers(context)))
        order, losses = rng.permutation(len(inputs))[: steps * batch], []
        for rows in order.reshape(steps, batch):
            losses.append(learn(inputs[rows], following[rows]).item())
            schedule.step()
        used = time.process_time() / 60
        print(f"epoch {epoch + 1}: training loss {np.mean(losses):.3f}, validation", end=" ")
        print(f"{score(model, text):.3f}, {used:.1f} CPU minutes", flush=True)
    return model


def mean_loss(model, inputs, following):
    scores = model(inputs)
    return nn.functional.cross_entropy(scores.flatten(0, 1), following.reshape(-1))


# -- score and use


def score(model, text, batch=32):
    """Mean loss on the validation text, in nats a character."""
    arrays = windows(text.validation, model.config.context)
    model.eval()
    with cr.no_grad():
        judge = cr.compile(lambda inputs, following: mean_loss(model, inputs, following))
        whole = np.arange(len(arrays[0]) // batch * batch)
        losses = judge.epoch(arrays, batch, whole)
    model.train()
    return float(losses.mean())


def write(model, text, prompt, count=500, temperature=0.8, top_k=20):
    """Prints the prompt and what the model writes after it, character by character."""
    print(prompt, end="", flush=True)
    given = text.encode(prompt[-model.config.context :])[None]
    for number in model.stream(given, count, temperature, top_k, backend="native"):
        print(text.characters[number.item()], end="", flush=True)
    print()


def run(path, prompt="ROMEO:", count=500, **sizes):
    """Trains on the text and writes; gives the model's loss on the validation text."""
    text = Text(Path(path).read_text("utf-8"))
    print(f"{len(text.training):,} characters to learn from, {len(text.characters)} different ones")
    model = train(text, **sizes)
    loss = score(model, text)
    counts = np.bincount(text.training, minlength=len(text.characters)) + 1
    alone = -np.log(counts / counts.sum())[text.validation].mean()
    print(f"\nvalidation loss {loss:.3f} nats a character; by frequency alone {alone:.3f}\n")
    write(model, text, prompt, count)
    return loss


if __name__ == "__main__":
    path, *prompt = sys.argv[1:] or [SHAKESPEARE]
    if not Path(path).is_file():
        sys.exit(f"{path} is not there; give it a text: python write.py TEXT.txt")
    run(path, *prompt)
