"""Layers for images and sequences against PyTorch in float64, with shapes and options drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.nn.against_torch import agree, torch_run
from tests.nn.cases import Case, normal
from tests.nn.steps import run
from tests.peers.test_nn_layers import both

import chainrule as cr

torch = pytest.importorskip("torch")
pytestmark = [
    pytest.mark.peers,
    pytest.mark.filterwarnings("ignore:Using padding='same'", "ignore:enable_nested_tensor"),
]
ANY = settings(deadline=None, max_examples=25)
SEEDS = st.integers(0, 99)
SMALL = st.integers(1, 3)


def compare(case: Case, arrays: list[Any], **given_by_name: Any) -> None:
    """Outputs, and the gradients of inputs and parameters, with arguments by name unchanged."""
    mine, theirs = both(case)
    here = {name: cr.tensor(value) for name, value in given_by_name.items()}
    there = {name: torch.tensor(value) for name, value in given_by_name.items()}
    got = run(lambda *xs: mine(*xs, **here), arrays, list(mine.parameters()))
    agree(got, torch_run(lambda *xs: theirs(*xs, **there), arrays, 1, list(theirs.parameters())))


def draw_of(seed: int, *shape: int) -> Any:
    return np.random.default_rng(seed).standard_normal(shape)


@ANY
@given(st.data(), st.integers(1, 2), SMALL, SEEDS, st.booleans())
def test_convolutions(data: Any, axes: int, groups: int, seed: int, bias: bool) -> None:
    window, stride, dilation = (tuple(data.draw(SMALL) for _ in range(axes)) for _ in range(3))
    padding = data.draw(st.sampled_from(["same", "valid", 0, 1, 2]))
    stride = (1,) * axes if padding == "same" else stride
    channels, outputs = groups * data.draw(SMALL), groups * data.draw(SMALL)
    space = [
        d * (k - 1) + data.draw(st.integers(1, 4)) for d, k in zip(dilation, window, strict=True)
    ]
    x = draw_of(seed, *data.draw(st.sampled_from([[], [2]])), channels, *space)
    options = {"stride": stride, "padding": padding, "dilation": dilation}
    options |= {"groups": groups, "bias": bias}
    compare(Case(f"Conv{axes}d", (channels, outputs, window), normal(), options), [x])


@ANY
@given(st.data(), st.integers(1, 2), SMALL, SEEDS, st.booleans())
def test_transposed_convolutions(data: Any, axes: int, groups: int, seed: int, bias: bool) -> None:
    window, stride, dilation = (tuple(data.draw(SMALL) for _ in range(axes)) for _ in range(3))
    padding = tuple(
        data.draw(st.integers(0, d * (k - 1))) for d, k in zip(dilation, window, strict=True)
    )
    more = tuple(data.draw(st.integers(0, s - 1)) for s in stride)
    channels, outputs = groups * data.draw(SMALL), groups * data.draw(SMALL)
    space = [1 + p + data.draw(st.integers(0, 3)) for p in padding]
    x = draw_of(seed, *data.draw(st.sampled_from([[], [2]])), channels, *space)
    options = {"stride": stride, "padding": padding, "output_padding": more}
    options |= {"groups": groups, "dilation": dilation, "bias": bias}
    compare(Case(f"ConvTranspose{axes}d", (channels, outputs, window), normal(), options), [x])


@ANY
@given(SMALL, SMALL, st.lists(st.integers(1, 4), max_size=2), st.booleans(), SEEDS)
def test_group_norm_and_rms_norm(
    groups: int, width: int, space: list[int], affine: bool, seed: int
) -> None:
    x = draw_of(seed, 2, groups * width, *space)
    if x[0].size > groups:  # of a single number there is nothing but eps
        compare(Case("GroupNorm", (groups, groups * width, 1e-3, affine), normal()), [x])
    case = Case("RMSNorm", (x.shape[1:],), normal(), {"elementwise_affine": affine})
    compare(case, [x])


@ANY
@given(st.data(), st.sampled_from(["sum", "mean", "max"]), SEEDS, st.booleans(), st.booleans())
def test_bags(data: Any, mode: str, seed: int, padded: bool, ending: bool) -> None:
    count = data.draw(st.integers(0, 9))
    starts = sorted(data.draw(st.lists(st.integers(0, count), min_size=1, max_size=4)))
    offsets = np.array([0, *starts[1:], *([count] if ending else [])])
    options = {"mode": mode, "include_last_offset": ending}
    options |= {"padding_idx": 1} if padded else {}
    case = Case("EmbeddingBag", (5, 3), normal(), options)
    indices = np.random.default_rng(seed).integers(0, 5, count)
    weights = [draw_of(seed, count)] if mode == "sum" else []
    compare(case, [indices, offsets, *weights])
    if count and not ending:
        compare(case, [indices.reshape(1, -1)])


KINDS = st.sampled_from(["RNN", "LSTM", "GRU"])


@ANY
@given(KINDS, st.data(), SMALL, st.booleans(), st.booleans(), st.booleans(), SEEDS)
def test_recurrent_layers(
    kind: str, data: Any, layers: int, both_ways: bool, first: bool, bias: bool, seed: int
) -> None:
    sizes = data.draw(SMALL), data.draw(SMALL)
    options = {"num_layers": layers, "batch_first": first, "bias": bias}
    options["bidirectional"] = both_ways
    lead = data.draw(st.sampled_from([[3], [2, 4]]))
    rows = layers * (1 + both_ways)
    batch = [] if len(lead) == 1 else [lead[0] if first else lead[1]]
    arrays = [draw_of(seed, *lead, sizes[0]), draw_of(seed + 1, rows, *batch, sizes[1])]
    mine, theirs = both(Case(kind, sizes, normal(), options))
    if data.draw(st.booleans()):
        arrays = arrays[:1]
    state: Any = (lambda h: (h, h * 2)) if kind == "LSTM" else (lambda h: h)
    got = run(lambda x, *h: mine(x, *map(state, h)), arrays, list(mine.parameters()))
    expected = torch_run(
        lambda x, *h: theirs(x, *map(state, h)), arrays, 1, list(theirs.parameters())
    )
    agree(got, expected)


@ANY
@given(
    KINDS,
    st.lists(st.integers(1, 5), min_size=1, max_size=4),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    SEEDS,
)
def test_lengths_are_packed_sequences(
    kind: str, lengths: list[int], both_ways: bool, first: bool, recorded: bool, seed: int
) -> None:
    from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

    options = {"num_layers": 2, "batch_first": first, "bidirectional": both_ways}
    mine, theirs = both(Case(kind, (2, 3), normal(), options))
    x = draw_of(seed, 6, len(lengths), 2)
    x = x.swapaxes(0, 1) if first else x

    def packed(x: Any) -> Any:
        given = pack_padded_sequence(x, torch.tensor(lengths), first, enforce_sorted=False)
        out, state = theirs(given)
        return pad_packed_sequence(out, first, total_length=6)[0], state

    got = run(
        lambda x: mine(x, lengths=cr.tensor(lengths)), [x], list(mine.parameters()), 1, recorded
    )
    agree(got, torch_run(packed, [x], 1, list(theirs.parameters())))


@ANY
@given(st.data(), SMALL, SMALL, st.booleans(), st.booleans(), st.booleans(), SEEDS)
def test_attention_with_masks(
    data: Any, heads: int, width: int, first: bool, added: bool, averaged: bool, seed: int
) -> None:
    embed, queries, keys, batch = heads * width, 3, 4, 2
    kdim, vdim = data.draw(st.sampled_from([(embed, embed), (embed + 1, 2)]))
    options = {"kdim": kdim, "vdim": vdim, "batch_first": first}
    shapes = [(queries, embed), (keys, kdim), (keys, vdim)]
    arrays = [draw_of(seed + i, batch, *shape) for i, shape in enumerate(shapes)]
    arrays = arrays if first else [a.swapaxes(0, 1).copy() for a in arrays]
    masks: dict[str, Any] = {}
    rng = np.random.default_rng(seed)
    if data.draw(st.booleans()):
        each = data.draw(st.sampled_from([[], [batch * heads]]))
        mask = rng.random((*each, queries, keys)) < 0.4
        mask[..., 0] = False  # PyTorch's are nan where a query may look nowhere
        masks["attn_mask"] = np.where(mask, -1.5, 0.5) if added else mask
    if data.draw(st.booleans()):
        padding = rng.random((batch, keys)) < 0.4
        padding[:, 0] = False
        masks["key_padding_mask"] = np.where(padding, -np.inf, 0.0) if added else padding
    mine, theirs = both(Case("MultiheadAttention", (embed, heads), normal(), options))
    here = {name: cr.tensor(value) for name, value in masks.items()}
    there = {name: torch.tensor(value) for name, value in masks.items()}
    flags = {"need_weights": data.draw(st.booleans()), "average_attn_weights": averaged}
    got = run(lambda *xs: mine(*xs, **here, **flags), arrays, list(mine.parameters()))
    expected = torch_run(
        lambda *xs: theirs(*xs, **there, **flags), arrays, 1, list(theirs.parameters())
    )
    agree(got, expected)


@ANY
@given(st.sampled_from(["relu", "gelu"]), st.booleans(), st.booleans(), st.booleans(), SEEDS)
def test_transformers_with_masks(
    activation: str, first: bool, norm_first: bool, bias: bool, seed: int
) -> None:
    options = {"activation": activation, "batch_first": first, "norm_first": norm_first}
    sizes = (4, 2, 2, 1, 5, 0.0)
    case = Case("Transformer", sizes, normal(), {**options, "bias": bias})
    x, y = draw_of(seed, 2, 4, 4), draw_of(seed + 1, 2, 3, 4)
    arrays = [x, y] if first else [x.swapaxes(0, 1).copy(), y.swapaxes(0, 1).copy()]
    padding = np.array([[False] * 4, [False, False, True, True]])
    masks = {"tgt_mask": np.triu(np.ones((3, 3), bool), 1), "src_key_padding_mask": padding}
    compare(case, arrays, **masks, memory_key_padding_mask=padding)


@pytest.mark.parametrize("padded", [False, True])
def test_causal_attention_without_a_mask_is_that_with_the_triangle(padded: bool) -> None:
    mine, _ = both(Case("MultiheadAttention", (4, 2), normal(), {"batch_first": True}))
    x = cr.tensor(draw_of(0, 2, 3, 4))
    padding = cr.tensor(np.array([[False, False, True]] * 2)) if padded else None
    triangle = cr.tensor(np.triu(np.ones((3, 3), bool), 1))
    flagged = mine(x, x, x, padding, is_causal=True)
    for one, other in zip(flagged, mine(x, x, x, padding, attn_mask=triangle), strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-12)


@ANY
@given(st.integers(1, 4), st.integers(1, 7), SEEDS)
def test_rotary_positions_are_turns_of_complex_numbers(half: int, time: int, seed: int) -> None:
    def turned(x: Any) -> Any:
        rates = 10000.0 ** (-torch.arange(half, dtype=torch.float64) / half)
        angles = torch.arange(time, dtype=torch.float64)[:, None] * rates
        pairs = torch.view_as_complex(x.reshape(2, time, half, 2))
        return torch.view_as_real(pairs * torch.polar(torch.ones_like(angles), angles)).flatten(2)

    x = draw_of(seed, 2, time, 2 * half)
    agree(run(cr.nn.RotaryPositions(2 * half), [x]), torch_run(turned, [x], 1))
    score = cr.functional.rotary_positions(cr.tensor(x), cr.arange(time) + 5)
    plain = cr.functional.rotary_positions(cr.tensor(x))
    np.testing.assert_allclose(  # only the distance counts
        (score @ score.transpose(1, 2)).numpy(), (plain @ plain.transpose(1, 2)).numpy(), atol=1e-9
    )


# -- a whole network


def gpt(library: Any, tokens: int, width: int, context: int) -> Any:
    """A GPT of both libraries' own layers, its head tied to its embedding."""
    nn = library.nn

    class GPT(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Embedding(tokens, width)
            self.places = nn.Parameter(library.zeros(context, width))
            layer = nn.TransformerEncoderLayer(
                width, 2, 4 * width, 0.0, "gelu", batch_first=True, norm_first=True
            )
            self.blocks = nn.TransformerEncoder(layer, 2, nn.LayerNorm(width))
            self.head = nn.Linear(width, tokens, bias=False)
            self.head.weight = self.embed.weight
            self.mask = nn.Transformer.generate_square_subsequent_mask(context)

        def forward(self, text: Any) -> Any:
            x = self.blocks(self.embed(text) + self.places, self.mask)
            return self.head(x).transpose(1, 2)  # the loss takes [batch, classes, time]

    return GPT()


@pytest.mark.parametrize("backend", ["interpret", "native"])
def test_fifty_steps_of_a_gpt_have_the_same_losses(backend: Any, tmp_path: Any) -> None:
    sizes, batch, steps = (11, 16, 8), 4, 50
    cr.manual_seed(0)
    mine, theirs = gpt(cr, *sizes), gpt(torch, *sizes)
    safetensors = pytest.importorskip("safetensors.torch")
    cr.save(mine.state_dict(), tmp_path / "mine.safetensors")
    theirs.load_state_dict(safetensors.load_file(tmp_path / "mine.safetensors"))
    text = np.random.default_rng(0).integers(0, 11, (steps, batch, 9))
    text[:, :, 1::2] = (text[:, :, 0::2][:, :, :4] + 3) % 11  # something to learn

    def steps_of(library: Any, module: Any) -> Any:
        optimizer = library.optim.AdamW(module.parameters(), lr=3e-3, weight_decay=0.1)
        criterion = library.nn.CrossEntropyLoss(ignore_index=0)

        def step(x: Any, y: Any) -> Any:
            loss = criterion(module(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss

        return step

    one, other = cr.compile(steps_of(cr, mine), backend), steps_of(torch, theirs)
    got = [one(cr.tensor(t[:, :-1]), cr.tensor(t[:, 1:])).item() for t in text]
    expected = [other(torch.tensor(t[:, :-1]), torch.tensor(t[:, 1:])).item() for t in text]
    assert expected[-1] < expected[0] - 0.5
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-4)
    trained = {name: value.clone() for name, value in theirs.state_dict().items()}
    safetensors.save_file(trained, tmp_path / "theirs.safetensors")
    mine.load_state_dict(cr.load(tmp_path / "theirs.safetensors"))
    for name, value in theirs.state_dict().items():
        np.testing.assert_array_equal(mine.state_dict()[name].numpy(), value.numpy())


def test_averaged_models() -> None:
    from torch.optim import swa_utils as theirs

    from chainrule.optim import swa_utils as mine

    for decay in (None, 0.7):
        ours, other = both(Case("Linear", (2, 1), normal()))
        options = [{}, {}] if decay is None else [
            {"avg_fn": library.get_ema_avg_fn(decay)} for library in (mine, theirs)
        ]  # fmt: skip
        averages = mine.AveragedModel(ours, **options[0]), theirs.AveragedModel(other, **options[1])
        for seed in range(4):
            weight = draw_of(seed, 1, 2)
            ours.weight.assign(cr.tensor(weight))
            with torch.no_grad():
                other.weight.copy_(torch.tensor(weight))
            averages[0].update_parameters(ours)
            averages[1].update_parameters(other)
        assert sorted(averages[0].state_dict()) == sorted(averages[1].state_dict())
        for name, value in averages[1].state_dict().items():
            got = averages[0].state_dict()[name].numpy()
            np.testing.assert_allclose(got, value.numpy(), rtol=1e-12)
