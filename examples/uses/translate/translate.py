"""Translate text: an encoder-decoder transformer learns French from pairs of sentences.

    python examples/uses/translate/translate.py [PAIRS.zip]

The pairs are lines "English<tab>French" of a text file in a zip, as on manythings.org/anki.
"""

import sys
import time
import zipfile
from collections import Counter, defaultdict
from itertools import zip_longest
from pathlib import Path

import numpy as np
import sacrebleu
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

import chainrule as cr
from chainrule import nn, optim
from chainrule.nn.networks import Seq2Seq, Seq2SeqConfig
from chainrule.optim.lr_scheduler import OneCycleLR

PAIRS = Path(__file__).parents[4] / "shared" / "data" / "fra-eng.zip"
SPECIAL = ["<padding>", "<start>", "<end>", "<unknown>"]
PADDING, START, END, _ = range(4)
LENGTHS = ((8, 12), (12, 17), (18, 25))  # of English and French; each is a program of its own


# -- prepare


def read(path, test, longest=12):
    """Pairs to learn from, and other English sentences with all of their French ones as a test."""
    with zipfile.ZipFile(path) as files:
        lines = files.read(max(files.namelist())).decode("utf-8").splitlines()  # not _about.txt
    found = defaultdict(list)
    for line in lines:
        english, french = line.split("\t")[:2]
        if len(english.split()) <= longest:
            found[english].append(" ".join(french.split()))  # no narrow or fixed spaces
    order = np.random.default_rng(0).permutation(sorted(found)).tolist()  # by English sentence
    pairs = [(english, french) for english in order[test:] for french in found[english]]
    return pairs, {english: found[english] for english in order[:test]}


def learn_pieces(sentences, count):
    """Byte-pair encoding: frequent words stay whole, rare ones are written in parts."""
    pieces = Tokenizer(models.BPE(unk_token=SPECIAL[-1]))
    pieces.pre_tokenizer = pre_tokenizers.Split(Regex(r" ?\w+| ?[^\w ]"), "isolated")
    pieces.decoder = decoders.Fuse()
    trainer = trainers.BpeTrainer(vocab_size=count, special_tokens=SPECIAL, show_progress=False)
    pieces.train_from_iterator(sentences, trainer)
    return pieces


def encode(pieces, sentences):
    return [encoding.ids for encoding in pieces.encode_batch(sentences)]


def pad(rows, length):
    return np.array([row + [PADDING] * (length - len(row)) for row in rows])


def batches(pairs, size, rng):
    """Pairs at random, those of similar lengths together and padded; longer ones are left out."""
    waiting = {lengths: [] for lengths in LENGTHS}
    for source, target in (pairs[place] for place in rng.permutation(len(pairs))):
        for lengths, group in waiting.items():
            if len(source) <= lengths[0] and len(target) <= lengths[1]:
                group.append((source, target))
                break
        if len(group) == size:
            sources, targets = zip(*group, strict=True)
            yield pad(sources, lengths[0]), pad(targets, lengths[1])
            group.clear()


# -- train


def train(pairs, pieces=3000, width=128, layers=2, batch=64, epochs=4, rate=2e-3):
    """The trained network, and the pieces that English and French are written in."""
    cr.manual_seed(0)
    languages = [list(side) for side in zip(*pairs, strict=True)]
    english, french = (learn_pieces(language, pieces) for language in languages)
    targets = [[START, *ids, END] for ids in encode(french, languages[1])]
    encoded = list(zip(encode(english, languages[0]), targets, strict=True))
    tokens = english.get_vocab_size(), french.get_vocab_size()
    model = Seq2Seq(Seq2SeqConfig(*tokens, width, layers=layers))
    loss_function = nn.CrossEntropyLoss(ignore_index=PADDING, label_smoothing=0.1)
    optimizer = optim.AdamW(model.parameters(), rate, (0.9, 0.98))

    @cr.compile
    def learn(source, target):
        scores = model(source, target[:, :-1])
        loss = loss_function(scores.flatten(0, 1), target[:, 1:].reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    steps = epochs * (len(pairs) // batch)  # at most
    schedule = OneCycleLR(optimizer, rate, steps, pct_start=0.05, cycle_momentum=False)
    for epoch in range(epochs):
        losses = []
        for source, target in batches(encoded, batch, np.random.default_rng(epoch)):
            losses.append(learn(source, target).item())
            schedule.step()
        minutes = time.process_time() / 60
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.3f}, {minutes:.1f} CPU minutes")
    return model, english, french


# -- score and use


def translate(model, english, french, sentences, beam, at_once=100):
    """A French sentence for each English one, the best that `beam` at a time lead to."""
    found = []
    for first in range(0, len(sentences), at_once):
        rows = encode(english, sentences[first : first + at_once])
        longest = max(map(len, rows))
        found += model.beam(pad(rows, longest), 2 * longest + 4, beam)
    return french.decode_batch(found)


def run(path, test=500, **sizes):
    """Learns from most sentences and translates the others; gives the BLEU of each way to do it."""
    pairs, test = read(path, test)
    print(f"{len(pairs):,} pairs to learn from, {len(test):,} other English sentences as a test")
    trained = train(pairs, **sizes)
    usual = Counter(french for _, french in pairs).most_common(1)[0][0]
    ways = {"always the most frequent": [usual] * len(test), "English as it is": list(test)}
    ways["greedy"] = translate(*trained, list(test), beam=1)
    ways["beam of 4"] = translate(*trained, list(test), beam=4)
    right = list(zip_longest(*test.values()))  # all first references, all second ones, ...
    scores = {way: sacrebleu.corpus_bleu(found, right).score for way, found in ways.items()}
    print("\n".join(f"   BLEU {score:5.1f}  {way}" for way, score in scores.items()))
    for english, french in list(zip(test, ways["beam of 4"], strict=True))[:5]:
        print(f"\n{english}\n   {french}\n   right: {' / '.join(test[english])}")
    return scores


if __name__ == "__main__":
    path = Path(sys.argv[1]) if sys.argv[1:] else PAIRS
    if not path.is_file():
        sys.exit(f"{path} is not there; fra-eng.zip is at https://www.manythings.org/anki")
    run(path)
