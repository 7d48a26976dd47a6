"""GPT: a transformer that predicts, at every place of a text, the token that follows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from chainrule import functional as F
from chainrule.compiler import compile
from chainrule.errors import SettingError, ShapeError
from chainrule.generator import Generator
from chainrule.nn import init
from chainrule.nn.container import ModuleList
from chainrule.nn.dropout import Dropout
from chainrule.nn.embedding import Embedding
from chainrule.nn.linear import Linear
from chainrule.nn.modes import in_mode
from chainrule.nn.module import Module
from chainrule.nn.networks.config import chosen
from chainrule.nn.networks.sampling import check_sampling, sample
from chainrule.nn.normalization import LayerNorm
from chainrule.ops.create import iota
from chainrule.ops.index import take
from chainrule.ops.layout import reshape
from chainrule.ops.pointwise import greater_equal, less, less_equal, logical_and, where
from chainrule.spec import Spec
from chainrule.tensors import Cell, Tensor, as_tensor

Backend = Literal["interpret", "native"]
GELU_FORMS = {"gelu": "none", "gelu_tanh": "tanh"}


@dataclass(frozen=True)
class GPTConfig:
    """Sizes of a GPT: how many tokens it knows, how many it sees at once, and its layers.

    `positions`: "learned" vectors that are added, or "rotary" turns of queries and keys.
    `activation`: "gelu", or "gelu_tanh" as GPT-2 has it. `tied`: the head is the embedding.
    """

    tokens: int
    context: int = 64
    width: int = 128
    layers: int = 4
    heads: int = 4
    dropout: float = 0.0
    bias: bool = True
    tied: bool = True
    positions: Literal["learned", "rotary"] = "learned"
    activation: str = "gelu"


class Cache:
    """The keys and values of what a GPT has read, in cells of fixed size, and how much that is."""

    def __init__(self, config: GPTConfig, batch: int, dtype: Any) -> None:
        shape = (config.context, batch, config.heads, config.width // config.heads)
        self.layers = [
            (Cell(np.zeros(shape, dtype), f"keys {i}"), Cell(np.zeros(shape, dtype), f"values {i}"))
            for i in range(config.layers)
        ]
        self.position = Cell(np.zeros((), "int64"), "position")

    def extended(self, layer: int, *new: Tensor) -> list[Tensor]:
        """Put in the new keys and values, [batch, heads, time, width]; gives all of them."""
        found = []
        for cell, part in zip(self.layers[layer], new, strict=True):
            time, context = part.shape[2], cell.shape[0]
            place = iota(shape=(context,), axis=0, dtype="int64") - self.position.array
            inside = logical_and(greater_equal(place, 0), less(place, time))
            rows = take(part.permute(2, 0, 1, 3), where(inside, place, 0))
            cell.assign(where(reshape(inside, shape=(context, 1, 1, 1)), rows, cell))
            found.append(as_tensor(cell.array).permute(1, 2, 0, 3))
        return found


class Attention(Module):
    """Causal self-attention of several heads: [batch, time, width] to the same.

    >>> import chainrule as cr
    >>> Attention(GPTConfig(tokens=9, width=8, heads=2))(cr.zeros(2, 5, 8), cr.arange(5)).shape
    (2, 5, 8)
    """

    def __init__(self, config: GPTConfig) -> None:
        self.heads, self.p = config.heads, config.dropout
        self.rotary = config.positions == "rotary"
        self.attend = Linear(config.width, 3 * config.width, config.bias)
        self.project = Linear(config.width, config.width, config.bias)

    def forward(
        self, x: Tensor, places: Tensor, cache: Cache | None = None, layer: int = 0
    ) -> Tensor:
        batch, time, width = x.shape
        parts = self.attend(x).reshape(batch, time, 3, self.heads, width // self.heads)
        parts = parts.permute(2, 0, 3, 1, 4)
        q, k, v = parts[0], parts[1], parts[2]
        if self.rotary:
            q, k = F.rotary_positions(q, places), F.rotary_positions(k, places)
        p = self.p if self.training else 0.0
        if cache is None:
            read = F.scaled_dot_product_attention(q, k, v, dropout_p=p, is_causal=True)
        else:
            k, v = cache.extended(layer, k, v)
            seen = iota(shape=(1, k.shape[2]), axis=1, dtype="int64")
            mask = as_tensor(less_equal(seen, places.unsqueeze(1)))
            read = F.scaled_dot_product_attention(q, k, v, mask)
        return self.project(read.transpose(1, 2).reshape(batch, time, width))  # type: ignore[no-any-return]


class Block(Module):
    """x + attention, then x + two layers with gelu, each on what a LayerNorm gives.

    >>> import chainrule as cr
    >>> Block(GPTConfig(tokens=9, width=8, heads=2))(cr.zeros(2, 5, 8), cr.arange(5)).shape
    (2, 5, 8)
    """

    def __init__(self, config: GPTConfig) -> None:
        width, bias = config.width, config.bias
        self.form = chosen("activation", config.activation, GELU_FORMS)
        self.norm1, self.norm2 = LayerNorm(width, bias=bias), LayerNorm(width, bias=bias)
        self.attention = Attention(config)
        self.widen, self.narrow = Linear(width, 4 * width, bias), Linear(4 * width, width, bias)
        self.dropout = Dropout(config.dropout)

    def forward(
        self, x: Tensor, places: Tensor, cache: Cache | None = None, layer: int = 0
    ) -> Tensor:
        x = x + self.dropout(self.attention(self.norm1(x), places, cache, layer))
        hidden = F.gelu(self.widen(self.norm2(x)), self.form)
        return x + self.dropout(self.narrow(hidden))  # type: ignore[no-any-return]


class GPT(Module):
    """Texts, integers [batch, time], to scores of what follows, [batch, time, tokens].

    `cache` holds what came before the text, and is extended by it. Weights start as GPT-2's do.
    Raises ShapeError for a text longer than the context, IndexRangeError for an unknown token and
    SettingError for heads that do not divide the width. Source: A. Radford et al., "Language models
    are unsupervised multitask learners", 2019.

    >>> import chainrule as cr
    >>> model = GPT(GPTConfig(tokens=9, context=8, width=8, layers=1, heads=2))
    >>> model(cr.tensor([[1, 2, 3]])).shape
    (1, 3, 9)
    >>> model.generate([[1, 2, 3]], 4).shape
    (1, 7)
    """

    def __init__(self, config: GPTConfig) -> None:
        if config.width % config.heads:
            raise SettingError(
                "heads divide the width", expected=f"a divisor of {config.width}", got=config.heads
            )
        learned = chosen("kind of positions", config.positions, {"learned": True, "rotary": False})
        self.config = config
        self.embed = Embedding(config.tokens, config.width)
        self.places = Embedding(config.context, config.width) if learned else None
        self.dropout = Dropout(config.dropout)
        self.blocks = ModuleList([Block(config) for _ in range(config.layers)])
        self.norm = LayerNorm(config.width, bias=config.bias)
        self.head = Linear(config.width, config.tokens, bias=False)
        if config.tied:
            self.head.weight = self.embed.weight
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Normal with deviation 0.02, and less where many blocks add up; biases 0."""
        for name, parameter in self.named_parameters():
            if parameter.ndim > 1:
                adds_up = name.endswith(("project.weight", "narrow.weight"))
                init.normal_(
                    parameter, std=0.02 / (2 * self.config.layers) ** 0.5 if adds_up else 0.02
                )
            elif name.endswith(".bias"):
                init.zeros_(parameter)

    def forward(self, text: Tensor, cache: Cache | None = None) -> Tensor:
        if text.ndim != 2 or text.shape[1] > self.config.context:
            raise ShapeError(
                "a GPT reads texts up to its context",
                expected=f"integers [batch, time], time up to {self.config.context}",
                got=Spec(text.shape, text.dtype),
                hint="unsqueeze(0) makes a batch of one text; longer texts in parts",
            )
        places = as_tensor(iota(shape=(text.shape[1],), axis=0, dtype="int64"))
        if cache is not None:
            places = places + cache.position
        x = self.embed(text)
        if self.places is not None:
            x = x + self.places(places)
        x = self.dropout(x)
        for layer, block in enumerate(self.blocks):
            x = block(x, places, cache, layer)
        if cache is not None:
            cache.position.assign(cache.position + text.shape[1])
        return self.head(self.norm(x))  # type: ignore[no-any-return]

    def generate(
        self,
        prompt: Any,
        count: int,
        temperature: float = 1.0,
        top_k: int | None = None,
        generator: Generator | None = None,
        backend: Backend | None = None,
    ) -> Any:
        """The prompt and what `stream` writes after it: an int64 array [batch, time + count].

        Arguments and errors as there.
        """
        new = list(self.stream(prompt, count, temperature, top_k, generator, backend))
        return np.concatenate([np.asarray(prompt, "int64"), *[token[:, None] for token in new]], 1)

    def stream(
        self,
        prompt: Any,
        count: int,
        temperature: float = 1.0,
        top_k: int | None = None,
        generator: Generator | None = None,
        backend: Backend | None = None,
    ) -> Iterator[Any]:
        """`count` tokens that follow the prompt, each as soon as it is drawn: int64 [batch].

        prompt: integers [batch, time], at least one and up to the context. `temperature` 0 takes
        the likeliest token at every place; `top_k` draws from the k likeliest. `backend`: "native"
        makes machine code for a token, which pays for long texts. Keys and values of what was read
        are kept; when they fill the context, the last half of it is read anew. Raises SettingError
        for a longer prompt, a temperature below 0 and a top_k below 1.

        >>> model = GPT(GPTConfig(tokens=9, context=4, width=8, layers=1, heads=2))
        >>> len([token.item() for token in model.stream([[1, 2, 3]], 6)])
        6
        """
        check_sampling(temperature, top_k)
        text, context = np.asarray(prompt, "int64"), self.config.context
        if text.ndim != 2 or not 1 <= text.shape[1] <= context:
            raise SettingError(
                "a GPT goes on from a prompt that fits its context",
                expected=f"a prompt [batch, time], time 1 to {context}",
                got=f"a prompt of shape {list(text.shape)}",
                hint=f"the last {context} tokens of it",
            )
        return self._written(
            text, count, lambda scores: sample(scores, temperature, top_k, generator), backend
        )

    def _written(
        self, text: Any, count: int, choose: Callable[[Any], Any], backend: Backend | None
    ) -> Iterator[Any]:
        cache = Cache(self.config, len(text), self.embed.weight.dtype)

        def read(part: Tensor) -> Tensor:
            return self(part, cache)[:, -1]  # type: ignore[no-any-return]

        one = read if backend is None else compile(read, backend)
        step, new, context = read, text, self.config.context
        held = 0  # how much the cache holds
        for _ in range(count):
            if held + new.shape[1] > context:
                cache.position.assign(np.zeros((), "int64"))
                step, new, held = read, text[:, -max(1, context // 2) :], 0
            with in_mode(self, training=False):  # not around the loop: it waits for whoever reads
                scores = step(as_tensor(new)).numpy()
            held += new.shape[1]
            new = choose(scores)[:, None]
            text, step = np.concatenate([text, new], axis=1), one
            yield new[:, 0]
