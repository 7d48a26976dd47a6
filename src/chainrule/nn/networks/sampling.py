"""Choosing the next token from scores."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.errors import SettingError
from chainrule.generator import Generator, default_generator
from chainrule.spec import F64


def check_sampling(temperature: float, top_k: int | None) -> None:
    """Refuse a temperature below 0, and a top_k of nothing."""
    if not temperature >= 0.0:
        raise SettingError("temperature is at least 0", expected="0 or more", got=temperature)
    if top_k is not None and top_k < 1:
        raise SettingError("top_k keeps at least one token", expected="1 or more", got=top_k)


def sample(
    scores: Any, temperature: float = 1.0, top_k: int | None = None, draws: Generator | None = None
) -> Any:
    """A token per row, int64 [rows], drawn from softmax(scores / temperature).

    scores: array [rows, tokens]. `temperature` 0 takes the likeliest; `top_k` draws from the k
    likeliest alone. `draws`: the default generator if None, so `cr.manual_seed` fixes the tokens.

    >>> sample(np.array([[0.0, 9.0], [1.0, 0.0]]), temperature=0.0).tolist()
    [1, 0]
    """
    scores = np.asarray(scores, F64)
    if temperature == 0.0:
        return scores.argmax(-1)
    scores = scores / temperature
    if top_k is not None and top_k < scores.shape[-1]:
        least = np.partition(scores, -top_k, axis=-1)[:, -top_k, None]
        scores = np.where(scores < least, -np.inf, scores)
    shares = np.exp(scores - scores.max(-1, keepdims=True)).cumsum(-1)
    drawn = (draws or default_generator).uniform((len(scores), 1), F64).numpy() * shares[:, -1:]
    return (shares <= drawn).sum(-1)
