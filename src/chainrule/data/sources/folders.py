"""A folder of images, texts or sounds by class: a subfolder for each class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.data.column import Cells, Column
from chainrule.data.layout import Familiar, Layout
from chainrule.data.report import Note
from chainrule.data.sources import images, sounds
from chainrule.data.sources.encoding import as_utf8
from chainrule.data.sources.parts import part_of, with_parts
from chainrule.data.sources.reading import Reading
from chainrule.data.table import Rejected, Table
from chainrule.errors import DataError

KINDS = {"image": images.SUFFIXES, "sound": sounds.SUFFIXES, "text": frozenset([".txt"])}


def from_folder(folder: Path, source: str, reading: Reading) -> Table:
    """A table of the files in a folder's subfolders, each called after its class.

    Its columns are `image`, `sound` or `text`, and `label`. Subfolders called train, validation
    and test hold given parts, each with classes of its own. Files in the order of their names are
    the lines; those that cannot be decoded are put aside with their reason. A folder of files
    without classes is read for a model of such files.
    """
    flat = [path for path in folder.iterdir() if path.is_file() and path.name[0] != "."]
    if any(_kind(path) in reading.like.columns for path in flat):
        return from_files(flat, source, reading)
    inside = sorted(path for path in folder.iterdir() if path.is_dir() and path.name[0] != ".")
    if not inside or any(part_of(path.name) is None for path in inside):
        return _classes(folder, source, reading)
    parts: dict[str, Table] = {}
    for path in sorted(inside, key=lambda path: part_of(path.name) != "train"):
        parts[path.name] = _classes(path, f"{source}/{path.name}", reading)
        if part_of(path.name) == "train" and not reading.like.columns:
            reading = replace(reading, like=parts[path.name].familiar)
    return with_parts(parts)


def are_rows(paths: Sequence[Path], like: Familiar) -> bool:
    """Whether all files are images, or sounds, as the rows of training were."""
    kinds = {_kind(path) for path in paths}
    return len(kinds) == 1 and kinds <= set(like.shapes)


def from_files(files: Sequence[Path], source: str, reading: Reading) -> Table:
    """A table of files without classes, in the order of their names: a single column."""
    table = _of_files(sorted(files), source, reading)
    return table.without(["label"])


def _classes(folder: Path, source: str, reading: Reading) -> Table:
    """The files of one folder of classes, arrays of the shape that is expected if there is one."""
    files = sorted(path for path in folder.glob("*/*") if path.is_file() and path.name[0] != ".")
    return _of_files(files, source, reading)


def _of_files(files: Sequence[Path], source: str, reading: Reading) -> Table:
    """A table of files, those of the most frequent kind, with their folders as labels."""
    counts = Counter(kind for file in files if (kind := _kind(file)) is not None)
    if not counts:
        raise DataError(
            f"{source} is a folder",
            expected="a file, or a folder with a subfolder of images, texts or sounds per class",
            hint=f"'{source}/*.csv' for all of its tables",
        )
    kind = counts.most_common(1)[0][0]
    decoded, rejected = _decoded(files, kind, reading)
    if not decoded:
        raise DataError(f"no {kind} in {source} can be read", got=rejected[0].reason)
    kept = [files[line - 1] for line in decoded]
    names = _texts("/".join(file.parts[-3:]) for file in kept)  # other parts, other names
    column, notes = _COLUMNS[kind](list(decoded.values()), names, reading.like)
    columns = {kind: column, "label": Column(_texts(file.parent.name for file in kept))}
    lines = np.array(list(decoded), dtype=np.int64)
    rate = next(iter(decoded.values()))[1] if kind == "sound" else None
    layout = Layout(rate=rate)
    return Table(columns, lines, source, True, tuple(rejected), tuple(notes), layout=layout)


def _decoded(
    files: Sequence[Path], kind: str, reading: Reading
) -> tuple[dict[int, Any], list[Rejected]]:
    """What each file holds by its place in the list, from 1, and those that cannot be decoded."""
    decode = _DECODERS[kind](reading)
    decoded, rejected = {}, []
    for line, file in enumerate(files, start=1):
        try:
            if _kind(file) != kind:
                raise DataError(f"its name ends in {file.suffix or 'nothing'}")
            decoded[line] = decode(file.read_bytes())
        except Exception as problem:  # decoders raise anything about a damaged file
            words = str(problem).partition("\n")[0].partition(" <")[0] or type(problem).__name__
            name = "/".join(file.parts[-2:])
            rejected.append(Rejected(line, name, f"no {kind}: {words}"))
    return decoded, rejected


def _kind(file: Path) -> str | None:
    """What a file holds, by its ending."""
    suffix = file.suffix.lower()
    return next((kind for kind, suffixes in KINDS.items() if suffix in suffixes), None)


def _texts(texts: Any) -> Cells:
    return np.array(list(texts), dtype=object)


def _text_decoder(reading: Reading) -> Callable[[bytes], str]:
    return lambda raw: as_utf8(raw, reading.encoding, "the text")[0][:].decode()


def _image_column(pictures: list[Any], names: Cells, like: Familiar) -> tuple[Column, list[Note]]:
    return images.image_column(pictures, names, like.shapes.get("image"))


def _sound_column(found: list[Any], names: Cells, like: Familiar) -> tuple[Column, list[Note]]:
    return sounds.sound_column(found, names, like.shapes.get("sound"), like.layout.rate)


def _text_column(texts: list[str], _: Cells, __: Familiar) -> tuple[Column, list[Note]]:
    return Column.of(texts), []


_DECODERS: dict[str, Callable[[Reading], Callable[[bytes], Any]]] = {
    "image": lambda _: images.image_decoder(),
    "sound": lambda _: sounds.sound_decoder(),
    "text": _text_decoder,
}
_COLUMNS: dict[str, Callable[[Any, Cells, Familiar], tuple[Column, list[Note]]]] = {
    "image": _image_column,
    "sound": _sound_column,
    "text": _text_column,
}
