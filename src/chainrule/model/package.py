"""The files of a saved model: in a folder, or in a zip of it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from chainrule.errors import ArtefactError

# What lies in a model's folder:
MANIFEST = "model.json"
WEIGHTS = "model.safetensors"
README = "README.md"

_MOST_PACKED = 1000
"""Text of a model is packed to a twentieth; what claims to be this much smaller is no model."""


def read_files(path: Path) -> tuple[dict[str, bytes], Path]:
    """Manifest and weights of the model at `path`, by name, and the path for people to look at.

    `path`: the folder of a model, of the run that made it, or a zip of either. ArtefactError if
    there is none, or it cannot be read.
    """
    place = path
    try:
        if _looks_zipped(path):
            return _zipped(path), path
        place = _model_folder(path)
        return {name: (place / name).read_bytes() for name in (MANIFEST, WEIGHTS)}, place
    except OSError as problem:
        what = f"the model in {place} cannot be read: {problem.strerror}: {problem.filename}"
        raise ArtefactError(what) from None


def packed(files: Mapping[str, bytes]) -> bytes:
    """Files as a zip, the same bytes for the same files; the weights are not pressed together."""
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as made:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)  # dated 1980, always
            entry.compress_type = zipfile.ZIP_STORED if name == WEIGHTS else zipfile.ZIP_DEFLATED
            made.writestr(entry, content)
    return raw.getvalue()


def is_package(path: Path) -> bool:
    """Whether a file is a zip that holds a model; workbooks are zips, too."""
    try:
        with zipfile.ZipFile(path) as opened:
            return bool(_manifests(opened))
    except (OSError, ValueError, zipfile.BadZipFile):
        return False


def _manifests(opened: zipfile.ZipFile) -> list[str]:
    """The manifests in a zip, in whichever folders of it they lie."""
    return [name for name in opened.namelist() if f"/{name}".endswith(f"/{MANIFEST}")]


def _model_folder(path: Path) -> Path:
    """The folder with the manifest: `path`, or the one within a run."""
    for folder in (path, path / "model"):
        if (folder / MANIFEST).is_file():
            return folder
    if (path / "run.json").is_file():
        raise ArtefactError(
            f"the run {path} has no model: its training is not done, or it failed",
            hint=f"chainrule runs show {path}",
        )
    raise ArtefactError(
        f"there is no model at {path}",
        expected="the folder of a run, or of a model, or a zip of it",
        hint="chainrule runs list",
    )


def _looks_zipped(path: Path) -> bool:
    """Whether a file begins as a zip does; a damaged one is told so, anything else is no model."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(2) == b"PK"


def _zipped(path: Path) -> dict[str, bytes]:
    """The two files from a zip."""
    try:
        with zipfile.ZipFile(path) as opened:
            found = _manifests(opened)
            if len(found) != 1:
                raise ArtefactError(f"{path} holds {len(found)} models", expected="one")
            folder = found[0].removesuffix(MANIFEST)
            wanted = {name: opened.getinfo(folder + name) for name in (MANIFEST, WEIGHTS)}
            for entry in wanted.values():
                if entry.file_size > _MOST_PACKED * max(entry.compress_size, 1):
                    raise ArtefactError(f"{path} is not a model: {entry.filename} is blown up")
            return {name: opened.read(entry) for name, entry in wanted.items()}
    except (ArtefactError, OSError):
        raise
    except Exception as broken:  # whatever zipfile and zlib stumble over
        raise ArtefactError(f"{path} is not a whole zip file: {broken}") from None
