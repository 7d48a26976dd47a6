"""Every ready network: trained eager, interpreted and native alike, and what each does beyond."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.nn.steps import assert_close

import chainrule as cr
from chainrule import functional as F
from chainrule.errors import ChainruleError
from chainrule.nn import networks as N

RNG = np.random.default_rng(0)


def ints(high: int, *shape: int) -> Any:
    return RNG.integers(0, high, shape)


def normal(*shape: int) -> Any:
    return RNG.standard_normal(shape)


def classes(scores: cr.Tensor, target: cr.Tensor) -> cr.Tensor:
    return F.cross_entropy(scores.reshape(-1, scores.shape[-1]), target.reshape(-1))


SMALL = {"width": 8, "layers": 1, "heads": 2}
MADE: dict[str, tuple[Any, list[Any], Any, Any]] = {  # network, inputs, target, loss
    "mlp": (lambda: N.MLP(N.MLPConfig(3, 2, (5,), "gelu")), [normal(4, 3)], normal(4, 2),
            F.mse_loss),
    "resnet": (
        lambda: N.ResNet(N.ResNetConfig(1, 3, (2, 4), (1, 1))), [normal(3, 1, 6, 6)],
        ints(3, 3), classes,
    ),
    "vit": (
        lambda: N.ViT(N.ViTConfig(6, 3, 2, 3, **SMALL)), [normal(3, 2, 6, 6)], ints(3, 3), classes
    ),
    "gpt": (
        lambda: N.GPT(N.GPTConfig(7, 6, **SMALL)), [ints(7, 2, 5)], ints(7, 2, 5), classes
    ),
    "gpt-rotary": (
        lambda: N.GPT(N.GPTConfig(7, 6, **SMALL, tied=False, bias=False, positions="rotary")),
        [ints(7, 2, 5)], ints(7, 2, 5), classes,
    ),
    "seq2seq": (
        lambda: N.Seq2Seq(N.Seq2SeqConfig(7, 5, **SMALL, dropout=0.0)),
        [np.array([[3, 4, 5], [6, 3, 0]]), ints(5, 2, 4)], ints(5, 2, 4), classes,
    ),
    "factorization": (
        lambda: N.MatrixFactorization(N.MatrixFactorizationConfig(5, 4, 3, 2.5)),
        [ints(5, 8), ints(4, 8)], normal(8), F.mse_loss,
    ),
    "tagger": (
        lambda: N.LSTMTagger(N.LSTMTaggerConfig(7, 3, 4, 5)),
        [ints(7, 2, 4), np.array([4, 2])], ints(3, 2, 4), classes,
    ),
    "forecaster": (
        lambda: N.LSTMForecaster(N.LSTMForecasterConfig(2, 3, 1, 4, layers=2)),
        [normal(2, 5, 2)], normal(2, 3, 1), F.mse_loss,
    ),
}  # fmt: skip


def made(name: str) -> Any:
    cr.manual_seed(1)
    return MADE[name][0]().double()


def trained(name: str, backend: str) -> tuple[list[float], Any]:
    """The losses of three steps, and the network after them."""
    model = made(name)
    _, inputs, target, criterion = MADE[name]
    optimizer = cr.optim.SGD(model.parameters(), lr=0.05)

    def step(target: cr.Tensor, *inputs: cr.Tensor) -> cr.Tensor:
        loss: cr.Tensor = criterion(model(*inputs), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    run: Any = step if backend == "eager" else cr.compile(step, backend)  # type: ignore[arg-type]
    arrays = [cr.tensor(x) for x in (target, *inputs)]
    return [run(*arrays).item() for _ in range(3)], model


@pytest.mark.parametrize("name", MADE)
def test_trains_alike_eager_interpreted_and_native(name: str) -> None:
    expected, eager = trained(name, "eager")
    assert expected[2] < expected[0]
    inputs = [cr.tensor(x) for x in MADE[name][1]]
    out = eager.eval()(*inputs).numpy()
    for backend, tolerance in (("interpret", 1e-12), ("native", 1e-7)):
        losses, model = trained(name, backend)
        np.testing.assert_allclose(losses, expected, rtol=tolerance)
        assert_close(model.eval()(*inputs).numpy(), out, max(tolerance, 1e-7))


@pytest.mark.parametrize("name", MADE)
def test_state_and_single_precision(name: str) -> None:
    model = made(name).float().eval()
    inputs = [x.astype("float32") if x.dtype.kind == "f" else x for x in MADE[name][1]]
    out = model(*map(cr.tensor, inputs))
    assert out.dtype == np.float32
    other = MADE[name][0]().eval()
    other.load_state_dict(model.state_dict())
    np.testing.assert_array_equal(other(*map(cr.tensor, inputs)).numpy(), out.numpy())


WRONG: list[tuple[Any, Any]] = [
    (lambda: N.MLP(N.MLPConfig(3, 2, activation="rely")), "did you mean 'relu'"),
    (lambda: made("mlp")(cr.zeros(4, 5)), "in_features"),
    (lambda: made("resnet")(cr.zeros(4, 3, 6, 6)), "in stem: Conv2d"),
    (lambda: N.ViT(N.ViTConfig(7, 3)), "divides 7"),
    (lambda: made("vit")(cr.zeros(4, 2, 7, 7)), r"\[batch, 2, 6, 6\]"),
    (lambda: made("gpt")(cr.tensor([[0] * 7])), "time up to 6"),
    (lambda: made("gpt").generate([[1] * 7], 1), "time 1 to 6"),
    (lambda: made("gpt").stream([[]], 1), "time 1 to 6"),
    (lambda: made("gpt").generate([[1, 2]], 1, temperature=-1), "at least 0"),
    (lambda: made("gpt").generate([[1, 2]], 1, top_k=0), "at least one token"),
    (lambda: N.GPT(N.GPTConfig(7, width=6, heads=4)), "heads divide"),
    (lambda: N.GPT(N.GPTConfig(7, positions="rotery")), "did you mean 'rotary'"),  # type: ignore[arg-type]
    (lambda: made("seq2seq").beam([[3]], 2, width=0), "a width and a length"),
    (lambda: made("factorization")(cr.tensor([1]), cr.tensor([1, 2])), "one user and one item"),
    (lambda: made("tagger")(cr.tensor([[9]])), "out of range"),
    (lambda: made("forecaster")(cr.zeros(2, 5, 3)), "input_size"),
]


@pytest.mark.parametrize(("wrong", "text"), WRONG)
def test_what_does_not_fit(wrong: Any, text: str) -> None:
    with pytest.raises(ChainruleError, match=text):
        wrong()


# -- GPT


@pytest.mark.parametrize("name", ["gpt", "gpt-rotary"])
@pytest.mark.parametrize("backend", [None, "interpret", "native"])
def test_the_cache_changes_nothing(name: str, backend: Any) -> None:
    model, prompt = made(name), np.array([[1, 4], [6, 0]])
    for parameter in model.parameters():  # far from the small first values, so that all counts
        parameter.assign(parameter * 20.0)
    got = model.generate(prompt, 4, temperature=0.0, backend=backend)
    text = prompt
    for _ in range(4):
        scores = model(cr.tensor(text)).numpy()[:, -1]
        text = np.concatenate([text, scores.argmax(-1)[:, None]], axis=1)
    np.testing.assert_array_equal(got, text)
    assert len(np.unique(got[:, 2:])) > 1
    assert model.training


@pytest.mark.parametrize("name", ["gpt", "gpt-rotary"])
@pytest.mark.parametrize("backend", [None, "native"])
def test_beyond_its_context_a_gpt_goes_on_from_the_last_half(name: str, backend: Any) -> None:
    model, text = made(name), np.array([[1, 4, 2, 0]])
    for parameter in model.parameters():
        parameter.assign(parameter * 20.0)
    got = model.generate(text, 9, temperature=0.0, backend=backend)
    begin = 0
    for _ in range(9):
        if text.shape[1] - begin > model.config.context:
            begin = text.shape[1] - model.config.context // 2
        scores = model(cr.tensor(text[:, begin:])).numpy()[:, -1]
        text = np.concatenate([text, scores.argmax(-1)[:, None]], axis=1)
    np.testing.assert_array_equal(got, text)


def test_a_stream_leaves_the_model_as_it_is_between_tokens() -> None:
    model = made("gpt-rotary")
    stream = model.stream([[1, 2]], 3, temperature=0.0)
    for token in stream:
        assert token.shape == (1,)
        assert model.training
        assert cr.is_grad_enabled()


def test_a_cache_gives_the_scores_of_the_whole_text() -> None:
    from chainrule.nn.networks.gpt import Cache

    for name in ("gpt", "gpt-rotary"):
        model, text = made(name).eval(), cr.tensor(MADE["gpt"][1][0])
        cache = Cache(model.config, 2, "float64")
        parts = [model(text[:, a:b], cache).numpy() for a, b in ((0, 2), (2, 3), (3, 5))]
        assert_close(np.concatenate(parts, axis=1), model(text).numpy(), 1e-11)


def test_drawing_tokens() -> None:
    from chainrule.nn.networks.sampling import sample

    scores = np.log(np.tile([0.1, 0.2, 0.3, 0.4], (20000, 1)))
    shares = np.bincount(sample(scores), minlength=4) / 20000
    np.testing.assert_allclose(shares, [0.1, 0.2, 0.3, 0.4], atol=0.02)
    shares = np.bincount(sample(scores, top_k=2), minlength=4) / 20000
    np.testing.assert_allclose(shares, [0, 0, 3 / 7, 4 / 7], atol=0.02)
    shares = np.bincount(sample(scores, temperature=0.5), minlength=4) / 20000
    np.testing.assert_allclose(shares, np.array([1, 4, 9, 16]) / 30, atol=0.02)
    assert (sample(scores, temperature=0.0) == 3).all()
    model = made("gpt")
    cr.manual_seed(5)
    first = model.generate([[1]], 5)
    cr.manual_seed(5)
    np.testing.assert_array_equal(model.generate([[1]], 5), first)


# -- a tagger


def test_words_after_the_length_do_not_count() -> None:
    model, lengths = made("tagger"), cr.tensor([2])
    one, other = (model(cr.tensor([[3, 4, *rest]]), lengths).numpy() for rest in ([0, 0], [5, 6]))
    np.testing.assert_array_equal(one[:, :2], other[:, :2])


# -- GPT-2's files


def gpt2_state(rng: np.random.Generator, width: int = 8, layers: int = 2) -> dict[str, Any]:
    """Random weights under GPT-2's names, layers as [in, out]."""
    shapes = {"wte.weight": (11, width), "wpe.weight": (6, width), "ln_f.weight": (width,)}
    shapes["ln_f.bias"] = (width,)
    for i in range(layers):
        for name, inputs, outputs in (
            ("attn.c_attn", width, 3 * width), ("attn.c_proj", width, width),
            ("mlp.c_fc", width, 4 * width), ("mlp.c_proj", 4 * width, width),
        ):  # fmt: skip
            shapes[f"h.{i}.{name}.weight"] = (inputs, outputs)
            shapes[f"h.{i}.{name}.bias"] = (outputs,)
        for name in ("ln_1.weight", "ln_1.bias", "ln_2.weight", "ln_2.bias"):
            shapes[f"h.{i}.{name}"] = (width,)
    return {k: rng.standard_normal(s).astype("float32") * 0.5 for k, s in shapes.items()}


def test_a_checkpoint_of_gpt2_becomes_a_gpt() -> None:
    state = gpt2_state(np.random.default_rng(0))
    model = N.gpt2(state, heads=2)
    assert (model.config.tokens, model.config.context, model.config.layers) == (11, 6, 2)
    whole = {f"transformer.{k}": v for k, v in state.items()}
    whole |= {"lm_head.weight": state["wte.weight"], "transformer.h.0.attn.bias": np.ones((1, 1))}
    text = cr.tensor([[1, 2, 3]])
    np.testing.assert_array_equal(N.gpt2(whole, 2)(text).numpy(), model(text).numpy())
    weight = model.state_dict()["blocks.1.attention.attend.weight"].numpy()
    np.testing.assert_array_equal(weight, state["h.1.attn.c_attn.weight"].T)


@pytest.mark.parametrize("change", ["missing", "shape", "unknown", "all"])
def test_a_damaged_checkpoint(change: str) -> None:
    state = gpt2_state(np.random.default_rng(0))
    if change == "missing":
        del state["h.1.ln_1.bias"]
    elif change == "shape":
        state["ln_f.bias"] = np.zeros(5)
    elif change == "unknown":
        state["h.0.attn.q_norm.weight"] = np.zeros(5)
    else:
        state = {"layers.0.weight": np.zeros(3)}
    with pytest.raises(cr.errors.ArtefactError, match="GPT-2"):
        N.gpt2(state, heads=2)
