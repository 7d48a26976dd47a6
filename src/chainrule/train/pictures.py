"""What a network makes of pictures: convolutions find the same thing wherever it stands."""

from __future__ import annotations

from chainrule import nn
from chainrule.data.array_input import Picture
from chainrule.nn import init
from chainrule.tensors import Tensor

WIDTHS = (16, 32, 64, 64)
"""How many things each stage looks for; a picture goes through as many stages as it has room."""

SMALLEST = 3
"""A picture is halved by the stages until its shorter side would fall below this."""

GRID = 2
"""On so many places along each side the features stay apart; then they are averaged."""


class PictureVector(nn.Module):
    """Finds features in pictures by stages of convolution; each halves height and width.

    A stage is a 3 x 3 convolution, batch normalisation, ReLU, and the largest of each 2 x 2 places.
    What is found is averaged over each quarter of the picture: shapes may stand anywhere, but in a
    spectrogram it matters how high a tone is. The pictures are those of the numbers
    f32[rows, numbers] from `start` to `end`; `shape` is (height, width, channels). Gives
    f32[rows, width].
    Source: Y. LeCun et al., "Gradient-based learning applied to document recognition", 1998;
    S. Ioffe and C. Szegedy, "Batch normalization", 2015.

    >>> import chainrule as cr
    >>> picture = PictureVector(0, (8, 8, 1))
    >>> picture(cr.zeros(2, 64)).shape, picture.filters
    ((2, 64), [16])
    """

    def __init__(self, start: int, shape: Picture) -> None:
        self.start, self.shape = start, shape
        height, width, channels = shape
        self.end = start + height * width * channels
        modules: list[nn.Module] = []
        self.filters: list[int] = []
        self.multiplications = 0  # of one row, in the largest convolution
        for filters in WIDTHS:
            if self.filters and min(height, width) < 2 * SMALLEST:
                break
            convolution = nn.Conv2d(channels, filters, 3, padding=1, bias=False)
            init.kaiming_normal_(convolution.weight, nonlinearity="relu")
            modules += [convolution, nn.BatchNorm2d(filters), nn.ReLU(), nn.MaxPool2d(2)]
            each = height * width * convolution.weight.size
            self.multiplications = max(self.multiplications, each)
            self.filters.append(filters)
            height, width, channels = height // 2, width // 2, filters
        grid = min(GRID, height), min(GRID, width)
        self.layers = nn.Sequential(*modules, nn.AdaptiveAvgPool2d(grid), nn.Flatten())
        self.width = grid[0] * grid[1] * channels

    def forward(self, numbers: Tensor) -> Tensor:
        pictures = numbers[:, self.start : self.end].reshape(-1, *self.shape)
        return self.layers(pictures.permute(0, 3, 1, 2))  # type: ignore[no-any-return]

    @property
    def summary(self) -> str:
        """Its layers in words."""
        filters = ", ".join(map(str, self.filters))
        return f"convolutions of {filters} filters over {' x '.join(map(str, self.shape))}"
