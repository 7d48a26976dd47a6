"""A vision transformer: an image as a sequence of patches that look at each other."""

from __future__ import annotations

from dataclasses import dataclass

from chainrule.errors import SettingError, ShapeError
from chainrule.nn.linear import Linear
from chainrule.nn.module import Module
from chainrule.nn.normalization import LayerNorm
from chainrule.nn.positions import LearnedPositions
from chainrule.nn.transformer import TransformerEncoder
from chainrule.nn.transformer_layers import TransformerEncoderLayer
from chainrule.spec import Spec
from chainrule.tensors import Tensor


@dataclass(frozen=True)
class ViTConfig:
    """Square images of `size` pixels cut into patches of `patch`, and the encoder's sizes."""

    size: int = 28
    patch: int = 7
    channels: int = 1
    classes: int = 10
    width: int = 64
    layers: int = 4
    heads: int = 4
    dropout: float = 0.0


class ViT(Module):
    """[batch, channels, size, size] to scores [batch, classes], from the mean over all patches.

    Raises SettingError when `patch` does not divide `size` and ShapeError for images of another
    size. Source: A. Dosovitskiy et al., "An image is worth 16x16 words", ICLR 2021; the mean in
    place of a class token: L. Beyer et al., "Better plain ViT baselines", 2022.

    >>> import chainrule as cr
    >>> ViT(ViTConfig(size=8, patch=4, width=8, layers=1, heads=2))(cr.zeros(2, 1, 8, 8)).shape
    (2, 10)
    """

    def __init__(self, config: ViTConfig) -> None:
        if config.patch < 1 or config.size % config.patch:
            raise SettingError(
                "patches share an image out",
                expected=f"a patch that divides {config.size}",
                got=config.patch,
            )
        self.config = config
        along, width = config.size // config.patch, config.width
        self.embed = Linear(config.channels * config.patch**2, width)
        self.places = LearnedPositions(along**2, width)
        layer = TransformerEncoderLayer(
            width,
            config.heads,
            4 * width,
            config.dropout,
            "gelu",
            batch_first=True,
            norm_first=True,
        )
        self.encoder = TransformerEncoder(layer, config.layers, LayerNorm(width))
        self.head = Linear(width, config.classes)

    def forward(self, images: Tensor) -> Tensor:
        seen = self.encoder(self.places(self.embed(self._patches(images))))
        return self.head(seen.mean(1))  # type: ignore[no-any-return]

    def _patches(self, images: Tensor) -> Tensor:
        """[batch, patches, numbers in a patch], the patches row by row."""
        size, patch, channels = self.config.size, self.config.patch, self.config.channels
        if images.ndim != 4 or images.shape[1:] != (channels, size, size):
            raise ShapeError(
                "images of another size",
                expected=f"[batch, {channels}, {size}, {size}]",
                got=Spec(images.shape, images.dtype),
                hint="size and channels are those of the images",
            )
        along = size // patch
        parts = images.reshape(-1, channels, along, patch, along, patch).permute(0, 2, 4, 1, 3, 5)
        return parts.reshape(-1, along**2, channels * patch**2)
