"""A docstring as reStructuredText: what reads as text in `help()` reads the same in a page.

Docstrings are text in paragraphs, formulas and code in backticks among it; examples that begin
with >>>; and what stands further in, which is shown as it stands.
"""

from __future__ import annotations

import re
from itertools import groupby

_CODE = re.compile(r"`([^`]+)`")
_NAME = re.compile(r"[A-Za-z_][\w.]*")
_MARKUP = re.compile(r"([\\*_|])")


def markup(lines: list[str]) -> list[str]:
    """The lines of a docstring, without its indentation, as lines of markup.

    >>> markup(["x * y of `x` and `y[0]`", "", "    z = x", "", ">>> x * y", "2"])
    ['x \\\\* y of `x` and ``y[0]``', '', '::', '', '    z = x', '', '>>> x * y', '2', '']
    """
    found: list[str] = []
    for blank, paragraph in groupby(lines, lambda line: not line.strip()):
        if not blank:
            found += [*_paragraph(list(paragraph)), ""]
    return found


def _paragraph(lines: list[str]) -> list[str]:
    if lines[0].startswith(">>>"):
        return lines
    if all(line.startswith("    ") for line in lines):
        return ["::", "", *lines]
    return plain("\n".join(lines)).split("\n")


def plain(text: str) -> str:
    """Text in which nothing is markup but code in backticks; names there are looked up."""
    parts = _CODE.split(text)
    return "".join(
        _code(part) if n % 2 else _MARKUP.sub(r"\\\1", part) for n, part in enumerate(parts)
    )


def _code(text: str) -> str:
    return f"`{text}`" if _NAME.fullmatch(text) else f"``{text}``"
