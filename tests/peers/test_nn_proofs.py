"""The core on what networks are made of: eager, and recorded as a Program and interpreted.

Each computation is written twice, here and in PyTorch, from the same numbers in float64, and is
differentiated (twice where it makes sense) to its inputs and weights.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.nn.against_torch import agree, prove, torch_run
from tests.nn.steps import assert_close, run

import chainrule as cr
from chainrule import functional as F
from chainrule.core.interpret import interpret
from chainrule.core.record import record

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.peers


def draw(*shapes: tuple[int, ...], scale: float = 0.5) -> list[Any]:
    rng = np.random.default_rng(8)
    return [rng.standard_normal(shape) * scale for shape in shapes]


# -- multi-head attention with a mask

BATCH, TIME, WIDTH, HEADS = 2, 5, 6, 3


def test_multi_head_attention() -> None:
    mask = np.tril(np.ones((TIME, TIME), bool))
    mask[2, 1] = False

    def attention(lib: Any, sdpa: Any, x: Any, w_in: Any, b_in: Any, w_out: Any, mask: Any) -> Any:
        def heads(part: Any) -> Any:
            return part.reshape(BATCH, TIME, HEADS, WIDTH // HEADS).permute(0, 2, 1, 3)

        mixed = lib.linear(x, w_in, b_in)
        q, k, v = (heads(mixed[..., i * WIDTH : (i + 1) * WIDTH]) for i in range(3))
        read = sdpa(q, k, v, mask)
        return lib.linear(read.permute(0, 2, 1, 3).reshape(BATCH, TIME, WIDTH), w_out)

    def written_out(q: Any, k: Any, v: Any, mask: Any) -> Any:
        scores = q @ k.transpose(-1, -2) / np.sqrt(q.shape[-1])
        return scores.masked_fill(~mask, -torch.inf).softmax(-1) @ v

    arrays = draw((BATCH, TIME, WIDTH), (3 * WIDTH, WIDTH), (3 * WIDTH,), (WIDTH, WIDTH))
    prove(
        lambda *a: attention(F, F.scaled_dot_product_attention, *a, cr.tensor(mask)),
        lambda *a: attention(torch.nn.functional, written_out, *a, torch.tensor(mask)),
        arrays,
        order=2,
    )


def test_multi_head_attention_is_pytorchs_module() -> None:
    x, w_in, b_in, w_out = draw(
        (BATCH, TIME, WIDTH), (3 * WIDTH, WIDTH), (3 * WIDTH,), (WIDTH, WIDTH)
    )
    mask = np.tril(np.ones((TIME, TIME), bool))
    module = torch.nn.MultiheadAttention(WIDTH, HEADS, batch_first=True, dtype=torch.float64)
    module.load_state_dict({
        "in_proj_weight": torch.tensor(w_in), "in_proj_bias": torch.tensor(b_in),
        "out_proj.weight": torch.tensor(w_out), "out_proj.bias": torch.zeros(WIDTH),
    })  # fmt: skip
    query = torch.tensor(x)
    expected, _ = module(query, query, query, attn_mask=~torch.tensor(mask))
    mixed = F.linear(cr.tensor(x), cr.tensor(w_in), cr.tensor(b_in))
    parts = mixed.reshape(BATCH, TIME, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
    read = F.scaled_dot_product_attention(parts[0], parts[1], parts[2], cr.tensor(mask))
    got = F.linear(read.permute(0, 2, 1, 3).reshape(BATCH, TIME, WIDTH), cr.tensor(w_out))
    assert_close(got.numpy(), expected.detach().numpy())


# -- convolutions


def test_strided_convolution() -> None:
    def convolution(lib: Any, x: Any, w: Any, b: Any) -> Any:
        return lib.silu(lib.conv2d(x, w, b, stride=(2, 3), padding=(1, 2)))

    prove(
        lambda *a: convolution(F, *a),
        lambda *a: convolution(torch.nn.functional, *a),
        draw((2, 3, 7, 8), (4, 3, 3, 4), (4,)),
        order=2,
    )


def test_depthwise_convolution() -> None:
    def convolution(lib: Any, x: Any, w: Any, b: Any, mix: Any) -> Any:
        each = lib.conv2d(x, w, b, padding=2, dilation=2, groups=3)
        return lib.conv2d(lib.gelu(each), mix)

    prove(
        lambda *a: convolution(F, *a),
        lambda *a: convolution(torch.nn.functional, *a),
        draw((2, 3, 6, 6), (6, 1, 3, 3), (6,), (2, 6, 1, 1)),
        order=2,
    )


# -- batch norm with running statistics


def test_batch_norm_moves_its_statistics_and_trains() -> None:
    x, weight, bias = draw((8, 3), (3,), (3,))
    states = []
    for recorded in (False, True):
        mean, var = cr.Buffer(np.full(3, 0.2), "mean"), cr.Buffer(np.full(3, 1.5), "var")
        there = [
            torch.full((3,), 0.2, dtype=torch.float64),
            torch.full((3,), 1.5, dtype=torch.float64),
        ]

        def mine(x: Any, w: Any, b: Any, mean: Any = mean, var: Any = var) -> Any:
            return F.tanh(F.batch_norm(x, mean, var, w, b, training=True, momentum=0.3))

        def theirs(x: Any, w: Any, b: Any, there: Any = there) -> Any:
            lib = torch.nn.functional
            return lib.tanh(lib.batch_norm(x, *there, w, b, training=True, momentum=0.3))

        expected = torch_run(theirs, [x, weight, bias], 2)
        agree(run(mine, [x, weight, bias], order=2, recorded=recorded), expected)
        assert_close(mean.numpy(), there[0].numpy())
        assert_close(var.numpy(), there[1].numpy())
        states.append(mean.tolist())
    assert states[0] != [0.2, 0.2, 0.2]


# -- an LSTM over 50 steps

STEPS, ROWS, IN, HIDDEN = 50, 2, 3, 4


def lstm_arrays() -> list[Any]:
    return draw(
        (STEPS, ROWS, IN), (ROWS, HIDDEN), (ROWS, HIDDEN),
        (4 * HIDDEN, IN), (4 * HIDDEN, HIDDEN), (4 * HIDDEN,),
    )  # fmt: skip


def lstm_cell(lib: Any, h: Any, c: Any, x: Any, w_x: Any, w_h: Any, b: Any) -> Any:
    gates = lib.linear(x, w_x, b) + lib.linear(h, w_h)
    i, f, g, o = (gates[:, n * HIDDEN : (n + 1) * HIDDEN] for n in range(4))
    c = lib.sigmoid(f) * c + lib.sigmoid(i) * lib.tanh(g)
    return lib.sigmoid(o) * lib.tanh(c), c


def lstm(xs: Any, h: Any, c: Any, w_x: Any, w_h: Any, b: Any) -> Any:
    def step(carry: Any, x: Any) -> Any:
        h, c = lstm_cell(F, *carry, x, w_x, w_h, b)
        return (h, c), h

    (h, c), hs = F.scan(step, (h, c), xs)
    return (hs * hs).sum(axis=0) + h * c


def lstm_unrolled(xs: Any, h: Any, c: Any, w_x: Any, w_h: Any, b: Any) -> Any:
    hs = []
    for x in xs:
        h, c = lstm_cell(torch.nn.functional, h, c, x, w_x, w_h, b)
        hs.append(h)
    hs = torch.stack(hs)
    return (hs * hs).sum(0) + h * c


def test_lstm_over_fifty_steps() -> None:
    prove(lstm, lstm_unrolled, lstm_arrays(), order=2)


def test_lstm_is_pytorchs_module_and_written_down_once() -> None:
    xs, h, c, w_x, w_h, b = lstm_arrays()
    module = torch.nn.LSTM(IN, HIDDEN, dtype=torch.float64)
    module.load_state_dict({
        "weight_ih_l0": torch.tensor(w_x), "weight_hh_l0": torch.tensor(w_h),
        "bias_ih_l0": torch.tensor(b), "bias_hh_l0": torch.zeros(4 * HIDDEN),
    })  # fmt: skip
    _, (last, _) = module(torch.tensor(xs), (torch.tensor(h)[None], torch.tensor(c)[None]))
    weights = [cr.tensor(a) for a in (w_x, w_h, b)]

    def step(carry: Any, x: Any) -> Any:
        return lstm_cell(F, *carry, x, *weights), None

    def whole() -> tuple[Any, ...]:
        (final, _), nothing = F.scan(step, (cr.tensor(h), cr.tensor(c)), cr.tensor(xs))
        assert nothing is None
        return (final,)

    program, _ = record(whole, [])
    assert [made.op.name for made in program.instructions] == ["scan"]
    assert_close(interpret(program, [])[0], last[0].detach().numpy())


# -- dropout


def test_dropout_with_the_same_mask() -> None:
    x, w = draw((6, 5), (4, 5))
    for recorded in (False, True):
        cr.manual_seed(11)
        mask = F.dropout(cr.tensor(np.ones((6, 4))), 0.4).numpy()
        assert 0 < (mask == 0).sum() < mask.size
        cr.manual_seed(11)
        got = run(
            lambda x, w: F.dropout(F.tanh(F.linear(x, w)), 0.4),
            [x, w], order=2, recorded=recorded,
        )  # fmt: skip
        expected = torch_run(
            lambda x, w, mask=mask: torch.tanh(x @ w.T) * torch.tensor(mask), [x, w], 2
        )
        agree(got, expected)


# -- embedding with repeated indices, cross-entropy


def test_embedding_with_repeated_indices() -> None:
    index = np.array([[1, 1, 4], [4, 1, 0]])

    def text(lib: Any, index: Any, table: Any, w: Any) -> Any:
        return lib.linear(lib.tanh(lib.embedding(index, table)), w)

    prove(
        lambda table, w: text(F, cr.tensor(index), table, w),
        lambda table, w: text(torch.nn.functional, torch.tensor(index), table, w),
        draw((6, 3), (2, 3)),
        order=2,
    )


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_of_a_layer(smoothing: float) -> None:
    target = np.array([2, 0, 3, 3, -100])

    def loss(lib: Any, target: Any, x: Any, w: Any, b: Any) -> Any:
        return lib.cross_entropy(lib.linear(x, w, b), target, label_smoothing=smoothing)

    prove(
        lambda *a: loss(F, cr.tensor(target), *a),
        lambda *a: loss(torch.nn.functional, torch.tensor(target), *a),
        draw((5, 3), (4, 3), (4,), scale=3.0),
        order=2,
    )


# -- the listing can be read


def test_the_listing_of_attention_names_its_parts() -> None:
    q, k, v = draw((2, 3), (4, 3), (4, 3))

    def step() -> tuple[Any, ...]:
        leaves = [cr.Cell(a, n, True) for a, n in ((q, "query"), (k, "key"), (v, "value"))]
        F.scaled_dot_product_attention(*leaves).sum().backward()
        return tuple(leaf.grad for leaf in leaves)

    program, _ = record(step, [])
    text = program.verify().listing()
    assert "f64[2,3] = query" in text
    assert "contract(%" in text
    assert "dims=ik,kj->ij" in text
    assert "test_nn_proofs.py:" in text
    phases = {made.phase for made in program.instructions}
    assert phases == {"forward", "backward"}
