"""What a step function reads besides its arguments: the names it and the functions it calls use.

A recorded step has taken the numbers and tensors behind these names for granted; when one of them
is bound to something else, it must be recorded again. Found by the names in the code: variables
from outside, globals, attributes of objects, of classes and of modules of the user's, also behind
methods, properties, partial functions and decorators. Code of Python's library and NumPy's is not
looked into.
"""

from __future__ import annotations

import functools
import inspect
import sys
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.core.record import Guard, is_ours
from chainrule.core.value import Value
from chainrule.spec import NUMBERS

_MISSING = object()
_LIBRARIES = {"chainrule", "numpy", *sys.stdlib_module_names} - {"__main__"}
_SIMPLE = {*NUMBERS, str, bytes, type(None), range, type(Ellipsis)} - {float}
_LONGEST = 64  # containers of more items are watched by identity only
_DEEPEST = 8  # of containers within containers
# Found in a class: those written in C read nothing, and are another object at every look.
_METHODS = types.FunctionType | types.MethodDescriptorType | types.WrapperDescriptorType

Reader = Callable[[], Any]


class Same:
    """Equal only to a `Same` of the very same object, which it keeps alive."""

    __slots__ = ("thing",)

    def __init__(self, thing: Any) -> None:
        self.thing = thing

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.thing is other.thing

    def __hash__(self) -> int:
        return id(self.thing)


def frozen(value: Any, depth: int = 0) -> Any:
    """What must stay equal for a recording to stay true: numbers and text by value, small
    containers by their items, everything else by identity.
    """
    kind = type(value)
    if kind in _SIMPLE:
        return kind, value
    if kind is float:
        return kind, value.hex()  # nan equals nan, and -0.0 is not 0.0
    if kind in (tuple, list, dict, set, frozenset) and len(value) <= _LONGEST and depth < _DEEPEST:
        if kind is dict:
            pairs = value.items()
            return kind, tuple([(frozen(k, depth + 1), frozen(v, depth + 1)) for k, v in pairs])
        items = [frozen(item, depth + 1) for item in value]
        return kind, (tuple if kind in (tuple, list) else frozenset)(items)
    if isinstance(value, np.generic | np.dtype):
        return kind, repr(value)
    return Same(value)


def guards_of(fn: Callable[..., Any], arguments: Any = ()) -> list[Guard]:
    """A guard per name that `fn`, and the user's functions reached from it, read from outside.

    `arguments` (nested containers of anything) are looked into for what `fn` reads of them.
    """
    looker = _Looker()
    looker.look_into(fn, set())
    looker.look_into(arguments, _names(_code(fn)))
    return [(read, read()) for read in looker.readers.values()]


class _Looker:
    """Follows names from object to object; `readers` collects how to read what was found."""

    def __init__(self) -> None:
        self.readers: dict[Any, Reader] = {}
        self.seen: dict[Any, Any] = {}  # the value is kept alive, or its id could be another's

    def look_into(self, thing: Any, names: set[str]) -> None:
        """Watch what code with these names may read of `thing`."""
        if _is_plain(thing):
            return
        if isinstance(thing, types.FunctionType):
            self.function(thing)
        elif isinstance(thing, types.MethodType):
            self.look_into(thing.__func__, names)
            self.look_into(thing.__self__, names | _names(_code(thing.__func__)))
        elif isinstance(thing, functools.partial):
            self.look_into((thing.func, thing.args, thing.keywords), names)
        elif type(thing) in (tuple, list, dict, set, frozenset):
            if len(thing) <= _LONGEST:
                for item in list(thing.values()) if isinstance(thing, dict) else list(thing):
                    self.look_into_once(item, names)
        elif not _is_library(thing):
            self.look_into_once(thing, names)

    def look_into_once(self, thing: Any, names: set[str]) -> None:
        key = id(thing), frozenset(names)
        if key in self.seen or _is_plain(thing):
            return
        self.seen[key] = thing
        if type(thing) in (tuple, list, dict, set, frozenset) or isinstance(
            thing, types.FunctionType | types.MethodType | functools.partial
        ):
            self.look_into(thing, names)
        elif not _is_library(thing):
            self.attributes(thing, names)

    def function(self, fn: types.FunctionType) -> None:
        if _is_library(fn) or ("function", id(fn)) in self.seen:
            return
        self.seen["function", id(fn)] = fn
        names = _names(fn.__code__)
        if fn.__defaults__ or fn.__kwdefaults__:
            self.watch(fn, "defaults", lambda: (fn.__defaults__, fn.__kwdefaults__))
            self.look_into((fn.__defaults__, fn.__kwdefaults__), names)
        for cell in fn.__closure__ or ():
            self.watch(cell, "contents", functools.partial(_contents, cell))
            self.look_into(_contents(cell), names)
        for name in names & fn.__globals__.keys():
            found = fn.__globals__[name]
            if not isinstance(found, types.ModuleType):
                read = functools.partial(fn.__globals__.get, name, _MISSING)
                self.watch(fn.__globals__, name, read)
            self.look_into(found, names)
        if hasattr(fn, "__wrapped__"):
            self.look_into(fn.__wrapped__, names)

    def attributes(self, owner: Any, names: set[str]) -> None:
        """The attributes of `owner` with these names, and what its methods read in turn."""
        todo, done = set(names), set()
        if callable(owner) and not isinstance(owner, type):
            todo |= {"__call__", "__wrapped__", "forward"}
        if hasattr(owner, "named_children"):  # a module: the code of those inside runs, too
            for child in owner.children():
                self.look_into(child, names)
        while todo:
            name = todo.pop()
            done.add(name)
            found = inspect.getattr_static(owner, name, _MISSING)
            if isinstance(found, staticmethod | classmethod):
                found = found.__func__
            if isinstance(found, property):
                found = found.fget
            if found is _MISSING:
                continue
            if isinstance(found, _METHODS) and name not in getattr(owner, "__dict__", {}):
                if isinstance(found, types.FunctionType) and not _is_library(found):
                    self.function(found)
                    todo |= _names(found.__code__) - done
                continue
            self.watch(owner, name, functools.partial(getattr, owner, name, _MISSING))
            self.look_into(getattr(owner, name, _MISSING), names)

    def watch(self, owner: Any, name: str, read: Reader) -> None:
        key = id(owner), name
        if key not in self.readers:
            self.seen[key] = owner
            self.readers[key] = lambda: frozen(read())


def _is_plain(thing: Any) -> bool:
    """Whether there is nothing in `thing` to look into: numbers, text, tensors and arrays."""
    return type(thing) in _SIMPLE or isinstance(thing, Value | np.ndarray | np.generic | float)


def _is_library(thing: Any) -> bool:
    """Whether a function, class or module is this package's, Python's own or NumPy's."""
    if isinstance(thing, types.ModuleType):
        name = thing.__name__
    elif isinstance(thing, types.FunctionType):
        name = "chainrule" if is_ours(thing.__code__.co_filename) else thing.__module__ or ""
    elif isinstance(thing, type):
        name = thing.__module__
    else:  # an object is looked into, whatever its class
        return False
    return name.partition(".")[0] in _LIBRARIES


def _code(fn: Any) -> types.CodeType | None:
    code: types.CodeType | None = getattr(getattr(fn, "__func__", fn), "__code__", None)
    return code


def _names(code: types.CodeType | None) -> set[str]:
    """The names that code reads, those of the functions inside it included."""
    if code is None:
        return set()
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
