"""The live blocks as directives: `run`, `picture`, `table`, `script`, `source`; and `value`."""

from __future__ import annotations

import re
import shutil
from base64 import b64encode
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective, SphinxRole
from sphinx.util.logging import getLogger

from chainrule.explain.pictures import Drawing
from chainrule.explain.pictures.drawing import style
from chainrule.explain.plain import number
from live.page import Page, Shown

LOGGER = getLogger(__name__)


def page_of(env: BuildEnvironment) -> Page:
    """The page that is being read, with the names that its blocks have made so far."""
    page: Page | None = env.temp_data.get("live page")  # which Sphinx forgets with each document
    if page is None:
        page = env.temp_data["live page"] = Page(Path(env.doc2path(env.docname)), _folder(env))
    return page


def _folder(env: BuildEnvironment) -> Path:
    """An empty folder for the files of the page that is being read."""
    folder = Path(env.doctreedir) / "live" / env.docname
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


class Live(SphinxDirective):
    """A block that is run; below its code stands what it printed."""

    has_content = True
    optional_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        argument = self.arguments[0] if self.arguments else ""
        code = "\n".join(self.content) + "\n"
        try:
            return self.nodes(page_of(self.env).show(self.name, argument, code))
        except Exception as error:
            return _failed(self, error)

    def nodes(self, shown: Shown) -> list[nodes.Node]:
        """What stands in the page."""
        found: list[nodes.Node] = [_literal(shown.code, "python", "live-code")]
        if shown.output:
            found.append(_literal(shown.output, "text", "live-output"))
        return found


class Drawn(Live):
    """A block whose value is drawn; its code is folded away."""

    def nodes(self, shown: Shown) -> list[nodes.Node]:
        code = _literal(shown.code, "python", "live-code")
        folded = "<details><summary>the code of this</summary>"
        drawn = _html(f'<figure class="live">{self.drawing(shown.value)}{folded}')
        return [drawn, code, _html("</details></figure>")]

    def drawing(self, value: Any) -> str:
        """The value as HTML."""
        raise NotImplementedError


class PictureOf(Drawn):
    """A picture of chainrule's own, what to see in it, and its numbers."""

    def drawing(self, value: Drawing) -> str:
        numbers = b64encode(value.csv().encode()).decode()
        link = f'<a download="{value.name}.csv" href="data:text/csv;base64,{numbers}">as CSV</a>'
        words = f"<figcaption>{escape(value.about)} Its numbers {link}.</figcaption>"
        return value.svg(alone=False) + words


class TableOf(Drawn):
    """A table of records: a list of dicts with the same keys."""

    def drawing(self, value: list[dict[str, Any]]) -> str:
        head = "".join(f"<th>{escape(name)}</th>" for name in value[0])
        rows = "".join(f"<tr>{''.join(map(_cell, record.values()))}</tr>" for record in value)
        table = f'<table class="docutils"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody>'
        return f'<div class="table-wrapper">{table}</table></div>'


class Value(SphinxRole):
    """An expression in a line of text, replaced by the text that it gives."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        try:
            text = str(page_of(self.env).show("value", "", self.text).value)
        except Exception as error:
            return _failed(self, error), []
        return [nodes.inline(text, text, classes=["live-value"])], []


DIRECTIVES: dict[str, type[Directive]] = {
    "run": Live,
    "script": Live,
    "source": Live,
    "picture": PictureOf,
    "table": TableOf,
}


def _failed(block: SphinxDirective | SphinxRole, error: Exception) -> list[nodes.Node]:
    """Code that fails is a warning at its line, and so the end of a build that allows none."""
    LOGGER.warning("%s: %s", type(error).__name__, error, location=block.get_location())
    return []


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return f"<td>{escape(value)}</td>"
    return f'<td class="number">{escape(number(value))}</td>'


def _literal(text: str, language: str, kind: str) -> nodes.literal_block:
    return nodes.literal_block(text.rstrip(), text.rstrip(), language=language, classes=[kind])


def _html(text: str) -> nodes.raw:
    return nodes.raw("", text, format="html")


def _style_of_pictures(app: Sphinx, config: Any) -> None:
    """chainrule's pictures keep their own style, light or dark as the page is."""
    light, dark = re.findall(r":root \{.*?\}", style(), re.DOTALL)
    themes = "".join(
        colors.replace(":root", f'body[data-theme="{theme}"]') + "\n"
        for theme, colors in (("light", light), ("dark", dark))
    )
    folder = Path(app.doctreedir) / "static"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pictures.css").write_text(style() + themes, "utf-8")
    config.html_static_path.append(str(folder))
    config.html_css_files.insert(0, "pictures.css")


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    for name, directive in DIRECTIVES.items():
        app.add_directive(name, directive)
    app.add_role("value", Value())
    app.connect("config-inited", _style_of_pictures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
