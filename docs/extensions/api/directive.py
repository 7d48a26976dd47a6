"""The directive `api`: the public names of a module, each with its docstring."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from api.markup import markup


def public_names(module: ModuleType) -> list[str]:
    """Its functions and classes: those of `__all__`, if it has one.

    A class that lives in another package, such as `Parameter` in `nn`, stands there.
    """
    listed = getattr(module, "__all__", None)
    names = listed or [name for name in vars(module) if not name.startswith("_")]
    found = {name: getattr(module, name) for name in names}
    return [
        name
        for name, value in found.items()
        if callable(value) and ((listed and not inspect.isclass(value)) or _at_home(value, module))
    ]


def _at_home(value: Any, module: ModuleType) -> bool:
    return f"{value.__module__}.".startswith(f"{module.__name__}.")


class Api(SphinxDirective):
    """`{api} chainrule.nn`: all of its public names in their order, or those of the content."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        module = import_module(self.arguments[0])
        names = " ".join(self.content).split() or public_names(module)
        lines = [line for name in names for line in _entry(module, name)]
        return self.parse_text_to_nodes("\n".join(["```{eval-rst}", *lines, "```"]))


def _entry(module: ModuleType, name: str) -> Iterator[str]:
    value = getattr(module, name)
    if not inspect.isclass(value):
        yield f".. autofunction:: {module.__name__}.{name}"
    elif issubclass(value, Exception):
        yield f".. autoexception:: {module.__name__}.{name}"
    else:
        yield f".. autoclass:: {module.__name__}.{name}"
        yield "   :members:"
    yield ""


def _as_markup(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    lines[:] = markup(lines)


def _others(app: Sphinx, what: str, name: str, obj: Any, skip: bool, options: Any) -> bool | None:
    """Leaves out what a library puts into our classes, such as scikit-learn's requests."""
    home = getattr(obj, "__module__", None) or ""
    return True if home and not home.startswith("chainrule") else None


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.setup_extension("sphinx.ext.autodoc")
    app.add_directive("api", Api)
    app.connect("autodoc-process-docstring", _as_markup)
    app.connect("autodoc-skip-member", _others)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
