"""One wording for every error: what happened, what was expected, what was got, what to try."""

from __future__ import annotations

from collections.abc import Iterable


class ChainruleError(Exception):
    """Base of every error raised on purpose.

    `what` is one sentence; `expected`, `got` and `hint` follow it on lines of their own.
    `exit_code` is what the command line returns for it.

    >>> print(ShapeError("add needs one shape", expected="f32[3]", got="f32[2]", hint="reshape"))
    add needs one shape
      expected: f32[3]
      got:      f32[2]
      try:      reshape
    """

    exit_code = 1

    def __init__(
        self,
        what: str,
        *,
        expected: object = None,
        got: object = None,
        hint: object = None,
    ) -> None:
        super().__init__(what)
        self.what, self.expected, self.got, self.hint = what, expected, got, hint

    def parts(self) -> list[tuple[str, object]]:
        """The parts that were given, each with its word."""
        named = [("expected", self.expected), ("got", self.got), ("try", self.hint)]
        return [(word, part) for word, part in named if part is not None]

    def __str__(self) -> str:
        return "\n".join([self.what, *(f"  {word + ':':<9} {part}" for word, part in self.parts())])

    def one_line(self) -> str:
        """The whole error as one line, for the command line."""
        return "; ".join([self.what, *(f"{word} {part}" for word, part in self.parts())])


class ShapeError(ChainruleError, ValueError):
    """Shapes or dtypes that do not fit together."""


class IndexRangeError(ChainruleError, IndexError):
    """An index outside of the axis it is used on."""


class GradientError(ChainruleError, RuntimeError):
    """A gradient was asked for where the chain from the loss to the parameters is broken."""


class RecordingError(ChainruleError, RuntimeError):
    """Something that needs numbers was asked while the step is only being written down."""


class ProgramError(ChainruleError, ValueError):
    """A Program that does not hold together."""


class SettingError(ChainruleError, ValueError):
    """A setting or an argument outside of what is allowed."""

    exit_code = 2


class DataError(ChainruleError, ValueError):
    """Data that cannot be used as it is."""

    exit_code = 3


class FindingsError(DataError):
    """Data that could be used, but has findings, and `--strict` refuses them."""

    exit_code = 10


class TrainingError(ChainruleError, RuntimeError):
    """A training that could not go on, such as a loss that is no longer finite."""

    exit_code = 4


class ArtefactError(ChainruleError, ValueError):
    """A model or a run that cannot be read."""

    exit_code = 5


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The one of `names` that `name` was probably meant to be, or None.

    >>> nearest("MedHouseVall", ["MedInc", "MedHouseVal"])
    'MedHouseVal'
    """
    import difflib  # only who errs waits for it

    by_lower = {known.lower(): known for known in names}
    close = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[close[0]] if close else None
