"""What is read in parts with a cache is what is read at once without."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.nn.steps import assert_close

import chainrule as cr
from chainrule import nn
from chainrule.nn.cache import KeyValueCache

TIME, SOURCE, BATCH, WIDTH = 6, 4, 3, 8
RNG = np.random.default_rng(0)
TEXT, MEMORY = (cr.tensor(RNG.standard_normal((BATCH, time, WIDTH))) for time in (TIME, SOURCE))
PADDING = cr.tensor(np.arange(SOURCE) >= np.array([[4], [2], [1]]))
cuts = st.sets(st.integers(1, TIME - 1)).map(lambda found: [0, *sorted(found), TIME])


@given(cuts, st.booleans(), st.booleans())
def test_attention_reads_a_text_in_parts(cuts: list[int], padded: bool, separate: bool) -> None:
    cr.manual_seed(0)
    widths = {"kdim": WIDTH, "vdim": WIDTH + 1} if separate else {}
    value = cr.tensor(RNG.standard_normal((BATCH, TIME, WIDTH + 1))) if separate else TEXT
    attention = nn.MultiheadAttention(WIDTH, 2, batch_first=True, **widths).double()  # type: ignore[arg-type]
    padding = cr.tensor(np.arange(TIME) == np.array([[4], [2], [9]])) if padded else None
    expected, weights = attention(TEXT, TEXT, value, padding, is_causal=True)
    held, outputs = KeyValueCache(), []
    for a, b in pairwise(cuts):
        seen = None if padding is None else padding[:, :b]
        x = TEXT[:, a:b]
        output, part = attention(x, x, value[:, a:b], seen, is_causal=True, cache=held)
        assert_close(part.numpy(), weights[:, a:b, :b].numpy(), 1e-12)
        outputs.append(output)
    assert_close(cr.cat(outputs, 1).numpy(), expected.numpy(), 1e-12)


@cache
def decoder(batch_first: bool) -> Any:
    cr.manual_seed(0)
    layer = nn.TransformerDecoderLayer(WIDTH, 2, 16, 0.0, batch_first=batch_first)
    return nn.TransformerDecoder(layer, 2).double()


@given(cuts, st.booleans())
def test_a_decoder_reads_its_memory_once(cuts: list[int], batch_first: bool) -> None:
    model = decoder(batch_first)

    def turned(x: Any) -> Any:
        return x if batch_first else x.transpose(0, 1)

    masks = {"memory_key_padding_mask": PADDING, "tgt_is_causal": True}
    expected = turned(model(turned(TEXT), turned(MEMORY), **masks)).numpy()
    held, new, outputs = KeyValueCache(), MEMORY, []
    for a, b in pairwise(cuts):
        output = model(turned(TEXT[:, a:b]), turned(new), cache=held, **masks)
        outputs.append(turned(output))
        new = MEMORY[:, :0]
    assert_close(cr.cat(outputs, 1).numpy(), expected, 1e-12)


def test_rows_of_a_cache_are_reordered_and_repeated() -> None:
    model, rows = decoder(True), cr.tensor([2, 0, 0, 1])
    expected = model(TEXT[rows], MEMORY[rows], tgt_is_causal=True).numpy()[:, 4:]
    held = KeyValueCache()
    model(TEXT[:, :4], MEMORY, tgt_is_causal=True, cache=held)
    held.reorder(rows)
    got = model(TEXT[rows][:, 4:], MEMORY[:, :0][rows], tgt_is_causal=True, cache=held)
    assert_close(got.numpy(), expected, 1e-12)


def test_a_decoder_takes_layers_that_know_no_cache() -> None:
    class Plain(nn.TransformerDecoderLayer):
        def forward(self, tgt: Any, memory: Any, *masks: Any, **causal: bool) -> Any:  # type: ignore[override]
            assert "cache" not in causal
            return super().forward(tgt, memory, *masks, **causal)  # type: ignore[arg-type]

    model = nn.TransformerDecoder(Plain(WIDTH, 2, 16), 1).double()
    assert model(TEXT, TEXT).shape == TEXT.shape


@pytest.mark.parametrize("before", [0, 1, 4])
def test_sinusoidal_positions_go_on(before: int) -> None:
    layer = nn.SinusoidalPositions(WIDTH)
    assert_close(layer(TEXT[:, before:], before).numpy(), layer(TEXT)[:, before:].numpy(), 1e-15)
