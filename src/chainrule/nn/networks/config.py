"""What the configurations share: choosing by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from chainrule.errors import SettingError, nearest

T = TypeVar("T")


def chosen(what: str, name: str, choices: Mapping[str, T]) -> T:
    """The choice of this name; SettingError, with the nearest name, if there is none."""
    if name not in choices:
        close = nearest(str(name), choices)
        raise SettingError(
            f"no such {what}",
            expected=", ".join(choices),
            got=repr(name),
            hint=f"did you mean {close!r}?" if close else None,
        )
    return choices[name]
