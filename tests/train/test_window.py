"""Training with some of the rows in memory at a time: the same, where the order is the same."""

import numpy as np
import pytest

from chainrule import generator, nn, optim
from chainrule.data.batches import BLOCK, row_order, windows
from chainrule.data.disk import DiskArray, Growing
from chainrule.train import Settings, train_table
from chainrule.train.loop import Loop
from chainrule.train.replay import Replay

ROWS, BATCH = 1000, 32


def rows():
    x = np.random.default_rng(0).normal(size=(ROWS, 5)).astype(np.float32)
    return x, x.sum(axis=1, keepdims=True)


def on_disk(array):
    with Growing(array.shape[1], array.dtype) as growing:
        growing.add(array)
        return growing.whole()


def trained(arrays, window, backend="native"):
    generator.manual_seed(0)
    network = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 1))
    optimizer = optim.Adam(network.parameters(), lr=0.01)
    loop = Loop(network, nn.MSELoss(), optimizer, arrays, arrays, BATCH, 0, 1, window=window)
    loop.plan(lambda steps: np.linspace(0.01, 0.001, steps), 3)
    history = loop.fit(3, 3, backend=backend)
    return history, {name: cell.numpy() for name, cell in network.state_dict().items()}


@pytest.mark.parametrize("backend", ["native", "interpret"])
@pytest.mark.parametrize("window", [None, 3 * BATCH, 1024])
def test_rows_on_disk_train_the_same_network(window, backend):
    memory, disk = rows(), [on_disk(array) for array in rows()]
    ours, theirs = trained(disk, window, backend), trained(memory, window, backend)
    assert [e.train_loss for e in ours[0].epochs] == [e.train_loss for e in theirs[0].epochs]
    assert [e.steps for e in ours[0].epochs] == [32, 64, 96]
    for name, array in ours[1].items():
        np.testing.assert_array_equal(array, theirs[1][name])


def test_a_window_that_holds_all_rows_changes_nothing():
    assert trained(rows(), None)[0].best.validation_loss == pytest.approx(
        trained(rows(), 1024)[0].best.validation_loss, rel=1e-6
    )
    np.testing.assert_array_equal(next(windows(ROWS, 0, 1, 1024)), row_order(ROWS, 0, 1))


@pytest.mark.parametrize(("n", "window"), [(1000, 96), (128, 64), (5000, 1024), (257, 128)])
def test_every_row_comes_once_an_epoch_and_windows_differ(n, window):
    epochs = [np.concatenate([*windows(n, 0, epoch, window)]) for epoch in (1, 2)]
    for order in epochs:
        np.testing.assert_array_equal(np.sort(order), np.arange(n))
    assert (epochs[0] != epochs[1]).any()


def test_a_window_holds_rows_from_all_over_the_table():
    n, window = 200 * BLOCK, 20 * BLOCK
    first = next(windows(n, 0, 1, window))
    assert len(np.unique(first // BLOCK)) == 20
    assert len(np.unique(first // (n // 4))) == 4  # each quarter of a table that may be sorted
    neighbours = np.abs(np.diff(first)) == 1
    assert neighbours.mean() < 0.05


def test_a_run_with_little_memory_ends_as_one_in_memory_and_is_replayed(tmp_path, monkeypatch):
    monkeypatch.setattr("chainrule.train.learning.fits", lambda size, memory: False)
    monkeypatch.setattr("chainrule.train.learning.rows_at_once", lambda size, memory: 200)
    asked = Settings(data="digits", epochs=2, memory="100MB", output=str(tmp_path / "memory"))
    plain = train_table(asked)
    monkeypatch.setattr("chainrule.data.encoded.fits", lambda size: False)
    monkeypatch.setattr("chainrule.data.encoded.rows_at_once", lambda size: 100)
    disk = train_table(asked.model_copy(update={"output": str(tmp_path / "disk")}))
    assert isinstance(disk.prepared.train.numbers, DiskArray)
    assert disk.scores == plain.scores
    assert [e.train_loss for e in disk.history.epochs] == [
        e.train_loss for e in plain.history.epochs
    ]
    replay = Replay.of(disk.run.path)
    place = replay.place(replay.loop.steps_per_epoch + 2)
    loss, _ = replay.natively(place, replay.before(place.step))
    assert loss == pytest.approx(replay.losses[place.step - 1], rel=1e-5)
