"""chainrule trains neural networks on the machine you have, fast, and shows its work.

Nothing is loaded before it is asked for, NumPy neither: the command line answers `--help` at once.
"""

from typing import TYPE_CHECKING

from chainrule.version import __version__ as __version__

if TYPE_CHECKING:  # what `__getattr__` loads, for those who read types
    from chainrule import functional as functional
    from chainrule import nn as nn
    from chainrule import optim as optim
    from chainrule.compiler.threads import get_num_threads as get_num_threads
    from chainrule.compiler.threads import set_num_threads as set_num_threads
    from chainrule.explain import diagnose_losses as diagnose_losses
    from chainrule.explain import diagnose_step as diagnose_step
    from chainrule.explain import open_step as open_step
    from chainrule.functional import scan as scan
    from chainrule.model import Model as Model
    from chainrule.model.opening import load as load
    from chainrule.public import *  # noqa: F403
    from chainrule.serialization import save as save

_FOLDERS = ("data", "explain", "functional", "model", "nn", "optim", "train", "utils")
_LATER = {
    "diagnose_losses": "chainrule.explain",
    "diagnose_step": "chainrule.explain",
    "get_num_threads": "chainrule.compiler.threads",
    "load": "chainrule.model.opening",
    "Model": "chainrule.model",
    "open_step": "chainrule.explain",
    "save": "chainrule.serialization",
    "scan": "chainrule.functional",
    "set_num_threads": "chainrule.compiler.threads",
}


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name in _FOLDERS:
        return import_module(f"chainrule.{name}")
    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    if not name.startswith("_"):
        globals().update(_public())  # from here on they are found without this function
        if name in globals():
            return globals()[name]
    raise AttributeError(f"module 'chainrule' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_FOLDERS, *_LATER, *_public()})


def _public() -> dict[str, object]:
    from importlib import import_module

    names = vars(import_module("chainrule.public"))
    return {name: value for name, value in names.items() if not name.startswith("_")}
