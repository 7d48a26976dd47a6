"""The architecture as a test: who may import whom, and which library is confined to which folder.

Every import statement counts, also inside a function or under TYPE_CHECKING.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from importlib import import_module
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src"

# Files and folders of src/chainrule, from the ground up: each imports from its own row and from
# the rows above it, never below.
ROWS = [
    ["errors", "spec", "version", "markup", "wording"],
    ["data"],
    ["core"],
    ["ops"],
    ["indexing", "tensors", "gradient", "generator", "creation", "functions"],
    ["functional"],
    ["compiler"],
    ["public"],  # gathers the root's names
    ["nn", "optim"],
    ["utils", "serialization"],  # PyTorch's addresses, such as utils.data
    ["model"],
    ["explain"],
    ["train"],
    ["estimators", "tune", "distributed"],
    ["web", "cli", "__main__"],
]
ROW = {name: number for number, row in enumerate(ROWS) for name in row}

# Every library that is not Python's own, and the places that may import it. What is not here may
# not be imported.
ANYWHERE = list(ROW)
LIBRARIES = {
    "numpy": ANYWHERE,
    "narwhals": ANYWHERE,
    "safetensors": ANYWHERE,
    "rich": ANYWHERE,
    "pydantic": ANYWHERE,
    "duckdb": ["data"],
    "llvmlite": ["compiler"],
    "click": ["cli"],
    # Extras
    "resvg_py": ["explain"],
    "sklearn": ["estimators"],
    "onnx": ["model"],
    "optuna": ["tune"],
    "backports": ["data"],
    "compression": ["data"],  # Python's own from 3.14 on
    "datasets": ["data"],
    "PIL": ["data"],
    "python_calamine": ["data"],
    "soundfile": ["data"],
    "mlflow": ["train"],
    "tensorboard": ["train"],
    "starlette": ["web"],
    "uvicorn": ["web"],
    "sse_starlette": ["web"],
    # Python's own, confined all the same: only the page and the service speak HTTP.
    "http": ["web"],
    "socketserver": ["web"],
    "urllib.request": ["web"],
}

# `import chainrule` must stay light: these come on first use.
LAZY = ["click", "duckdb", "llvmlite", "narwhals", "pydantic", "rich", "safetensors"]


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")


FILES = {module_name(path): path for path in sorted((SOURCE / "chainrule").rglob("*.py"))}


def place(module: str) -> str:
    """The file or folder of src/chainrule that a module belongs to; '' for the root itself."""
    return module.partition(".")[2].partition(".")[0]


@cache
def imports(module: str) -> list[str]:
    """What a file imports, in whole names; `from a import b` is a.b where b is a file, else a."""
    path = FILES[module]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    tree = ast.parse(path.read_bytes())
    return [name for node in ast.walk(tree) for name in named(node, package)]


def named(node: ast.AST, package: str) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        parents = package.split(".")
        base = ".".join(parents[: len(parents) + 1 - node.level]) if node.level else ""
        source = ".".join(part for part in [base, node.module] if part)
        for alias in node.names:
            inner = f"{source}.{alias.name}"
            yield inner if inner in FILES or inner in LIBRARIES else source


def own(module: str) -> list[str]:
    return [name for name in imports(module) if name.split(".")[0] == "chainrule"]


def allowed_places(library: str) -> list[str]:
    """Where a library, or a part of one, may be imported."""
    parts = library.split(".")
    prefixes = [".".join(parts[:n]) for n in range(len(parts), 0, -1)]
    listed = next((prefix for prefix in prefixes if prefix in LIBRARIES), None)
    if listed:
        return LIBRARIES[listed]
    return ANYWHERE if parts[0] in sys.stdlib_module_names else []


# The root gathers the public names of all rows; it is exempt, and nobody imports from it.
@pytest.mark.parametrize("module", [name for name in FILES if place(name)])
def test_imports_point_upwards(module: str) -> None:
    assert place(module) in ROW, f"{module} has no row: give it one, here and in the layout"
    row = ROW[place(module)]
    wrong = [name for name in own(module) if ROW.get(place(name), len(ROWS)) > row]
    assert not wrong, f"{module} may not import {wrong}"


def test_no_import_runs_in_a_circle() -> None:
    graph = {module: set(own(module)) - {module} for module in FILES}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail("each imports the one before it: " + " -> ".join(error.args[1]))


@pytest.mark.parametrize("module", FILES)
def test_libraries_stay_in_their_places(module: str) -> None:
    others = [name for name in imports(module) if name.split(".")[0] != "chainrule"]
    wrong = [name for name in others if place(module) not in allowed_places(name)]
    if not place(module):  # the root imports nothing but Python's own and us
        wrong = [name for name in others if name.split(".")[0] not in sys.stdlib_module_names]
    assert not wrong, f"{module} may not import {wrong}"


@pytest.mark.parametrize(
    ("use", "not_yet"),
    [
        ("chainrule", ["numpy", *LAZY]),
        ("chainrule.Tensor", LAZY),
        ("chainrule.cli.main", ["numpy", *(name for name in LAZY if name != "click")]),
    ],
)
def test_what_is_not_needed_is_not_loaded(use: str, not_yet: list[str]) -> None:
    code = f"import sys, {use.rpartition('.Tensor')[0] or use}; {use}"
    code += f"; print([name for name in {not_yet} if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_root_names_are_found_in_any_order() -> None:
    """A file of the package that is loaded first must not take the place of a public name."""
    code = "import chainrule.nn, chainrule as cr; print(callable(cr.tensor), callable(cr.compile))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "True True"


def test_no_file_has_the_name_of_a_public_function() -> None:
    import chainrule

    public = vars(import_module("chainrule.public"))
    files = {module.split(".")[1] for module in FILES if "." in module}
    assert not [name for name in files & public.keys() if callable(getattr(chainrule, name))]


# The test tests itself: what it would say of a file that breaks a rule.


@pytest.mark.parametrize(
    ("statement", "package", "expected"),
    [
        ("import chainrule.errors", "chainrule", ["chainrule.errors"]),
        ("from chainrule import errors", "chainrule.core", ["chainrule.errors"]),
        ("from chainrule import Tensor", "chainrule.core", ["chainrule"]),
        ("from chainrule.errors import nearest", "chainrule.core", ["chainrule.errors"]),
        ("from . import errors", "chainrule", ["chainrule.errors"]),
        ("from ..errors import nearest", "chainrule.core", ["chainrule.errors"]),
        ("def f():\n    import duckdb", "chainrule.core", ["duckdb"]),
        ("if TYPE_CHECKING:\n    from urllib import request", "chainrule", ["urllib.request"]),
    ],
)
def test_every_import_statement_is_seen(statement: str, package: str, expected: list[str]) -> None:
    found = [name for node in ast.walk(ast.parse(statement)) for name in named(node, package)]
    assert found == expected


@pytest.mark.parametrize(
    ("library", "where", "allowed"),
    [
        ("numpy.linalg", "core", True),
        ("json", "core", True),
        ("duckdb", "data", True),
        ("duckdb", "train", False),
        ("llvmlite.ir", "core", False),
        ("urllib.parse", "core", True),
        ("urllib.request", "core", False),
        ("torch", "ops", False),
        ("pandas", "data", False),
    ],
)
def test_confinement_table(library: str, where: str, allowed: bool) -> None:
    assert (where in allowed_places(library)) is allowed
