"""A parameter group: cells to train, and the numbers and settings that they are trained with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.core.record import user_line
from chainrule.core.state import RECORDER
from chainrule.core.value import Raw
from chainrule.errors import RecordingError, SettingError, nearest
from chainrule.spec import F64
from chainrule.tensors import Cell

Numbers = float | tuple[float, ...]

NOTES = ("initial_lr", "name")
"""What a group may carry beside its numbers and settings, as in PyTorch."""


@dataclass(frozen=True, slots=True)
class Limit:
    """The range of a number: from `low` on, and below `below`.

    Of a `switch`, 0 leaves a part of the update out, so a recorded step relies on it.
    """

    low: float = 0.0
    below: float = float("inf")
    switch: bool = False

    def __str__(self) -> str:
        above = "" if self.below == float("inf") else f" and below {self.below:g}"
        return f"a number of at least {self.low:g}{above}"

    def check(self, name: str, value: Any) -> float:
        """`value` as a float; SettingError when it is out of range."""
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = float("nan")
        if not self.low <= number < self.below:
            raise SettingError(f"{name} is out of range", expected=str(self), got=repr(value))
        return number


class ParameterGroup(MutableMapping[str, Any]):
    """Reads and writes as PyTorch's dictionary; behind each number is a cell.

    A step that was recorded reads the cell, so a number assigned here takes effect in it.
    """

    def __init__(
        self,
        params: list[Cell],
        values: Mapping[str, Any],
        limits: Mapping[str, Limit],
        label: str = "",
    ) -> None:
        self.params = params
        self.limits = limits
        self.cells: dict[str, tuple[Cell, ...]] = {}
        self.settings: dict[str, bool] = {}
        self.notes: dict[str, Any] = {}
        for name, value in values.items():
            if name in limits:
                self.cells[name] = _cells(name, label, _checked(name, value, limits))
            elif name in NOTES:
                self.notes[name] = value
            else:
                self.settings[name] = bool(value)

    # -- what an update reads

    def raw(self, name: str, place: int = 0) -> Raw:
        """The number `name` in float64, as an op takes it; `place` picks one of several."""
        return self.cells[name][place].array

    def held(self, name: str) -> float:
        """The number as it is now, also while recording: for what only the first step needs."""
        return float(self.cells[name][0].held())

    def on(self, name: str) -> bool:
        """Whether a switch is not 0."""
        assert self.limits[name].switch, f"{name} is not guarded as a switch"
        return bool(self.cells[name][0].held())

    def fingerprint(self) -> tuple[bool, ...]:
        """What the structure of an update may depend on."""
        switches = [name for name, limit in self.limits.items() if limit.switch]
        return (*self.settings.values(), *map(self.on, switches))

    # -- the dictionary

    def __getitem__(self, name: str) -> Any:
        if name == "params":
            return self.params
        if name not in self.cells:
            return self.settings[name] if name in self.settings else self.notes[name]
        numbers = tuple(float(cell) for cell in self.cells[name])
        return numbers if len(numbers) > 1 else numbers[0]

    def __setitem__(self, name: str, value: Any) -> None:
        _refuse_recording(name)
        if name in self.cells:
            for cell, number in zip(
                self.cells[name], _checked(name, value, self.limits, self[name]), strict=True
            ):
                cell.hold(np.array(number, F64))
        elif name in self.settings:
            self.settings[name] = bool(value)
        elif name in NOTES:
            self.notes[name] = value
        else:
            raise unknown(name, self)

    def __delitem__(self, name: str) -> None:
        raise SettingError(f"{name} of a parameter group cannot be removed")

    def __iter__(self) -> Iterator[str]:
        return iter(["params", *self.cells, *self.settings, *self.notes])

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        rest = {name: value for name, value in self.items() if name != "params"}
        return "\n".join(f"    {name}: {rest[name]}" for name in sorted(rest))


def unknown(name: str, known: Any) -> SettingError:
    """The error for a key that no parameter group has."""
    close = nearest(name, known)
    return SettingError(
        f"a parameter group has no {name!r}",
        expected=f"one of {', '.join(sorted(known))}",
        hint=f"did you mean {close!r}?" if close else None,
    )


def _cells(name: str, label: str, numbers: tuple[float, ...]) -> tuple[Cell, ...]:
    """float64, whatever the parameters are: in float32, 1 - 0.999 is wrong by 1e-5 of itself."""
    one = name.removesuffix("s")
    names = [name] if len(numbers) == 1 else [f"{one}{i + 1}" for i in range(len(numbers))]
    return tuple(Cell(np.array(n, F64), own + label) for own, n in zip(names, numbers, strict=True))


def _checked(
    name: str, value: Any, limits: Mapping[str, Limit], before: Any = None
) -> tuple[float, ...]:
    """The number, or several, as floats within their range."""
    several = tuple(value) if isinstance(value, tuple | list) else (value,)
    if before is not None and len(several) != len(np.atleast_1d(before)):
        raise SettingError(f"{name} is out of range", expected=f"as {before}", got=repr(value))
    return tuple(limits[name].check(name, one) for one in several)


def _refuse_recording(name: str) -> None:
    if RECORDER.get() is not None:
        raise RecordingError(
            f"{name} of an optimizer is assigned, but this step is being recorded ({user_line()})",
            expected="numbers that change between the calls of a recorded step",
            hint="assign it outside of the step: the step reads it anew at every call",
        )
