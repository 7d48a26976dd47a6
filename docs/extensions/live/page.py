"""A live page: its blocks of code in their order, run with the names of the lesson it tells of.

Knows nothing of Sphinx: the site is built from it, and the tests run every page with it.
"""

from __future__ import annotations

import ast
import contextlib
import io
import re
import runpy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
LESSONS = ROOT / "examples" / "lessons"

_BLOCK = re.compile(
    r"^```\{(?P<kind>run|picture|table|script|source)\}(?P<argument>[^\n]*)\n(?P<body>.*?)^```$"
    r"|\{value\}`(?P<value>[^`]+)`",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Shown:
    """What a block shows: its code, and below it what the run printed or gave."""

    code: str
    printed: str = ""
    value: Any = None

    @property
    def output(self) -> str:
        """What was printed, then the value of the last expression."""
        value = "" if self.value is None else f"{self.value!r}\n"
        return self.printed + value


class Page:
    """The names that the blocks of one page share.

    A page of the course begins with those of the script in examples/lessons that has its name.
    `folder`: where the blocks find and leave their files.
    """

    def __init__(self, path: Path, folder: Path) -> None:
        self.name, self.folder = f"{path.stem}.md", folder
        self.script = LESSONS / f"{path.stem}.py"
        self.names: dict[str, Any] = {}
        self.printed = ""
        if self.script.exists():
            self.printed, self.names = self._printed(lambda: runpy.run_path(str(self.script)))

    def show(self, kind: str, argument: str, body: str) -> Shown:
        """What the block has in the page."""
        return _KINDS[kind](self, argument.split(), body)

    def _run(self, argument: list[str], code: str) -> Shown:
        tree, last = ast.parse(code), ast.parse("None", mode="eval")
        if isinstance(end := tree.body[-1], ast.Expr):
            last.body = end.value
            del tree.body[-1]

        def run() -> Any:
            exec(compile(tree, self.name, "exec"), self.names)
            return eval(compile(last, self.name, "eval"), self.names)

        return Shown(code, *self._printed(run))

    def _script(self, argument: list[str], body: str) -> Shown:
        """The whole lesson below its first words, and what it prints."""
        text = self.script.read_text("utf-8")
        words = ast.parse(text).body[0]
        code = "\n".join(text.splitlines()[words.end_lineno :])
        return Shown(code.strip() + "\n", self.printed)

    def _source(self, names: list[str], body: str) -> Shown:
        """These functions, classes and constants as they stand in the lesson."""
        text = self.script.read_text("utf-8")
        found = {_name(node): node for node in ast.parse(text).body}
        parts = [ast.get_source_segment(text, found[name]) or "" for name in names]
        return Shown("\n\n\n".join(parts) + "\n")

    def _printed(self, run: Callable[[], Any]) -> tuple[str, Any]:
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.chdir(self.folder):
            value = run()
        return out.getvalue(), value


_KINDS: dict[str, Callable[[Page, list[str], str], Shown]] = {
    "run": Page._run,
    "picture": Page._run,
    "table": Page._run,
    "value": Page._run,
    "script": Page._script,
    "source": Page._source,
}


def blocks(text: str) -> Iterator[tuple[str, str, str]]:
    """The kind, argument and body of every live block of a page, in order."""
    for found in _BLOCK.finditer(text):
        if found["value"]:
            yield "value", "", found["value"]
        else:
            yield found["kind"], found["argument"], found["body"]


def _name(node: ast.stmt) -> str:
    """What a statement of a script names, if it names one thing."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return node.name
    return ast.unparse(node.targets[0]) if isinstance(node, ast.Assign) else ""
