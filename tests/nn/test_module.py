"""Module and the containers: the tree, its names, its state, its text, its errors."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn
from chainrule.core.record import record
from chainrule.errors import IndexRangeError, SettingError, ShapeError
from chainrule.spec import F32, Spec


class Net(nn.Module):
    def __init__(self) -> None:
        self.layers = nn.ModuleList([nn.Linear(4, 3), nn.Linear(3, 3)])
        self.norm = nn.BatchNorm1d(3)
        self.head = nn.Sequential(nn.Linear(3, 2), nn.ReLU())

    def forward(self, x: cr.Tensor) -> cr.Tensor:
        for layer in self.layers:
            x = layer(x)
        return self.head(self.norm(x))


KEYS = [
    "layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias",
    "norm.weight", "norm.bias", "norm.running_mean", "norm.running_var",
    "norm.num_batches_tracked", "head.0.weight", "head.0.bias",
]  # fmt: skip


def test_names_are_paths() -> None:
    net = Net()
    assert list(net.state_dict()) == KEYS
    assert [name for name, _ in net.named_parameters()] == [
        key for key in KEYS if "running" not in key and "tracked" not in key
    ]
    assert [name for name, _ in net.named_buffers()] == [
        key for key in KEYS if "running" in key or "tracked" in key
    ]


def test_state_round_trip_gives_the_same_outputs() -> None:
    first, second = Net(), Net()
    x = cr.tensor(np.random.default_rng(0).standard_normal((5, 4)).astype("float32"))
    first(x)  # moves the running statistics
    report = second.load_state_dict(first.state_dict())
    assert repr(report) == "<All keys matched successfully>"
    np.testing.assert_array_equal(second.eval()(x).numpy(), first.eval()(x).numpy())


def test_a_loaded_state_shares_no_memory() -> None:
    first, second = nn.Linear(2, 1), nn.Linear(2, 1)
    second.load_state_dict(first.state_dict())
    with cr.no_grad():
        second.weight += 1.0
    assert not np.array_equal(first.weight.numpy(), second.weight.numpy())


def test_a_wrong_state_changes_nothing_and_says_what_is_wrong() -> None:
    net = Net()
    before = {name: t.numpy() for name, t in net.state_dict().items()}
    state = {name: t.numpy() * 0 for name, t in net.state_dict().items()}
    state["head.0.wieght"] = state.pop("head.0.weight")
    with pytest.raises(SettingError) as wrong:
        net.load_state_dict(state)
    assert str(wrong.value) == (
        "the state does not fit Net\n"
        "  expected: also head.0.weight\n"
        "  got:      unexpected head.0.wieght\n"
        "  try:      did head.0.wieght mean head.0.weight?"
    )
    state["head.0.weight"] = np.zeros((2, 4), "float32")
    with pytest.raises(ShapeError, match=r"head\.0\.weight has another shape"):
        net.load_state_dict(state, strict=False)
    for name, tensor in net.state_dict().items():
        np.testing.assert_array_equal(tensor.numpy(), before[name])


def test_loading_what_fits() -> None:
    net = nn.Linear(2, 1)
    report = net.load_state_dict({"weight": [[1.0, 2.0]], "extra": [0.0]}, strict=False)
    assert (report.missing_keys, report.unexpected_keys) == (["bias"], ["extra"])
    assert net.weight.tolist() == [[1.0, 2.0]]


def test_freezing() -> None:
    net = Net()
    net.layers[0].freeze()
    out = net(cr.tensor(np.ones((3, 4), "float32") * [[1.0], [2.0], [3.0]])).sum()
    out.backward()
    frozen = [name for name, p in net.named_parameters() if p.grad is None]
    assert frozen == ["layers.0.weight", "layers.0.bias"]
    net.unfreeze()
    assert all(p.requires_grad for p in net.parameters())


def test_training_and_evaluation_reach_every_module() -> None:
    net = Net()
    assert all(m.training for m in net.modules())
    assert not any(m.training for m in net.eval().modules())
    assert all(m.training for m in net.train().modules())


def test_text_of_a_tree() -> None:
    assert repr(Net()) == (
        "Net(\n"
        "  (layers): ModuleList(\n"
        "    (0): Linear(in_features=4, out_features=3, bias=True)\n"
        "    (1): Linear(in_features=3, out_features=3, bias=True)\n"
        "  )\n"
        "  (norm): BatchNorm1d(3, eps=1e-05, momentum=0.1, affine=True, bias=True, "
        "track_running_stats=True)\n"
        "  (head): Sequential(\n"
        "    (0): Linear(in_features=3, out_features=2, bias=True)\n"
        "    (1): ReLU()\n"
        "  )\n"
        ")"
    )


def test_scopes_are_paths_also_through_a_list() -> None:
    net = Net()
    program, _ = record(lambda x: (net(x),), [Spec((5, 4), F32)])
    scopes = list(dict.fromkeys(made.scope for made in program.instructions))
    assert scopes == ["layers.0", "layers.1", "norm", "head.0", "head.1"]
    assert list(program.reads)[:2] == ["layers.0.weight", "layers.0.bias"]


def test_a_list_labels_what_comes_later() -> None:
    net = Net()
    net.layers.append(nn.Linear(3, 3))
    net.layers.insert(0, nn.Linear(4, 4))
    program, _ = record(lambda x: (net(x),), [Spec((5, 4), F32)])
    scopes = dict.fromkeys(made.scope for made in program.instructions)
    assert list(scopes)[:4] == ["layers.0", "layers.1", "layers.2", "layers.3"]


# -- errors name the layer


def test_a_wrong_input_names_the_layer_its_path_and_the_remedy() -> None:
    net = Net()
    with pytest.raises(ShapeError) as wrong:
        net(cr.tensor(np.zeros((5, 7), "float32")))
    assert str(wrong.value) == (
        "linear: the last axis of the input is not in_features, in layers.0: "
        "Linear(in_features=4, out_features=3, bias=True)\n"
        "  expected: in_features = 4: an input of shape [..., 4]\n"
        "  got:      f32[5,7]\n"
        "  try:      make the layer's in_features the width of what goes into it"
    )


@pytest.mark.parametrize(
    ("features", "shape", "remedy"),
    [
        (1, (5,), "unsqueeze(-1) makes a column of single numbers"),
        (64, (5, 8, 8), "Flatten() before this layer"),
        (5, (5, 3), "transpose the input: rows are examples, columns are features"),
        (5, (2, 3), "make the layer's in_features the width of what goes into it"),
    ],
)
def test_the_remedy_fits_the_mistake(features: int, shape: tuple[int, ...], remedy: str) -> None:
    with pytest.raises(ShapeError) as wrong:
        nn.Linear(features, 2)(cr.tensor(np.zeros(shape, "float32")))
    assert wrong.value.hint == remedy


def test_while_recording_the_error_names_the_line_too() -> None:
    net = Net()
    with pytest.raises(ShapeError, match=r"layers\.0: Linear") as wrong:
        record(lambda x: (net(x),), [Spec((5, 7), F32)])
    assert "test_module.py:" in str(wrong.value.hint)


def test_an_index_out_of_range_names_the_embedding() -> None:
    net = nn.Sequential(nn.Embedding(3, 2))
    with pytest.raises(IndexRangeError) as wrong:
        net(cr.tensor([0, 3, -1]))
    assert wrong.value.what == "an index is out of range, in 0: Embedding(3, 2)"
    assert wrong.value.got == "3 (2 of 3 are out of range)"


def test_a_module_of_ones_own_names_itself() -> None:
    class Adds(nn.Module):
        def forward(self, x: Any, y: Any) -> Any:
            return x + y

    with pytest.raises(ShapeError) as wrong:
        Adds()(cr.tensor([1.0, 2.0]), cr.tensor([1.0, 2.0, 3.0]))
    assert wrong.value.what == "add needs shapes that broadcast, in Adds()"


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.LayerNorm(4), (3, 5)),
        (nn.LayerNorm(4), ()),
        (nn.BatchNorm1d(4), (3, 5)),
        (nn.BatchNorm1d(1), (3, 5)),  # would broadcast
        (nn.BatchNorm1d(4), (4,)),
        (nn.BatchNorm1d(4), (1, 4)),  # one value per feature has no variance
        (nn.Linear(4, 1), ()),
        (nn.Softmax(dim=2), (3, 5)),
    ],
    ids=str,
)
def test_wrong_shapes_are_refused(layer: nn.Module, shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError) as wrong:
        layer(cr.tensor(np.zeros(shape, "float32")))
    assert type(layer).__name__ in wrong.value.what
    assert str(Spec(shape, F32)) in str(wrong.value.got)


def test_a_parameter_is_not_replaced_by_a_tensor() -> None:
    layer = nn.Linear(2, 1)
    with pytest.raises(SettingError, match="weight is a parameter"):
        layer.weight = cr.tensor([[1.0, 2.0]])


# -- containers


def test_sequential_by_number_name_and_slice() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    assert len(model) == 3
    assert isinstance(model[1], nn.ReLU)
    assert model[-1] is model[2]
    assert [type(m) for m in model[:2]] == [nn.Linear, nn.ReLU]
    model[1] = nn.Tanh()
    assert [type(m).__name__ for m in model] == ["Linear", "Tanh", "Linear"]
    named = nn.Sequential({"first": nn.Linear(2, 3), "bend": nn.ReLU()})
    assert list(named.state_dict()) == ["first.weight", "first.bias"]
    with pytest.raises(IndexError, match="holds 3 modules, there is no number 3"):
        model[3]


def test_sequential_of_a_list_says_how() -> None:
    with pytest.raises(SettingError, match=r"Sequential\(\*modules\)"):
        nn.Sequential([nn.ReLU()])  # type: ignore[arg-type]


def test_sequential_applies_in_order() -> None:
    x = cr.tensor([[1.0, -2.0]])
    first, last = nn.Linear(2, 3), nn.Linear(3, 1)
    expected = last(nn.functional.relu(first(x)))
    assert nn.Sequential(first, nn.ReLU(), last)(x).tolist() == expected.tolist()


def test_nn_functional_has_all_of_functional() -> None:
    import chainrule.nn.functional as F
    from chainrule import functional

    assert F.__all__ == functional.__all__
    assert all(getattr(F, name) is getattr(functional, name) for name in F.__all__)


def test_a_buffer_that_is_not_kept_is_no_part_of_the_state() -> None:
    module = cr.nn.Linear(2, 2)
    module.register_buffer("mask", cr.ones(2, 2).tril(), persistent=False)
    module.register_buffer("seen", np.zeros(2))
    holder = cr.nn.Sequential(module)
    assert list(holder.state_dict()) == ["0.weight", "0.bias", "0.seen"]
    assert [name for name, _ in holder.named_buffers()] == ["0.mask", "0.seen"]
    assert repr(holder.load_state_dict(holder.state_dict())) == "<All keys matched successfully>"
    assert list(copy.deepcopy(holder).state_dict()) == list(holder.state_dict())
    module.register_buffer("mask", np.ones(2))
    assert "0.mask" in holder.state_dict()


def test_parameters_of_a_module_alone_and_under_all_names() -> None:
    outer = cr.nn.Sequential(cr.nn.Linear(2, 2), cr.nn.Linear(2, 2))
    outer.scale = cr.Parameter([1.0])
    outer[1].weight = outer[0].weight
    assert [name for name, _ in outer.named_parameters(recurse=False)] == ["scale"]
    assert [p.shape for p in outer.parameters(recurse=False)] == [(1,)]
    assert len(list(outer.named_parameters())) == 4
    assert "1.weight" in dict(outer.named_parameters(remove_duplicate=False))
    assert list(outer.buffers(recurse=False)) == []
    assert outer.get_submodule("1") is outer[1]
    with pytest.raises(AttributeError, match="'2'"):
        outer.get_submodule("2")


def test_gradients_become_zeros_if_asked() -> None:
    module = cr.nn.Linear(2, 1)
    module(cr.ones(1, 2)).sum().backward()
    module.zero_grad(set_to_none=False)
    assert module.weight.grad.tolist() == [[0, 0]]
    module.zero_grad()
    assert module.weight.grad is None
