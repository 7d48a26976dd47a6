"""Arrays as inputs: scaled as one, of one shape."""

import numpy as np
import pytest

from chainrule.data import Column
from chainrule.data.array_input import ArrayInput
from chainrule.data.arrays import ArrayColumn
from chainrule.errors import DataError

IMAGES = np.random.default_rng(0).integers(0, 256, (10, 4, 3)).astype(np.uint8)


def test_arrays_are_scaled_and_come_back():
    record = ArrayInput.fit("image", ArrayColumn(IMAGES))
    made = record.apply(ArrayColumn(IMAGES))
    assert made.shape == (10, len(record.features)) == (10, 12)
    assert made.mean() == pytest.approx(0, abs=1e-5)
    assert made.std() == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(record.inverse(made), IMAGES, atol=1e-3)


def test_other_shapes_and_texts_are_refused():
    record = ArrayInput.fit("image", ArrayColumn(IMAGES))
    with pytest.raises(DataError, match="another shape"):
        record.apply(ArrayColumn(IMAGES[:, :2]))
    with pytest.raises(DataError, match="holds no arrays"):
        record.apply(Column.of(["a.png"]))
    assert record.apply(Column.of([None, None])).tolist() == [[0.0] * 12] * 2
