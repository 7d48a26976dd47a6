"""Modules that hold other modules in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, Self, overload

from chainrule.errors import SettingError
from chainrule.nn.module import Module


class _Ordered(Module):
    """Modules under the names "0", "1", ..., reached by number."""

    def _held(self) -> list[Module]:
        return list(self.children())

    def __len__(self) -> int:
        return len(self._held())

    def __iter__(self) -> Iterator[Module]:
        return self.children()

    @overload
    def __getitem__(self, index: int) -> Module: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Module | Self:
        if isinstance(index, slice):
            return type(self)._of(self._held()[index])
        return self._held()[self._position(index)]

    def __setitem__(self, index: int, module: Module) -> None:
        self.add_module(list(dict(self.named_children()))[self._position(index)], module)

    def _position(self, index: int) -> int:
        """The number counted from the first; an IndexError, which ends loops, if there is none."""
        try:
            return range(len(self))[index]
        except IndexError:
            raise IndexError(
                f"{type(self).__name__} holds {len(self)} modules, there is no number {index}"
            ) from None

    def append(self, module: Module) -> Self:
        """Put a module at the end; gives the container."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Put modules at the end; gives the container."""
        for module in modules:
            self.append(module)
        return self

    @classmethod
    def _of(cls, modules: list[Module]) -> Self:
        return cls().extend(modules)


class Sequential(_Ordered):
    """Modules one after the other: the output of each is the input of the next.

    Takes the modules, or one dict of names and modules. Gives out what the last one gives.

    >>> import chainrule as cr
    >>> Sequential(cr.nn.Linear(4, 8), cr.nn.ReLU(), cr.nn.Linear(8, 1))
    Sequential(
      (0): Linear(in_features=4, out_features=8, bias=True)
      (1): ReLU()
      (2): Linear(in_features=8, out_features=1, bias=True)
    )
    """

    def __init__(self, *modules: Module | dict[str, Module]) -> None:
        first = modules[0] if len(modules) == 1 else None
        named = first if isinstance(first, dict) else {str(i): m for i, m in enumerate(modules)}
        for name, module in named.items():
            if not isinstance(module, Module):
                raise SettingError(
                    "Sequential holds modules",
                    expected="modules as arguments, or one dict of names and modules",
                    got=f"{type(module).__name__} at {name}",
                    hint="Sequential(*modules) if they are in a list",
                )
            self.add_module(name, module)

    def forward(self, input: Any) -> Any:
        for module in vars(self).values():
            if isinstance(module, Module):
                input = module(input)
        return input


class _Uncalled(Module):
    """A container that is never called itself: its modules carry its name along."""

    def _be_called(self, label: str) -> None:
        super()._be_called(label)
        for name, module in self.named_children():
            module._be_called(f"{label}.{name}")

    def add_module(self, name: str, module: Module) -> None:
        super().add_module(name, module)
        if self._label:
            module._be_called(f"{self._label}.{name}")


class ModuleList(_Ordered, _Uncalled):
    """Modules in a list, so that their parameters are found; the owner's `forward` calls them.

    >>> import chainrule as cr
    >>> layers = ModuleList([cr.nn.Linear(4, 4) for _ in range(3)])
    >>> len(list(layers.parameters()))
    6
    """

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        self.extend(modules)

    def insert(self, index: int, module: Module) -> None:
        """Put a module before number `index`."""
        modules = self._held()
        modules.insert(index, module)
        for number, one in enumerate(modules):
            self.add_module(str(number), one)

    def __repr__(self) -> str:
        """As PyTorch: equal neighbours on one line."""
        lines, first = [], 0
        for text, group in groupby(map(repr, self)):
            count = len(list(group))
            numbers = f"{first}" if count == 1 else f"{first}-{first + count - 1}"
            times = "" if count == 1 else f"{count} x "
            lines.append(f"({numbers}): {times}{text}".replace("\n", "\n  "))
            first += count
        body = "\n  ".join(lines)
        return f"{type(self).__name__}(\n  {body}\n)" if lines else f"{type(self).__name__}()"


class ModuleDict(_Uncalled):
    """Modules by name, so that their parameters are found; the owner's `forward` calls them.

    Takes a dict, or pairs of name and module; used as a dict. Raises SettingError for a name that
    is an attribute of every module, such as "train", and for what is no module.

    >>> import chainrule as cr
    >>> heads = ModuleDict({"age": cr.nn.Linear(4, 1), "sex": cr.nn.Linear(4, 2)})
    >>> heads["age"]
    Linear(in_features=4, out_features=1, bias=True)
    """

    def __init__(self, modules: _Named | None = None) -> None:
        self.update(modules or {})

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def add_module(self, name: str, module: Module) -> None:
        if not isinstance(name, str) or not isinstance(module, Module):
            raise SettingError(
                "ModuleDict holds modules by name",
                expected="a text and a module",
                got=f"{type(name).__name__} and {type(module).__name__}",
            )
        if hasattr(self, name) and name not in self:
            raise SettingError("a module's name must not be that of an attribute", got=repr(name))
        super().add_module(name, module)

    def __getitem__(self, key: str) -> Module:
        return dict(self.named_children())[key]

    def __delitem__(self, key: str) -> None:
        delattr(self, key)

    def __contains__(self, key: object) -> bool:
        return key in dict(self.named_children())

    def __len__(self) -> int:
        return len(dict(self.named_children()))

    def __iter__(self) -> Iterator[str]:
        return iter(dict(self.named_children()))

    def keys(self) -> Iterable[str]:
        """The names."""
        return dict(self.named_children()).keys()

    def values(self) -> Iterable[Module]:
        """The modules."""
        return dict(self.named_children()).values()

    def items(self) -> Iterable[tuple[str, Module]]:
        """Names and modules."""
        return dict(self.named_children()).items()

    def update(self, modules: _Named) -> None:
        """Put in the modules of a dict, or of pairs; equal names are replaced."""
        for name, module in dict(modules).items():
            self.add_module(name, module)

    def pop(self, key: str) -> Module:
        """Take a module out, and give it."""
        module = self[key]
        del self[key]
        return module

    def clear(self) -> None:
        """Take all modules out."""
        for key in list(self):
            del self[key]


_Named = Mapping[str, Module] | Iterable[tuple[str, Module]]
