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

    >>> table(["layer", "size"], [["a & b", 3]])[:52]
    '<div class="wide"><table><thead><tr><th>layer</th><t'
    """

    def line(cells: Sequence[object], kind: str) -> Html:
        return tag(
            "tr",
            *(
                tag(kind, cell) if at < left else tag(kind, cell, class_="number")
                for at, cell in enumerate(cells)
            ),
        )

    head = tag("thead", line(header, "th"))
    body = tag("tbody", *(line(row, "td") for row in rows))
    return tag("div", tag("table", head, body), class_="wide")
