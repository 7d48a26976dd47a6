"""Writing files and folders whole, or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from chainrule.errors import DataError


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file; whoever reads it meanwhile sees the old one or the new one, never a part.

    DataError if it cannot be written; then nothing is left behind.
    """
    with file_whole(path) as part:
        part.write_bytes(content if isinstance(content, bytes) else content.encode())


@contextmanager
def file_whole(path: Path) -> Iterator[Path]:
    """Gives a file to write, which becomes `path` when all went well, and is gone when not.

    DataError if `path` cannot be written.
    """
    if path.is_dir():
        raise DataError(f"{path} cannot be written: it is a folder")
    part = _beside(path, "part")
    try:
        yield part
        os.replace(part, path)
    except OSError as problem:
        raise unwritable(path, problem) from None
    finally:
        with suppress(OSError):
            part.unlink()


@contextmanager
def folder_whole(path: Path) -> Iterator[Path]:
    """Gives a folder to write into, which becomes `path` when all went well, and is gone when not.

    A folder that is there already is replaced. DataError if `path` cannot be written.
    """
    made, old = _beside(path, "part"), _beside(path, "old")
    try:
        made.mkdir(parents=True)
        yield made
        if path.exists():
            path.rename(old)
        made.rename(path)
    except OSError as problem:
        if old.exists() and not path.exists():
            old.rename(path)
        raise unwritable(path, problem) from None
    finally:
        shutil.rmtree(made, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def unwritable(path: Path, problem: OSError) -> DataError:
    """The error for a path that cannot be written."""
    return DataError(f"{path} cannot be written: {problem.strerror or problem}")


def _beside(path: Path, what: str) -> Path:
    """A name in the same folder that no other process uses."""
    whole = path.absolute()
    return whole.with_name(f".{whole.name}.{os.getpid()}.{what}")
