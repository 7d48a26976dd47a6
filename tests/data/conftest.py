"""What the tests of the data side share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from chainrule.data import Table, read_table

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_tables() -> Path:
    """The folder of real tables beside the repository; the test is skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"needs the real tables in {SHARED}")
    return SHARED


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Table]:
    """Write a text or bytes to a file and read it as a table."""

    def write(text: str | bytes, name: str = "t.csv", **settings: object) -> Table:
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return read_table(path, **settings)

    return write
