"""What a network makes of codes, against NumPy; and that it learns from texts natively."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.data import Table, prepare
from chainrule.train import Settings, train_table
from chainrule.train.heads import TargetsLoss
from chainrule.train.vectors import CategoryVector, TokenBag, TokenSequence, vectors_for

CODES = np.array([[2, 5, 0, 0, 0], [4, 4, 2, 3, 1]])


def test_a_bag_is_the_sum_of_its_tokens_and_learns_nothing_of_the_filling():
    bag = TokenBag(6, slots=5, width=3)
    assert not bag.weight.numpy().any()
    weight = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
    weight[0] = 0
    bag.weight.assign(weight)
    found = bag(cr.tensor(CODES))
    np.testing.assert_allclose(found.numpy(), weight[CODES].sum(axis=1), rtol=1e-6)
    found.sum().backward()
    assert bag.weight.grad.numpy()[:, 0].tolist() == [0, 1, 2, 1, 2, 1]


def test_a_sequence_finds_three_words_in_a_row_wherever_they_are():
    cr.manual_seed(0)
    found = TokenSequence(6, slots=5, width=4)
    words, layer = found.words.weight.numpy()[CODES], found.neighbours
    windows = np.concatenate([words[:, i : i + 3] for i in range(3)], axis=2)
    each = windows @ layer.weight.numpy().T + layer.bias.numpy()
    expected = np.maximum(each, 0).max(axis=1)
    np.testing.assert_allclose(found(cr.tensor(CODES)).numpy(), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("how", "made"), [("bag", TokenBag), ("sequence", TokenSequence), ("hash", CategoryVector)]
)
def test_the_module_of_a_record(how, made):
    table = Table.of({"note": ["a b c d", "b c d e", "c d e f"] * 10, "y": range(30)})
    record = prepare(table, "y", encodings={"note": how}).preparation.embedded[0]
    module = vectors_for(record)
    assert isinstance(module, made)
    assert (module.slots, module.width) == (record.slots, record.width)


def test_weights_are_those_of_the_rows():
    loss = TargetsLoss(["classification"], [2], weighted=True)
    scores, classes = cr.tensor([[2.0, 0.0], [0.0, 1.0]]), cr.tensor([1, 1])
    each = [np.log1p(np.exp(2.0)), np.log1p(np.exp(-1.0))]
    found = loss(scores, classes, cr.tensor([[0.5], [1.5]])).item()
    assert found == pytest.approx((0.5 * each[0] + 1.5 * each[1]) / 2, rel=1e-6)


@pytest.mark.parametrize("how", ["bag", "sequence"])
@pytest.mark.usefixtures("always_pays")
def test_texts_are_learned_as_machine_code(tmp_path, how):
    rng = np.random.default_rng(0)
    kind = rng.random(300) < 0.5
    some = [" ".join(rng.choice(["on", "at", "in", "by", "of"], 6)) for _ in kind]
    rows = [
        f"{s} {'cheap offer' if k else 'see you'} {s}\t{'ad' if k else 'mail'}"
        for s, k in zip(some, kind, strict=True)
    ]
    (tmp_path / "t.tsv").write_text("note\twhat\n" + "\n".join(rows) + "\n")
    trained = train_table(
        Settings.model_validate(
            {"data": str(tmp_path / "t.tsv"), "target": "what", "epochs": 15, "lr": 0.01,
             "encode": {"note": how}, "class_weight": "balanced", "output": str(tmp_path / "run")}
        )
    )  # fmt: skip
    assert trained.history.ran == "as machine code"
    assert trained.scores["accuracy"] > 0.95
