"""Folders of images, texts and sounds by class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from chainrule.data import ArrayColumn, read_table
from chainrule.data.layout import Familiar
from chainrule.errors import DataError


def arrays(column: object) -> np.ndarray:
    assert isinstance(column, ArrayColumn)
    return column.array


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for name, raw in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(raw)
    return folder


def test_texts_by_class(tmp_path: Path) -> None:
    files = {
        "ham/a.txt": b"hello\nyou",
        "ham/b.txt": "née hier soir".encode("latin-1"),
        "spam/c.txt": b"buy",
    }
    table = read_table(write(tmp_path, {**files, "spam/.hidden": b"", "spam/notes.doc": b"x"}))
    assert table.column("text").cells.tolist() == ["hello\nyou", "née hier soir", "buy"]
    assert table.column("label").cells.tolist() == ["ham", "ham", "spam"]
    assert table.lines.tolist() == [1, 2, 3]
    assert [(bad.line, bad.text, bad.reason) for bad in table.rejected] == [
        (4, "spam/notes.doc", "no text: its name ends in .doc")
    ]


def test_parts_of_a_folder(tmp_path: Path) -> None:
    files = {f"{part}/{c}/1.txt": b"x" for part in ("train", "val", "test") for c in "ab"}
    table = read_table(write(tmp_path, files))
    assert len(table) == 2
    assert {part: len(given) for part, given in table.given.items()} == {"validation": 2, "test": 2}


def test_images_by_class(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    shades = {"train/cat/1": 0, "train/dog/1": 90, "train/dog/2": 255, "test/cat/1": 30}
    for name, shade in shades.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        size = (9, 5) if name == "train/dog/2" else (12, 10) if name == "test/cat/1" else (6, 4)
        image.new("L", size, shade).save(tmp_path / f"{name}.png")
    (tmp_path / "train/cat/0.png").write_bytes(b"broken")
    table = read_table(tmp_path)
    assert arrays(table.column("image")).shape == (3, 4, 6, 1)
    assert arrays(table.column("image"))[:, 0, 0, 0].tolist() == [0, 90, 255]
    assert table.column("label").cells.tolist() == ["cat", "dog", "dog"]
    names = ["train/cat/1.png", "train/dog/1.png", "train/dog/2.png"]
    assert table.column("image").cells.tolist() == names
    assert table.lines.tolist() == [2, 3, 4]
    assert [(bad.line, bad.reason) for bad in table.rejected] == [
        (1, "no image: cannot identify image file")
    ]
    assert [note.text for note in table.notes] == ["images of 2 sizes are scaled to 6 x 4"]
    assert arrays(table.given["test"].column("image")).shape == (1, 4, 6, 1)


def test_colours_and_large_images_of_several_sizes(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    (tmp_path / "c").mkdir()
    image.new("RGBA", (200, 100), (255, 0, 0, 255)).save(tmp_path / "c/1.png")
    image.new("L", (10, 10), 7).save(tmp_path / "c/2.png")
    array = arrays(read_table(tmp_path).column("image"))
    assert array.shape == (2, 32, 64, 3)
    assert array[:, 0, 0].tolist() == [[255, 0, 0], [7, 7, 7]]


def test_sounds_by_class(tmp_path: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    for part, lengths in {"train": [4, 6], "test": [9]}.items():
        (tmp_path / part / "beep").mkdir(parents=True)
        for length in lengths:
            stereo = np.stack([np.full(length, 0.5), np.zeros(length)], axis=1)
            soundfile.write(tmp_path / part / f"beep/{length}.wav", stereo, 8000)
    table = read_table(tmp_path)
    array = arrays(table.column("sound"))
    np.testing.assert_allclose(array, [[0.25] * 4 + [0] * 2, [0.25] * 6], atol=1e-4)
    assert array.dtype == np.float32
    assert [str(note) for note in table.notes] == [
        "sounds of 6 samples, 8,000 a second; 1 filled up"
    ]
    assert arrays(table.given["test"].column("sound")).shape == (1, 6)
    soundfile.write(tmp_path / "train/beep/7.wav", np.zeros(5), 16000)
    with pytest.raises(DataError, match="differ in samples a second"):
        read_table(tmp_path)


def test_folders_that_hold_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is a folder"):
        read_table(tmp_path)
    pytest.importorskip("PIL")
    with pytest.raises(DataError, match=r"no image in .* can be read"):
        read_table(write(tmp_path, {"a/1.png": b"x"}))


def test_files_without_classes_are_rows_where_they_are_expected(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    for name in ("b", "a"):
        image.new("L", (9, 9), ord(name)).save(tmp_path / f"{name}.png")
    (tmp_path / "notes.doc").write_text("x")
    with pytest.raises(DataError, match="is a folder"):
        read_table(tmp_path)
    like = Familiar(("image", "label"), shapes={"image": (4, 4, 1)})
    whole = read_table(tmp_path, like=like)
    assert whole.names == ["image"]
    assert arrays(whole.column("image")).shape == (2, 4, 4, 1)
    assert arrays(whole.column("image"))[:, 0, 0, 0].tolist() == [ord("a"), ord("b")]
    assert [bad.text.rpartition("/")[2] for bad in whole.rejected] == ["notes.doc"]
    assert len(read_table(tmp_path / "b.png", like=like)) == 1
    assert len(read_table(f"{tmp_path}/*.png", like=like)) == 2
    (tmp_path / "c.png").write_bytes(b"x")
    with pytest.raises(DataError, match=r"no image in .*c\.png can be read"):
        read_table(tmp_path / "c.png", like=like)


def test_texts_without_classes(tmp_path: Path) -> None:
    folder = write(tmp_path, {"2.txt": b"buy", "1.txt": b"hello"})
    table = read_table(folder, like=Familiar(("text", "label")))
    assert table.column("text").cells.tolist() == ["hello", "buy"]
