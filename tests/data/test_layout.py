"""A model remembers how its table was written: new rows that leave it open are read likewise."""

import numpy as np
import pytest

from chainrule.data import Preparation, prepare, read_table
from chainrule.data.layout import Layout
from chainrule.errors import DataError

TOWNS = ["Köln", "Rom", "Bern"]


def german(rows=60):
    """Lines of a headerless table: a decimal comma in the second cell, a thousands point after."""
    wide = [f"{1 + row % 9}.{100 + row * 7 % 900}" for row in range(rows)]
    return [f"{TOWNS[row % 3]};{row},25;{wide[row]};{row % 7}" for row in range(rows)]


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """The preparation of the German table, saved and loaded, and how to read more with it."""
    folder = tmp_path_factory.mktemp("layout")

    def read(raw, **reading):
        path = folder / "t.csv"
        path.write_bytes(raw if isinstance(raw, bytes) else raw.encode("cp1252"))
        return read_table(path, **reading)

    table = read("\n".join(german()), header=False, names=["town", "a", "b", "y"])
    preparation = Preparation.from_json(prepare(table, "y").preparation.to_json())
    return preparation, lambda raw, **more: read(raw, like=preparation.familiar, **more)


def cells(preparation, table, name):
    return preparation.align(table).column(name).cells.tolist()


def test_what_was_found_or_said_is_kept(learned):
    expected = Layout(delimiter=";", encoding="latin-1", decimal=",", header=False)
    assert learned[0].layout == expected


def test_every_row_alone_is_read_as_with_the_others(learned):
    preparation, read = learned
    lines = german()
    whole = preparation.apply(read("\n".join(lines)))[0].numbers
    alone = [preparation.apply(read(line))[0].numbers for line in lines[:12]]
    assert np.array_equal(np.concatenate(alone), whole[:12])


@pytest.mark.parametrize("raw", ["Köln;;\n", "Köln;?;1.234\nRom;;", "Rom;1,250;2.000"])
def test_a_text_in_the_first_row_is_no_header(learned, raw):
    preparation, read = learned
    assert cells(preparation, read(raw), "town") == [line[:4].strip(";") for line in raw.split()]


def test_the_file_itself_goes_before_what_is_remembered(learned):
    preparation, read = learned
    assert cells(preparation, read(b"town,b,a\nBern,2000,1.5\n"), "a") == ["1.5"]
    assert cells(preparation, read("town;b;a\nKöln;2,000.5;0.125\n".encode()), "b") == ["2000.5"]
    assert cells(preparation, read("town;b;a\nKöln;2;0.125\n".encode()), "a") == ["0.125"]


def test_flags_go_before_what_is_remembered(learned):
    preparation, read = learned
    assert cells(preparation, read("Rom;1,250;2.345"), "b") == ["2345"]
    assert cells(preparation, read("Rom;1,250;2.345", decimal="."), "b") == ["2.345"]
    assert read("town;a;b\nx;1;2", header=False).column(1).cells[0] == "town"


def test_what_was_decided_by_training_is_said(learned):
    _, read = learned
    notes = [note.text for note in read("Köln;1,250;2.345").notes]
    assert notes == [
        "read as latin-1, as in training",
        "numbers of columns 2, 3 are rewritten: 1,250 is 1.250, as in training",
    ]


def test_an_encoding_that_had_to_be_said_is_remembered(tmp_path):
    path = tmp_path / "t.csv"
    rows = [f"{'лес' if row % 2 else 'дом'},{row * 7 % 31},{row % 9}" for row in range(40)]
    path.write_bytes("\n".join(["place,x,y", *rows]).encode("cp1251"))
    with pytest.raises(DataError, match="encoding"):
        read_table(path)
    preparation = prepare(read_table(path, encoding="cp1251"), "y").preparation
    again = read_table(path, like=preparation.familiar)
    assert again.column("place").cells[0] == "дом"


def test_names_given_in_place_of_a_header_are_remembered(tmp_path):
    path = tmp_path / "t.csv"
    rows = [f"{row % 5},{row * 7 % 31},{row % 9}" for row in range(40)]
    path.write_text("\n".join(["C1,C2,C3", *rows]))
    table = read_table(path, names=["x", "z", "y"], header=True)
    preparation = prepare(table, "y").preparation
    again = read_table(path, like=preparation.familiar)
    assert [note.text for note in again.notes] == ["the header is passed over, as in training"]
    assert preparation.align(again).names == ["x", "z", "y"]
    assert len(again) == 40
    path.write_text("\n".join(rows))
    assert len(read_table(path, like=preparation.familiar)) == 40
    path.write_text("z,x\n1,2\n")
    assert read_table(path, like=preparation.familiar).names == ["z", "x"]


def test_a_delimiter_that_had_to_be_said_is_remembered(tmp_path):
    path = tmp_path / "t.csv"
    rows = [f"{row}|x;{row * 7 % 31}|z;{row % 9}" for row in range(40)]
    path.write_text("\n".join(["a|a;b|b;c", *rows]))
    with pytest.raises(DataError, match="delimiter"):
        read_table(path)
    familiar = read_table(path, delimiter=";").familiar
    assert read_table(path, like=familiar).names == ["a|a", "b|b", "c"]


def test_arrays_of_new_images_get_the_shape_of_training(tmp_path):
    image = pytest.importorskip("PIL.Image")
    for part, size in (("old", (6, 4)), ("new", (9, 9))):
        for number in range(24):
            (tmp_path / part / "ab"[number % 2]).mkdir(parents=True, exist_ok=True)
            picture = image.new("L", size, number % 2 * 200 + number)
            picture.save(tmp_path / part / "ab"[number % 2] / f"{number}.png")
    preparation = prepare(read_table(tmp_path / "old"), "label").preparation
    table = read_table(tmp_path / "new", like=preparation.familiar)
    assert table.familiar.shapes == {"image": (4, 6, 1)}
    assert len(preparation.apply(table)[0]) == 24
    assert [note.text for note in table.notes] == ["images of 1 size are scaled to 6 x 4"]


def test_sounds_of_another_rate_are_refused(tmp_path):
    soundfile = pytest.importorskip("soundfile")
    for part, rate, length in (("old", 8000, 40), ("longer", 8000, 60), ("new", 16000, 40)):
        for number in range(24):
            (tmp_path / part / "ab"[number % 2]).mkdir(parents=True, exist_ok=True)
            path = tmp_path / part / "ab"[number % 2] / f"{number}.wav"
            soundfile.write(path, np.full(length, number / 50), rate)
    preparation = prepare(read_table(tmp_path / "old"), "label").preparation
    longer = read_table(tmp_path / "longer", like=preparation.familiar)
    assert longer.familiar.shapes == {"sound": (40,)}
    with pytest.raises(DataError, match="samples a second"):
        read_table(tmp_path / "new", like=preparation.familiar)
