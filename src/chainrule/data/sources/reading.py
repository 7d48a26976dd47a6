"""How a source is to be read, where a person says so, and what all sources share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from chainrule.data.layout import Familiar
from chainrule.errors import ChainruleError, DataError, SettingError

_DELIMITERS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " "}


@dataclass(frozen=True)
class Reading:
    """What a person says about a source; None: to be found out.

    `delimiter` is one character, or tab, comma, semicolon, pipe or space; `decimal` is "." or ",";
    `header` whether the first row names the columns; `sheet` is for a workbook. `like` decides
    what neither the person nor the source does. SettingError for a delimiter or decimal that
    cannot be one.

    >>> Reading(delimiter="tab").delimiter
    '\\t'
    """

    names: tuple[str, ...] | None = None
    delimiter: str | None = None
    encoding: str | None = None
    decimal: str | None = None
    header: bool | None = None
    sheet: str | None = None
    like: Familiar = field(default_factory=Familiar)

    def __post_init__(self) -> None:
        if self.delimiter is not None:
            found = _DELIMITERS.get(self.delimiter, self.delimiter)
            object.__setattr__(self, "delimiter", found)
            if len(found) != 1 or found in '\r\n"':
                raise SettingError(
                    f"the delimiter cannot be {self.delimiter!r}",
                    expected=f"one character, or {', '.join(_DELIMITERS)}",
                )
        if self.decimal not in (None, ".", ","):
            raise SettingError(f"the decimal cannot be {self.decimal!r}", expected="'.' or ','")


@contextmanager
def decoding(source: str, kind: str) -> Iterator[None]:
    """Whatever a library says about bytes that it cannot decode becomes one DataError."""
    try:
        yield
    except ChainruleError:
        raise
    except Exception as problem:
        words = str(problem).strip().splitlines() or [type(problem).__name__]
        raise DataError(f"{source} cannot be read as {kind}", got=words[0][:200]) from None


@contextmanager
def installed(extra: str, need: str) -> Iterator[None]:
    """Around the import of an optional library: a DataError that says how to install it.

    >>> with installed("excel", "a workbook"):
    ...     import no_such_library
    Traceback (most recent call last):
    chainrule.errors.DataError: a workbook needs no_such_library, which is not installed
      try:      pip install 'chainrule[excel]'
    """
    try:
        yield
    except ImportError as problem:
        raise DataError(
            f"{need} needs {problem.name}, which is not installed",
            hint=f"pip install 'chainrule[{extra}]'",
        ) from None
