"""A program for any number of rows: it computes what eager does, and refuses what it cannot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn
from chainrule.core.interpret import interpret
from chainrule.core.program import Program
from chainrule.errors import ProgramError
from chainrule.model.forward import ANY_ROWS, for_rows, record_forward
from chainrule.spec import F32, I64, Spec
from chainrule.train import TableNetwork
from chainrule.train.vectors import CategoryVector

SPECS = [Spec((1, 3), F32), Spec((1, 2), I64)]


def network() -> TableNetwork:
    cr.manual_seed(0)
    found = TableNetwork(
        3, [CategoryVector(5, 2), CategoryVector(4, 3)], [16, 8], 4, activation="gelu", dropout=0.5
    )
    found.eval()
    return found


@pytest.mark.parametrize("rows", [0, 1, 2, 4096, 5000])
def test_any_number_of_rows_is_as_eager(rows: int) -> None:
    eager = network()
    program = record_forward(lambda *x: cr.functional.softmax(eager(*x), axis=1), SPECS)
    noise = np.random.default_rng(rows)
    numbers = noise.normal(size=(rows, 3)).astype(np.float32)
    codes = noise.integers(0, 4, (rows, 2))
    found = interpret(for_rows(program, rows).verify(), (numbers, codes))[0]
    wanted = cr.functional.softmax(eager(cr.tensor(numbers), cr.tensor(codes)), axis=1)
    assert found.shape == (rows, 4)
    np.testing.assert_array_equal(found, wanted.numpy())


@pytest.mark.parametrize(
    "layer",
    [
        nn.Linear(3, 2),
        nn.LayerNorm(3),
        nn.BatchNorm1d(3).eval(),
        nn.Dropout(0.5).eval(),
        nn.Softmax(dim=1),
        nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Flatten(), nn.Linear(6, 1)),
    ],
)
def test_layers_in_evaluation_mode(layer: nn.Module) -> None:
    x = np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32)
    program = record_forward(layer, SPECS[:1])
    found = interpret(for_rows(program, 7), (x,))[0]
    np.testing.assert_array_equal(found, layer(cr.tensor(x)).numpy())


def test_it_survives_json() -> None:
    eager = network()
    program = record_forward(eager, SPECS)
    again = Program.from_json(program.to_json(), program.cells.values())
    numbers, codes = np.ones((3, 3), np.float32), np.ones((3, 2), np.int64)
    results = [interpret(for_rows(p, 3), (numbers, codes))[0] for p in (program, again)]
    np.testing.assert_array_equal(*results)


@pytest.mark.parametrize(
    "depends",
    [
        nn.BatchNorm1d(3, track_running_stats=False),  # divides by the number of rows
        lambda x: x * float(x.shape[0]),
        lambda x: x * (x.shape[0] + 1),
        lambda x: x * ANY_ROWS,  # a number that only looks like one of rows
        lambda x: x + np.ones((x.shape[0], 3), np.float32),
    ],
)
def test_what_depends_on_the_number_of_rows_is_refused(depends: Callable[[Any], Any]) -> None:
    with pytest.raises(ProgramError, match="for another number of rows"):
        record_forward(depends, SPECS[:1])


def test_the_programs_share_the_weights() -> None:
    layer = nn.Linear(3, 1)
    program = record_forward(layer, SPECS[:1])
    sized = for_rows(program, 2)
    layer.weight.assign(cr.zeros((1, 3)))
    assert layer.bias is not None
    layer.bias.assign(cr.tensor([7.0]))
    assert interpret(sized, (np.ones((2, 3), np.float32),))[0].tolist() == [[7.0], [7.0]]
