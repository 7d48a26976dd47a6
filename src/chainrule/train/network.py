"""The network for tables: numbers, pictures and learned vectors through connected layers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from chainrule import nn
from chainrule.data import Preparation
from chainrule.ops.layout import concat
from chainrule.tensors import Tensor
from chainrule.train.pictures import PictureVector
from chainrule.train.settings import Chosen
from chainrule.train.vectors import CategoryVector as CategoryVector
from chainrule.train.vectors import Vectors, vectors_for

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
}


class TableNetwork(nn.Module):
    """Fully connected layers over a row's numbers and the learned vectors of its other columns.

    `numbers`: how many numeric features, those of `pictures` among them, which go through modules
    of their own first. `vectors`: what turns the codes of a column into numbers,
    per such column. `layers`: the widths of the hidden layers. Input f32[rows, numbers] and
    i64[rows, slots]; output f32[rows, outputs].

    >>> TableNetwork(3, [CategoryVector(10, 4)], [8], 1)
    TableNetwork(
      (pictures): ModuleList()
      (vectors): ModuleList(
        (0): CategoryVector(10, 4)
      )
      (layers): Sequential(
        (0): Linear(in_features=7, out_features=8, bias=True)
        (1): ReLU()
        (2): Linear(in_features=8, out_features=1, bias=True)
      )
    )
    """

    def __init__(
        self,
        numbers: int,
        vectors: Sequence[Vectors],
        layers: Sequence[int],
        outputs: int,
        activation: str = "relu",
        dropout: float = 0.0,
        pictures: Sequence[PictureVector] = (),
    ) -> None:
        self.pictures = nn.ModuleList(pictures)
        self.vectors = nn.ModuleList(vectors)
        self.ends = list(accumulate(column.slots for column in vectors))
        starts, ends = [0, *(p.end for p in pictures)], [*(p.start for p in pictures), numbers]
        self.plain = [(a, b) for a, b in zip(starts, ends, strict=True) if a < b or not pictures]
        width = sum(end - start for start, end in self.plain)
        width += sum(picture.width for picture in pictures)
        width += sum(column.width for column in vectors)
        modules: list[nn.Module] = []
        for wide in layers:
            modules += [nn.Linear(width, wide), ACTIVATIONS[activation]()]
            modules += [nn.Dropout(dropout)] if dropout else []
            width = wide
        self.layers = nn.Sequential(*modules, nn.Linear(width, outputs))

    @property
    def widths(self) -> list[int]:
        """How wide the input is, each hidden layer, and the output."""
        weights = self._weights()
        return [weights[0].shape[1], *(weight.shape[0] for weight in weights)]

    @property
    def size(self) -> int:
        """The number of trained numbers."""
        return sum(parameter.size for parameter in self.parameters())

    @property
    def largest(self) -> int:
        """The number of multiplications that a row takes in the largest layer."""
        pictures = (picture.multiplications for picture in self._pictures())
        return max([*pictures, *(weight.size for weight in self._weights())])

    @property
    def summary(self) -> str:
        """Its layers in words."""
        connected = " → ".join(map(str, self.widths))
        return ", then ".join([*(picture.summary for picture in self._pictures()), connected])

    def _pictures(self) -> list[PictureVector]:
        return [module for module in self.pictures if isinstance(module, PictureVector)]

    def _weights(self) -> list[Tensor]:
        return [layer.weight for layer in self.layers if isinstance(layer, nn.Linear)]

    def forward(self, numbers: Tensor, codes: Tensor) -> Any:
        parts = zip([0, *self.ends], self.ends, self.vectors, strict=False)
        seen = [picture(numbers) for picture in self.pictures]
        plain = [numbers[:, start:end] for start, end in self.plain] if seen else [numbers]
        inputs = [*plain, *seen, *(column(codes[:, start:end]) for start, end, column in parts)]
        return self.layers(concat(*inputs, axis=1) if len(inputs) > 1 else inputs[0])


def network_for(preparation: Preparation, settings: Chosen) -> TableNetwork:
    """The network for prepared data, freshly initialised from the default generator."""
    convolutional = settings.network == "convolutional"
    return TableNetwork(
        len(preparation.features),
        [vectors_for(record) for record in preparation.embedded],
        settings.layers,
        preparation.outputs,
        settings.activation,
        settings.dropout,
        [PictureVector(*picture) for picture in preparation.pictures if convolutional],
    )
