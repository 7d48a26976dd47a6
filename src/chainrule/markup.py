"""HTML made from texts and tables; whatever comes from outside is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape


class Html(str):
    """A text that is HTML already."""

    __slots__ = ()


def tag(name: str, *inside: object, **attributes: str) -> Html:
    """An element; texts inside are escaped, `Html` is not. `class_` and the like lose their bar.

    >>> tag("p", "a < b ", tag("b", "c"), class_="note")
    '<p class="note">a &lt; b <b>c</b></p>'
    """
    set_ = "".join(f' {key.rstrip("_")}="{escape(value)}"' for key, value in attributes.items())
    return Html(f"<{name}{set_}>{joined(inside)}</{name}>")


def joined(parts: Iterable[object]) -> Html:
    """Texts and HTML one after the other."""
    return Html("".join(part if isinstance(part, Html) else escape(str(part)) for part in parts))


def table(header: Sequence[str], rows: Iterable[Sequence[object]], left: int = 1) -> Html:
    """A table; the first `left` columns are to the left, the others are numbers, to the right.

    Where it is wider than the page it scrolls by itself, with the keyboard too.

    >>> table(["layer", "size"], [["a & b", 3]])[-70:-27]
    '<td>a &amp; b</td><td class="number">3</td>'
    """

    def line(cells: Sequence[object], kind: str) -> Html:
        return tag(
            "tr",
            *(
                tag(kind if cell else "td", cell) if at < left else tag(kind, cell, class_="number")
                for at, cell in enumerate(cells)
            ),
        )

    head = tag("thead", line(header, "th"))
    body = tag("tbody", *(line(row, "td") for row in rows))
    about = {"tabindex": "0", "role": "group", "aria-label": "Table"}
    return tag("div", tag("table", head, body), class_="wide", **about)


# How a notebook shows things: in the colours that it has itself, be it light or dark.
NOTEBOOK = """
.chainrule { line-height: 1.45; --paper: transparent; --ink: currentColor;
  --soft: color-mix(in srgb, currentColor 65%, transparent);
  --line: color-mix(in srgb, currentColor 20%, transparent);
  --c0: #3d85b8; --c1: #c4722b; --c2: #4b9464; --c3: #8f6cb5; --c4: #c25a5a; --c5: #2f9397; }
.chainrule p { margin: 2px 0 6px; max-width: 75ch; }
.chainrule small, .chainrule .soft { color: var(--soft); font-size: 0.9em; }
.chainrule .wide { overflow-x: auto; margin: 4px 0; }
.chainrule table { border-collapse: collapse; font-size: 0.93em; margin: 0; }
.chainrule th, .chainrule td { text-align: left; padding: 2px 14px 2px 0; background: none;
  border: 0; border-bottom: 1px solid var(--line); vertical-align: top; }
.chainrule th { color: var(--soft); font-weight: 500; }
.chainrule .number { text-align: right; font-variant-numeric: tabular-nums; }
.chainrule pre { background: none; margin: 4px 0; font-size: 0.9em; overflow-x: auto; }
.chainrule summary { cursor: pointer; }
"""


def notebook(*parts: object) -> str:
    """What a notebook shows of a thing: `_repr_html_` gives this; texts are escaped.

    >>> notebook(tag("b", "Loss"), " 0.5 < 1")[-36:]
    '</style><b>Loss</b> 0.5 &lt; 1</div>'
    """
    return tag("div", tag("style", Html(NOTEBOOK)), *parts, class_="chainrule")
