"""`chainrule export`: files for others, or an error and no file."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

import chainrule as cr


def test_weights_and_source(call: Any, courier: Path, folder: Path) -> None:
    said = call("export", courier, "--format", "pytorch", "-o", "net.py")
    assert (said.code, said.out.strip()) == (0, "net.py")
    tree = ast.parse((folder / "net.py").read_text())
    assert "Model" in [node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    weights = cr.load(folder / "net.safetensors")
    assert isinstance(weights, dict)
    assert "layers.0.weight" in weights


def test_a_graph(call: Any, courier: Path, folder: Path) -> None:
    pytest.importorskip("onnx")
    said = call("export", courier, "--format", "onnx")
    assert (said.code, said.out.strip()) == (0, "model.onnx")
    assert "kilograms: numbers, NaN where missing" in said.err
    assert (folder / "model.onnx").stat().st_size > 1000


def test_an_ending_that_misleads_is_refused(call: Any, courier: Path, folder: Path) -> None:
    said = call("export", courier, "--format", "onnx", "-o", "model.txt")
    assert said.code == 2
    assert "does not end in .onnx" in said.err
    assert not list(folder.glob("model.txt*"))
