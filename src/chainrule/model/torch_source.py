"""A forward program as the source of a small PyTorch module, in the words of each op's peer.

An op's record says how PyTorch computes the same. Here that is called with texts in place of
tensors, which note what is done with them.
"""

from __future__ import annotations

from typing import Any

from chainrule.core.program import Instruction, Program
from chainrule.core.value import Symbol
from chainrule.errors import ProgramError
from chainrule.model.forward import ANY_ROWS

_SIGNS = {"add": "+", "sub": "-", "mul": "*", "truediv": "/", "pow": "**"}

_HEAD = '''"""{title}

Written by chainrule. The weights are in {weights}, under the same names:

    model = Model()
    model.load_state_dict(safetensors.torch.load_file("{weights}"))

forward takes `numbers`, float32 [rows, {numbers}], and `codes`, int64 [rows, {codes}], as the
model's preparation makes them, and gives float32 [rows, {outputs}].
"""

import torch
from torch import nn

SHAPES = {shapes}


class Part(nn.Module):
    """Holds parameters, and other parts, under their names."""


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        for name, shape in SHAPES.items():
            *path, last = name.split(".")
            part = self
            for step in path:
                if step not in part._modules:
                    part.add_module(step, Part())
                part = part._modules[step]
            part.register_parameter(last, nn.Parameter(torch.empty(shape)))

    def forward(self, numbers, codes):
        weights = dict(self.named_parameters())
        rows = len(numbers)
{body}
        return {returned}
'''


def torch_source(program: Program, title: str, weights: str = "model.safetensors") -> str:
    """The source of a PyTorch module that computes a forward program of `numbers` and `codes`.

    Its `state_dict` has the names of the program's weights; `weights` is the file they are in.
    ProgramError for an op that PyTorch is not known to have.
    """
    known = {s: _Text(name, s) for s, name in zip(program.args, ("numbers", "codes"), strict=True)}
    known |= {s: _Text(f"weights[{name!r}]", s) for name, s in program.reads.items()}
    for symbol, raw in [*program.captured.items(), *program.constants.items()]:
        known[symbol] = _Text(f"torch.tensor({raw.tolist()!r}, dtype=torch.{raw.dtype})", symbol)
    lines = [_line(made, known) for made in program.instructions]
    (returned,) = program.returns
    return _HEAD.format(
        title=title,
        weights=weights,
        numbers=program.args[0].shape[1],
        codes=program.args[1].shape[1],
        outputs=returned.shape[1],
        shapes=_table({name: symbol.shape for name, symbol in program.reads.items()}),
        body="\n".join(f"        {line}" for line in lines),
        returned=known[returned],
    )


def _line(made: Instruction, known: dict[Symbol, _Text]) -> str:
    """One instruction as an assignment."""
    if made.op.peer is None or len(made.outputs) != 1:
        raise ProgramError(f"PyTorch has no counterpart of the op {made.op.name}")
    inputs = [known.get(given, given) if isinstance(given, Symbol) else given
              for given in made.inputs]  # fmt: skip
    settings = {name: _sized(value) for name, value in made.settings.items()}
    written = made.op.peer(_Text("torch"), *inputs, **settings)
    (output,) = made.outputs
    known[output] = _Text(f"v{output.id}", output)
    return f"v{output.id} = {written!r}"


def _sized(value: Any) -> Any:
    """A setting in which the number of rows is `rows`."""
    if isinstance(value, tuple | list):
        return tuple(map(_sized, value))
    if type(value) is int and value and value % ANY_ROWS == 0:
        times = value // ANY_ROWS
        return _Text("rows" if times == 1 else f"{times} * rows")
    return value


def _table(shapes: dict[str, Any]) -> str:
    return "\n".join(["{", *(f'    "{name}": {shape},' for name, shape in shapes.items()), "}"])


class _Text:
    """A piece of source; what is done with it is a longer one."""

    def __init__(self, text: str, symbol: Symbol | None = None) -> None:
        self.text, self.symbol = text, symbol

    def __repr__(self) -> str:
        return self.text

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if self.symbol is not None and name in ("ndim", "shape"):
            return _sized(getattr(self.symbol, name))
        return _Text(f"{self.text}.{name}")

    def __call__(self, *given: Any, **named: Any) -> _Text:
        parts = [*map(repr, given), *(f"{name}={value!r}" for name, value in named.items())]
        return _Text(f"{self.text}({', '.join(parts)})")

    def __getitem__(self, key: Any) -> _Text:
        return _Text(f"{self.text}[{key!r}]")

    def __neg__(self) -> _Text:
        return _Text(f"-{self.text}")


def _operator(sign: str, swapped: bool) -> Any:
    def written(self: _Text, other: Any) -> _Text:
        left, right = (other, self) if swapped else (self, other)
        return _Text(f"({left!r} {sign} {right!r})")

    return written


for _name, _sign in _SIGNS.items():
    setattr(_Text, f"__{_name}__", _operator(_sign, swapped=False))
    setattr(_Text, f"__r{_name}__", _operator(_sign, swapped=True))
