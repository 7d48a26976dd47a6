"""Recommend products: films that people may like, from the stars that they and others gave.

python examples/uses/recommend/recommend.py [MOVIELENS.zip]
"""

import csv
import io
import sys
import zipfile
from pathlib import Path

import numpy as np

import chainrule as cr
from chainrule import nn, optim
from chainrule.nn.networks import MatrixFactorization, MatrixFactorizationConfig
from chainrule.train import recall_at

RATINGS = Path(__file__).parents[4] / "shared" / "data" / "ml-latest-small.zip"
BATCH, RATE, WIDTH, LIKED = 512, 0.005, 64, 4

# -- prepare


def read(path=RATINGS):
    """Users and films, both from 0 up, and stars (0.5 to 5), each [n]; the titles of the films."""
    with zipfile.ZipFile(path) as files:
        names = {Path(name).name: name for name in files.namelist()}
        tables = (files.read(names[name]).decode() for name in ("movies.csv", "ratings.csv"))
        films, rows = (list(csv.reader(io.StringIO(table)))[1:] for table in tables)
    titles = {int(film): title for film, title, *_ in films}
    users, films, stars = np.array([row[:3] for row in rows], np.float64).T
    known, films = np.unique(films, return_inverse=True)
    users = np.unique(users, return_inverse=True)[1]
    return (users, films, stars.astype("float32")), [titles[int(film)] for film in known]


# -- train


def fit(model, loss_of, ratings, epochs):
    """Adam, with a rate that falls to 0."""
    optimizer = optim.Adam(model.parameters(), RATE)

    @cr.compile
    def learn(users, films, stars):
        loss = loss_of(users, films, stars)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    rng, (rate,) = np.random.default_rng(0), optimizer.param_groups[0].cells["lr"]
    steps = len(ratings[0]) // BATCH
    for rates in np.linspace(RATE, 0, epochs * steps).reshape(epochs, steps):
        order = rng.permutation(len(ratings[0]))[: steps * BATCH]
        learn.epoch(ratings, BATCH, order, {rate: rates})
    return model


def size(*vectors):
    return sum((vector**2).sum(-1).mean() for vector in vectors)


def learn_stars(ratings, shape, seed=0, epochs=15, pull=0.1):
    """The stars that somebody will give: squared error, all vectors pulled towards 0."""
    cr.manual_seed(seed)
    model = MatrixFactorization(MatrixFactorizationConfig(*shape, WIDTH, ratings[2].mean()))

    def loss(users, films, stars):
        biases = size(model.user_biases(users), model.item_biases(films))
        vectors = size(model.users(users), model.items(films))
        return ((model(users, films) - stars) ** 2).mean() + pull * (vectors + 0.3 * biases)

    return fit(model, loss, ratings, epochs)


def learn_choices(ratings, shape, seed=0, epochs=40, pull=0.01):
    """What somebody will like: a film that they liked goes before any other (BPR, UAI 2009)."""
    draws = cr.manual_seed(seed)
    model = MatrixFactorization(MatrixFactorizationConfig(*shape, WIDTH))

    def loss(users, films, stars):
        others = draws.randint(0, shape[1], films.shape)
        ahead = model(users, films) - model(users, others)
        vectors = size(model.users(users), model.items(films), model.items(others))
        return nn.functional.softplus(-ahead).mean() + pull * vectors

    return fit(model, loss, [column[ratings[2] >= LIKED] for column in ratings], epochs)


# -- score


def biases_alone(ratings, shape, rounds=10):
    """The mean, what is usual of the user, and of the film: means, shrunk where there are few."""
    usual, mean = [np.zeros(count) for count in shape], ratings[2].mean()
    for _ in range(rounds):
        for one, other, few in ((1, 0, 3), (0, 1, 5)):
            rest = ratings[2] - mean - usual[other][ratings[other]]
            counts = np.bincount(ratings[one], minlength=shape[one])
            usual[one] = np.bincount(ratings[one], rest, shape[one]) / (counts + few)
    return mean + usual[0][:, None] + usual[1]


def judge(ratings, shape, seed=0, **settings):
    """The scores on a tenth of the ratings, drawn at random, and the network of choices."""
    order = np.random.default_rng(seed).permutation(len(ratings[0]))
    cut = len(order) // 10
    training, test = ([column[rows] for column in ratings] for rows in (order[cut:], order[:cut]))
    stars = learn_stars(training, shape, seed, **settings).scores()
    choices = learn_choices(training, shape, seed, **settings)
    known, wanted = np.zeros((2, *shape), bool)
    known[training[0], training[1]] = True
    wanted[test[0], test[1]] = test[2] >= LIKED
    rmse = lambda guesses: np.sqrt(np.mean((guesses[test[0], test[1]] - test[2]) ** 2))
    return {
        "RMSE in stars": rmse(stars),
        "of biases alone": rmse(biases_alone(training, shape)),
        "recall at 10": recall_at(10, choices.scores(), wanted, known),
        "of popularity": recall_at(10, np.tile(known.sum(0), (shape[0], 1)), wanted, known),
    }, choices


# -- use


def main(path=RATINGS):
    ratings, titles = read(path)
    shape = int(ratings[0].max()) + 1, len(titles)
    found = [judge(ratings, shape, seed) for seed in range(3)]
    print(f"{len(ratings[0]):,} ratings of {shape[1]:,} films; means over three seeds:")
    for name in found[0][0]:
        print(f"  {name:<16} {np.mean([scores[name] for scores, _ in found]):.4f}")
    model, films = found[0][1], ratings[1][ratings[0] == 0]
    best = [film for film in np.argsort(-model.scores([0])[0]) if film not in films]
    print("For the first user:", *(titles[film] for film in best[:4]), sep="\n  ")
    liked = np.argsort(-np.bincount(ratings[1]))[[3, 40]]
    for film in liked:
        print(f"Like {titles[film]}:", *(titles[i] for i in model.similar(film, 4)), sep="\n  ")
    print("For somebody new who liked these two:")
    scores, due_to = model.newcomer(liked)
    for film in [film for film in np.argsort(-scores) if film not in liked][:4]:
        print(f"  {titles[film]}, mostly for {titles[liked[due_to[film].argmax()]]}")


if __name__ == "__main__":
    main(*sys.argv[1:])
