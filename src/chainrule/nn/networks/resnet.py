"""A residual network for small images: convolutions that learn what to add to their input."""

from __future__ import annotations

from dataclasses import dataclass

from chainrule import functional as F
from chainrule.nn import init
from chainrule.nn.container import Sequential
from chainrule.nn.convolution import Conv2d
from chainrule.nn.linear import Identity, Linear
from chainrule.nn.module import Module
from chainrule.nn.normalization import BatchNorm2d
from chainrule.nn.pooling import AdaptiveAvgPool2d
from chainrule.tensors import Tensor


@dataclass(frozen=True)
class ResNetConfig:
    """Channels of the images, classes, and the stages: their widths, and how many blocks each.

    Each stage after the first halves height and width. The defaults are a ResNet-20-like network.
    """

    channels: int = 3
    classes: int = 10
    widths: tuple[int, ...] = (16, 32, 64)
    blocks: tuple[int, ...] = (3, 3, 3)


class Block(Module):
    """relu(x + norm(conv(relu(norm(conv(x)))))), with a 1 x 1 convolution where shapes change.

    >>> import chainrule as cr
    >>> Block(4, 8, 2)(cr.zeros(2, 4, 6, 6)).shape
    (2, 8, 3, 3)
    """

    def __init__(self, channels: int, width: int, stride: int) -> None:
        self.conv1 = Conv2d(channels, width, 3, stride, padding=1, bias=False)
        self.norm1 = BatchNorm2d(width)
        self.conv2 = Conv2d(width, width, 3, padding=1, bias=False)
        self.norm2 = BatchNorm2d(width)
        self.shortcut: Module = Identity()
        if stride != 1 or channels != width:
            self.shortcut = Sequential(
                Conv2d(channels, width, 1, stride, bias=False), BatchNorm2d(width)
            )

    def forward(self, input: Tensor) -> Tensor:
        hidden = F.relu(self.norm1(self.conv1(input)))
        return F.relu(self.norm2(self.conv2(hidden)) + self.shortcut(input))


class ResNet(Module):
    """[batch, channels, height, width] to scores [batch, classes].

    Raises ShapeError for another number of channels. Source: K. He et al., "Deep residual learning
    for image recognition", CVPR 2016 (the form for CIFAR, with projections).

    >>> import chainrule as cr
    >>> config = ResNetConfig(channels=1, widths=(4, 8), blocks=(1, 1))
    >>> ResNet(config)(cr.zeros(2, 1, 12, 12)).shape
    (2, 10)
    """

    def __init__(self, config: ResNetConfig) -> None:
        self.config = config
        width = config.widths[0]
        self.stem = Conv2d(config.channels, width, 3, padding=1, bias=False)
        self.norm = BatchNorm2d(width)
        blocks: list[Module] = []
        for stage, (wide, count) in enumerate(zip(config.widths, config.blocks, strict=True)):
            for number in range(count):
                blocks.append(Block(width, wide, 2 if stage and not number else 1))
                width = wide
        self.blocks, self.pool = Sequential(*blocks), AdaptiveAvgPool2d(1)
        self.head = Linear(width, config.classes)
        for module in self.modules():
            if isinstance(module, Conv2d):
                init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, images: Tensor) -> Tensor:
        x = self.blocks(F.relu(self.norm(self.stem(images))))
        return self.head(self.pool(x).flatten(1))  # type: ignore[no-any-return]
