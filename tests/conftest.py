"""Machine code is kept for the length of a session: tests that compile the same compile it once.

No example of hypothesis has a deadline: how long one takes is the machine's affair.
"""

from __future__ import annotations

import os
import shutil
import tempfile

import pytest
from hypothesis import settings

from chainrule.compiler import step

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

_made: list[str] = []


def pytest_configure() -> None:
    """A folder for all workers, who inherit the environment; empty, so that nothing old counts."""
    if "CHAINRULE_CACHE" not in os.environ:
        _made.append(tempfile.mkdtemp(prefix="chainrule-tests-"))
        os.environ["CHAINRULE_CACHE"] = _made[0]


def pytest_unconfigure() -> None:
    for folder in _made:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def always_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Machine code even for a handful of steps."""
    monkeypatch.setattr(step, "breakeven", lambda program: 0)
