"""Pictures as arrays of one size, decoded by Pillow."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.data.arrays import ArrayColumn
from chainrule.data.column import Cells
from chainrule.data.layout import Shape as Shape
from chainrule.data.report import Note, counted
from chainrule.data.sources.reading import installed

SUFFIXES = frozenset([".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".ppm"])
LARGEST = 64
"""Pictures of several sizes are brought to the most frequent one, its sides at most this long."""


def image_column(
    pictures: Sequence[Any], names: Cells | None = None, shape: Shape | None = None
) -> tuple[ArrayColumn, list[Note]]:
    """Decoded pictures as uint8 [n, height, width, channels]: 1 channel if all are grey, else 3.

    `shape`, if given, is that of each array: that of the training images, for others.
    """
    sizes = Counter(picture.size for picture in pictures)
    if shape is None:
        grey = all(picture.mode == "L" for picture in pictures)
        shape = (*_common(sizes), 1 if grey else 3)
    height, width, channels = shape
    notes = []
    if set(sizes) != {(width, height)}:
        text = f"images of {counted(len(sizes), 'size')} are scaled to {width} x {height}"
        notes.append(Note(about="images", text=text))
    mode = "L" if channels == 1 else "RGB"
    array = np.stack([_array(picture.convert(mode), shape) for picture in pictures])
    return ArrayColumn(array, names), notes


def image_decoder() -> Callable[[bytes], Any]:
    """A function that decodes a picture, to grey (L) or colours (RGB).

    It raises whatever Pillow does for bytes that are none.
    """
    with installed("images", "an image"):
        from PIL import Image

    def decode(raw: bytes) -> Any:
        picture = Image.open(io.BytesIO(raw))
        return picture.convert("L" if picture.mode in ("1", "L", "LA") else "RGB")

    return decode


def _common(sizes: Counter[tuple[int, int]]) -> tuple[int, int]:
    """The height and width for all pictures: their own if they agree."""
    width, height = sizes.most_common(1)[0][0]
    shrink = min(1.0, LARGEST / max(width, height)) if len(sizes) > 1 else 1.0
    return max(1, round(height * shrink)), max(1, round(width * shrink))


def _array(picture: Any, shape: Shape) -> NDArray[np.uint8]:
    height, width, _ = shape
    scaled = picture if picture.size == (width, height) else picture.resize((width, height))
    return np.asarray(scaled, dtype=np.uint8).reshape(shape)
