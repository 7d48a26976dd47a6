"""The scripts of examples/uses, as modules."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

USES = Path(__file__).parents[2] / "examples" / "uses"


def load(name: str) -> ModuleType:
    """The script examples/uses/NAME/NAME.py, not run."""
    spec = importlib.util.spec_from_file_location(f"uses_{name}", USES / name / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module
