"""Saving and loading: what comes back, what never half-exists, what is refused."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import chainrule as cr
from chainrule import optim
from chainrule.errors import ArtefactError, SettingError
from chainrule.optim import lr_scheduler
from chainrule.serialization import load, save


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.safetensors"


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int32", "uint32", "bool"])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0, 2)])
def test_tensors_come_back(path: Path, dtype: str, shape: tuple[int, ...]) -> None:
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)
    save({"a.b": cr.tensor(array), "c": array}, path)
    for tensor in load(path).values():
        assert isinstance(tensor, cr.Tensor)
        assert tensor.dtype == dtype
        assert tensor.shape == shape
        assert tensor.numpy().tolist() == array.tolist()


def test_views_are_saved_as_they_read(path: Path) -> None:
    x = cr.tensor(np.arange(6.0).reshape(2, 3))
    save({"t": x.T, "s": x[:, ::2]}, path)
    assert load(path)["t"].tolist() == [[0, 3], [1, 4], [2, 5]]
    assert load(path)["s"].tolist() == [[0, 2], [3, 5]]


def test_a_model_comes_back(path: Path) -> None:
    make = lambda: cr.nn.Sequential(cr.nn.Linear(2, 3), cr.nn.BatchNorm1d(3))
    first, second = make(), make()
    save(first.state_dict(), path)
    second.load_state_dict(load(path))
    assert {k: v.tolist() for k, v in first.state_dict().items()} == {
        k: v.tolist() for k, v in second.state_dict().items()
    }
    # A flat state is a plain safetensors file.
    assert sorted(load_file(path)) == sorted(first.state_dict())


def test_a_training_comes_back(path: Path) -> None:
    def begin() -> tuple[Any, Any, Any]:
        w = cr.Parameter([1.0, 2.0])
        optimizer = optim.AdamW([w], lr=0.1)
        return w, optimizer, lr_scheduler.OneCycleLR(optimizer, 0.3, total_steps=10)

    def steps(w: Any, optimizer: Any, schedule: Any, count: int) -> None:
        for _ in range(count):
            optimizer.zero_grad()
            (w**3).sum().backward()
            optimizer.step()
            schedule.step()

    whole, first, second = begin(), begin(), begin()
    steps(*whole, count=8)
    steps(*first, count=3)
    w, optimizer, schedule = first
    save({"w": w, "optimizer": optimizer.state_dict(), "schedule": schedule.state_dict()}, path)
    state = load(path)
    second[0].assign(state["w"])
    second[1].load_state_dict(state["optimizer"])
    second[2].load_state_dict(state["schedule"])
    steps(*second, count=5)
    assert second[0].tolist() == whole[0].tolist()
    assert sorted(load_file(path)) == [
        f"optimizer.state.0.{name}" for name in ("exp_avg", "exp_avg_sq", "step")
    ] + ["w"]


def test_what_is_not_a_tensor_comes_back(path: Path) -> None:
    state = {
        "epoch": 3,
        "best": float("inf"),
        "rate": 0.1 + 0.2,
        "name": "run",
        "none": None,
        "on": True,
        "list": [1, {"x": (0.5, "y")}],
        "by number": {0: {"deep": []}, 1: {}},
    }
    save(state, path)
    assert load(path) == state


def test_an_empty_state(path: Path) -> None:
    save({}, path)
    assert load(path) == {}


def test_other_files_of_the_format_are_read(path: Path) -> None:
    save_file({"w": np.ones(2, "float16")}, path, metadata={"format": "np"})
    assert load(path)["w"].tolist() == [1, 1]


def test_a_failed_save_leaves_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save({"w": np.ones(2)}, path)

    def fails(*_: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(OSError, match="full"):
        save({"w": np.zeros(2)}, path)
    monkeypatch.undo()
    assert load(path)["w"].tolist() == [1, 1]
    assert os.listdir(path.parent) == [path.name], "nothing is left lying about"


def test_the_file_is_as_readable_as_any_other(path: Path) -> None:
    save({"w": np.ones(2)}, path)
    (path.parent / "other").touch()
    assert path.stat().st_mode == (path.parent / "other").stat().st_mode


@pytest.mark.parametrize("kept", [0, 4, 8, 40, -1])
def test_a_cut_off_file(path: Path, kept: int) -> None:
    save({"w": np.ones(20), "n": 3}, path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ArtefactError, match=r"state.safetensors cannot be read"):
        load(path)


@pytest.mark.parametrize(
    "content", [b"PK\x03\x04 a zip file", b"\x80\x04 a pickle", b"a,b\n1,2\n" * 9]
)
def test_a_file_of_another_kind(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(ArtefactError, match=r"(?s)cannot be read.*safetensors format"):
        load(path)


def test_a_file_with_a_broken_structure(path: Path) -> None:
    for structure in ("{", '{"tensor": "gone"}', '{"items": 3}'):
        save_file({"w": np.ones(2)}, path, metadata={"chainrule.structure": structure})
        with pytest.raises(ArtefactError, match="cannot be read"):
            load(path)


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match=r"(?s)absent.*cannot be read"):
        load(tmp_path / "absent")


def test_what_cannot_be_saved(path: Path) -> None:
    with pytest.raises(SettingError, match=r"(?s)a\.0 cannot be saved.*got: *object"):
        save({"a": [object()]}, path)
    with pytest.raises(SettingError, match=r"two tensors .* path a\.b"):
        save({"a": {"b": np.ones(1)}, "a.b": np.ones(1)}, path)
    assert not path.exists()
