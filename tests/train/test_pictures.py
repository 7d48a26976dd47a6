"""Folders of images: convolutions are chosen, find a shape wherever it stands, and are saved."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from chainrule.data import ArrayColumn, Column, Table, prepare
from chainrule.model import Card, load
from chainrule.train import Settings, train_table
from chainrule.train.defaults import choose
from chainrule.train.heads import loss_for
from chainrule.train.learning import frozen, learn, optimizer_for
from chainrule.train.network import TableNetwork, network_for
from chainrule.train.pictures import PictureVector

SIDE, ROWS = 12, 240


def strokes() -> Table:
    """Noisy pictures of a short stroke somewhere, lying or standing, and a number beside them."""
    rng = np.random.default_rng(0)
    pictures = rng.normal(100, 20, (ROWS, SIDE, SIDE, 1))
    for row, picture in enumerate(pictures):
        y, x = rng.integers(0, SIDE - 5, 2)
        height, width = (1, 5) if row % 2 else (5, 1)
        picture[y : y + height, x : x + width] += 110
    images = ArrayColumn(pictures.clip(0, 255).astype(np.uint8))
    label = Column.of(["lying" if row % 2 else "standing" for row in range(ROWS)])
    age = Column.of([f"{value:.3f}" for value in rng.normal(size=ROWS)])
    columns = {"age": age, "image": images, "label": label}
    return Table(columns, np.arange(1, ROWS + 1), "strokes", True)


def test_convolutions_see_what_connected_layers_do_not() -> None:
    prepared = prepare(strokes(), "label")
    right = {}
    for name in ("convolutional", "fully-connected"):
        settings = Settings(network=None if name == "convolutional" else name, epochs=12)
        chosen = choose(settings, prepared.preparation, len(prepared.train))
        assert chosen.network == name
        cr.manual_seed(0)
        network = network_for(prepared.preparation, chosen)
        optimizer, loss = optimizer_for(network, chosen), loss_for(prepared.preparation, False)
        learn(network, optimizer, loss, prepared.train, prepared.validation, chosen)
        test = prepared.test
        model = frozen(network, prepared.preparation, Card(trivial=[0.5, 0.5]))
        found = model.outputs(test.numbers, test.codes).argmax(axis=1)
        right[name] = float((found == test.targets[0]).mean())
        with cr.no_grad():
            itself = network(cr.tensor(test.numbers), cr.tensor(test.codes))
        np.testing.assert_array_equal(itself.numpy().argmax(axis=1), found)
    assert right["convolutional"] >= 0.9
    assert right["convolutional"] > right["fully-connected"] + 0.1


def test_numbers_beside_a_picture_do_not_go_through_it() -> None:
    picture = PictureVector(2, (8, 8, 1))
    network = TableNetwork(69, [], [4], 2, pictures=[picture]).eval()
    assert network.plain == [(0, 2), (66, 69)]
    assert network.widths == [5 + picture.width, 4, 2]
    numbers = cr.randn(3, 69)
    seen = picture(numbers)
    changed = numbers.numpy().copy()
    changed[:, [0, 1, 66]] = 7
    np.testing.assert_array_equal(picture(cr.tensor(changed)).numpy(), seen.numpy())


def test_the_sizes_of_pictures() -> None:
    for shape in ((8, 8, 1), (9, 31, 3), (40, 128, 1), (64, 64, 4)):
        picture = PictureVector(0, shape)
        rows = cr.zeros(2, picture.end)
        assert picture(rows).shape == (2, picture.width)
    assert picture.summary == "convolutions of 16, 32, 64, 64 filters over 64 x 64 x 4"


def test_tables_and_small_arrays_have_no_pictures() -> None:
    label = Column.of(list("ab" * 20))
    small = ArrayColumn(np.random.default_rng(0).normal(size=(40, 5, 5)))
    for column in (small, Column.of([i * 7 % 11 for i in range(40)])):
        table = Table({"x": column, "label": label}, np.arange(1, 41), "small", True)
        prepared = prepare(table, "label")
        chosen = choose(Settings(), prepared.preparation, len(prepared.train))
        assert chosen.network == "fully-connected"
        assert chosen.layers == [64, 64]


def test_a_folder_of_images_is_trained_saved_and_replayed(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    table = strokes()
    pictures, labels = table.column("image"), table.column("label")
    assert isinstance(pictures, ArrayColumn)
    for row, (array, label) in enumerate(zip(pictures.array[:60], labels.cells[:60], strict=True)):
        path = tmp_path / "strokes" / label / f"{row}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        image.fromarray(array[:, :, 0]).save(path)
    settings = Settings(data=str(tmp_path / "strokes"), epochs=2, output=str(tmp_path / "run"))
    trained = train_table(settings.model_copy(update={"target": "label"}))
    assert trained.network.summary.startswith("convolutions of 16, 32 filters over 12 x 12 x 1")
    loaded, test = load(tmp_path / "run"), trained.prepared.test
    outputs = trained.model.outputs(test.numbers, test.codes)
    np.testing.assert_array_equal(loaded.outputs(test.numbers, test.codes), outputs)
    replay = trained.run.replay
    after = replay.natively(replay.place(2), replay.before(2))
    assert after[0] == replay.losses[1]
