"""The encoder-decoder writes what the whole network, asked anew for every token, would write."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.nn.steps import assert_close

import chainrule as cr
from chainrule import functional as F
from chainrule.nn.networks import Seq2Seq, Seq2SeqConfig

END_SCORES = {"early": 3.0, "between": 1.0, "late": -20.0}
SOURCES = [[3, 4, 5, 3], [6, 3], [5]]


def made(end: str = "between", tokens: int = 5, dtype: str = "float64") -> Any:
    """Large random weights, so that all counts; the end token's score is the same everywhere."""
    cr.manual_seed(3)
    model = Seq2Seq(Seq2SeqConfig(7, tokens, width=8, heads=2, layers=2)).to(dtype)
    for parameter in model.parameters():
        parameter.assign(parameter * 2.0)
    norm, weight = model.transformer.decoder.norm, model.target.weight.numpy().copy()
    norm.bias.assign(np.full(8, 0.5, dtype))  # what else a norm gives adds up to 0
    weight[model.config.end] = END_SCORES[end] / 4
    model.target.weight.assign(weight)
    return model.eval()


def padded(rows: list[list[int]]) -> Any:
    longest = max(map(len, rows))
    return np.array([row + [0] * (longest - len(row)) for row in rows])


def logs(model: Any, source: list[int], text: list[int]) -> Any:
    """Log-probabilities of what follows a text, by the whole network."""
    scores = model(cr.tensor([source]), cr.tensor([[model.config.start, *text]]))
    return F.log_softmax(scores[0, -1], -1).numpy()


def by_whole_texts(model: Any, source: list[int], count: int, width: int) -> list[Any]:
    """A beam without a cache, as (log-probability, text) with the end tokens, the best first."""
    beam: list[Any] = [(0.0, [])]
    for _ in range(count):
        longer = []
        for total, text in beam:
            if text[-1:] == [model.config.end]:
                longer.append((total, text))
            else:
                scores = logs(model, source, text)
                longer += [(total + score, [*text, token]) for token, score in enumerate(scores)]
        beam = sorted(longer, key=lambda one: -one[0])[:width]
    return beam


def kept(beams: Any, row: int) -> list[Any]:
    """What a search kept for a source, in the form of `by_whole_texts`."""
    found = zip(beams.scores[row], beams.tokens[row, :, 1:], beams.lengths[row], strict=True)
    return [(score, text[:length].tolist()) for score, text, length in found]


@pytest.mark.parametrize("end", END_SCORES)
@pytest.mark.parametrize("width", [1, 2, 3, 8])
@pytest.mark.parametrize("count", [1, 2, 6])
def test_the_cache_changes_nothing(end: str, width: int, count: int) -> None:
    model = made(end)
    beams = model._search(padded(SOURCES), count, width)
    for row, source in enumerate(SOURCES):
        got, expected = kept(beams, row), by_whole_texts(model, source, count, width)
        real = [one for one in got if np.isfinite(one[0])]  # where all texts are fewer than asked
        assert [text for _, text in real] == [text for _, text in expected]
        assert_close(np.array([s for s, _ in real]), np.array([s for s, _ in expected]), 1e-10)


def test_the_cache_changes_nothing_in_single_precision() -> None:
    model = made(tokens=40, dtype="float32")
    beams = model._search(padded(SOURCES), 12, 4)
    for row, source in enumerate(SOURCES):
        expected = by_whole_texts(model, source, 12, 4)
        assert [text for _, text in kept(beams, row)] == [text for _, text in expected]
        np.testing.assert_allclose(beams.scores[row], [s for s, _ in expected], atol=1e-5)


def test_texts_end_early_and_late() -> None:
    """The ends that the tests above mean to reach: within the count, by some, and never."""
    searched = {end: made(end)._search(padded(SOURCES), 6, 3) for end in END_SCORES}
    assert searched["early"].length < 6
    assert 0 < searched["between"].finished.sum() < 9
    assert not searched["late"].finished.any()


def exhaustive(model: Any, source: list[int], count: int, penalty: float) -> list[int]:
    """The best of all texts, each scored by the whole network."""
    config, best, mark = model.config, [], -np.inf

    def visit(text: list[int], total: float) -> None:
        nonlocal best, mark
        done = text and text[-1] == config.end
        if done or len(text) == count:
            worth = total / ((5 + len(text)) / 6) ** penalty
            if worth > mark:
                best, mark = (text[:-1] if done else text), worth
            return
        for token, score in enumerate(logs(model, source, text)):
            visit([*text, token], total + score)

    visit([], 0.0)
    return best


@pytest.mark.parametrize("end", END_SCORES)
@pytest.mark.parametrize("penalty", [0.0, 0.6, 2.0])
def test_a_wide_beam_finds_the_best_text(end: str, penalty: float) -> None:
    model = made(end)
    got = model.beam(padded(SOURCES), 3, width=5**3, length_penalty=penalty)
    assert got == [exhaustive(model, source, 3, penalty) for source in SOURCES]


@pytest.mark.parametrize("end", END_SCORES)
def test_greedy_takes_the_likeliest_and_ends(end: str) -> None:
    model, expected = made(end), []
    for source in SOURCES:
        text: list[int] = []
        while len(text) < 6 and text[-1:] != [model.config.end]:
            text.append(int(logs(model, source, text).argmax()))
        expected.append([token for token in text if token != model.config.end])
    assert model.greedy(padded(SOURCES), 6) == expected


def test_padding_of_the_source_does_not_count() -> None:
    model, target = made(), cr.tensor([[1, 3]])
    short = model(cr.tensor([[3, 4]]), target).numpy()
    long = model(cr.tensor([[3, 4, 0, 0]]), target).numpy()
    assert_close(long, short, 1e-12)


def test_a_search_leaves_the_model_as_it_was() -> None:
    model = made().train()
    model.beam([[3, 4]], 3)
    assert model.training
    assert cr.is_grad_enabled()
