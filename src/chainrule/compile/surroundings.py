"""What a step function reads besides its arguments: the names it and the functions it calls use.

A recorded step has taken the numbers and tensors behind these names for granted; when one of them
is bound to something else, it must be recorded again.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from typing import Any

from chainrule.core.record import Guard, is_ours
from chainrule.nn.module import Module
from chainrule.spec import NUMBERS

_MISSING = object()
_SIMPLE = (*NUMBERS, str, bytes, type(None))
_LONGEST = 64  # containers of more items are watched by identity only


class Same:
    """Equal only to a `Same` of the very same object, which it keeps alive."""

    __slots__ = ("thing",)

    def __init__(self, thing: Any) -> None:
        self.thing = thing

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.thing is other.thing

    def __hash__(self) -> int:
        return id(self.thing)


def frozen(value: Any) -> Any:
    """What must stay equal for a recording to stay true: numbers and text by value, small
    containers by their items, everything else by identity.
    """
    if type(value) in _SIMPLE:
        return type(value), value
    if type(value) in (tuple, list) and len(value) <= _LONGEST:
        return type(value), tuple(map(frozen, value))
    if type(value) is dict and len(value) <= _LONGEST:
        return dict, tuple((frozen(k), frozen(v)) for k, v in value.items())
    return Same(value)


def guards_of(fn: Callable[..., Any]) -> list[Guard]:
    """A guard per name that `fn`, and the user's functions reached from it, read from outside."""
    guards = []
    for read in _readers(fn, set()):
        guards.append((read, read()))
    return guards


def _readers(thing: Any, seen: set[int]) -> Iterator[Callable[[], Any]]:
    """Readers of everything that the code behind `thing` consults."""
    if id(thing) in seen:
        return
    seen.add(id(thing))
    if isinstance(thing, types.MethodType):
        yield from _readers(thing.__func__, seen)
        yield from _attributes(thing.__self__, _names(thing.__func__.__code__))
    elif isinstance(thing, types.FunctionType) and not is_ours(thing.__code__.co_filename):
        yield from _of_function(thing, seen)
    elif isinstance(thing, Module):
        for module in thing.modules():
            yield from _readers(type(module).forward, seen)


def _of_function(fn: types.FunctionType, seen: set[int]) -> Iterator[Callable[[], Any]]:
    names = _names(fn.__code__)
    found: list[tuple[Callable[[], Any], Any]] = []
    for cell in fn.__closure__ or ():
        found.append((lambda cell=cell: _contents(cell), _contents(cell)))  # type: ignore[misc]
    table = fn.__globals__
    for name in names & table.keys():
        found.append((lambda name=name: table.get(name, _MISSING), table[name]))  # type: ignore[misc]
    yield lambda: (frozen(fn.__defaults__), frozen(fn.__kwdefaults__))
    for read, value in found:
        yield lambda read=read: frozen(read())
        yield from _attributes(value, names)
        yield from _readers(value, seen)


def _attributes(owner: Any, names: set[str]) -> Iterator[Callable[[], Any]]:
    """Readers of the attributes that the code may read from a module, settings object or self."""
    if isinstance(owner, Module | type) or not hasattr(owner, "__dict__"):
        return
    if isinstance(owner, types.FunctionType) or is_ours(getattr(owner, "__file__", "") or ""):
        return
    for name in names & vars(owner).keys():
        yield lambda name=name: frozen(getattr(owner, name, _MISSING))


def _names(code: types.CodeType) -> set[str]:
    """The names that code reads, those of the functions inside it included."""
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names |= _names(constant)
    return names


def _contents(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not bound yet
        return _MISSING
