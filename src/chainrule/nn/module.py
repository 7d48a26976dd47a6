"""Module: a named tree of layers, parameters and buffers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike

from chainrule.core.record import Recorder, mark
from chainrule.core.state import RECORDER
from chainrule.errors import ChainruleError, IndexRangeError, SettingError, ShapeError, nearest
from chainrule.markup import notebook, table, tag
from chainrule.spec import F32, F64, NUMBERS, Spec, dtype_of
from chainrule.tensors import Buffer, Cell, Parameter, Tensor, as_tensor

_SETTINGS = frozenset({*NUMBERS, str, type(None), tuple})  # kinds that are compared by value


class Module:
    """The base of every layer and network, as PyTorch's `nn.Module`.

    Assign parameters, buffers and other modules as attributes, write `forward`, and call the
    module. Their names are the paths of attributes: "layers.0.weight".

    >>> import chainrule as cr
    >>> class Double(cr.nn.Module):
    ...     def forward(self, x):
    ...         return x * 2
    >>> Double()(cr.tensor([1.0, 2.0]))
    tensor([2., 4.])
    """

    phase: str | None = None  # what the instructions written inside belong to, if not forward
    _label = ""  # the name under which the parent holds this module
    training: bool = True
    _unsaved: frozenset[str] = frozenset()  # the buffers that are no part of the state

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the module's output; every module states its own."""
        raise NotImplementedError(f"{type(self).__name__} needs a forward method")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:  # free while nothing fails
            recorder = RECORDER.get()
            if recorder is None:
                return self.forward(*args, **kwargs)
            return self._recorded(recorder, args, kwargs)
        except (ShapeError, IndexRangeError) as wrong:
            self._locate(wrong)
            raise

    def _locate(self, wrong: ChainruleError) -> None:
        """Say in the error where it happened: the innermost names itself, the others its path."""
        noted = vars(wrong)
        if "layer" not in noted:
            noted["layer"] = wrong.what, "", f"{type(self).__name__}({self.extra_repr()})"
        what, path, layer = noted["layer"]
        path = f"{self._label}.{path}".strip(".")
        noted["layer"] = what, path, layer
        wrong.what = f"{what}, in {path + ': ' if path else ''}{layer}"

    def _recorded(self, recorder: Recorder, args: Any, kwargs: Any) -> Any:
        recorder.guards.append((self.fingerprint, self.fingerprint()))
        if not (recorder.scope or self._label):  # the root: its cells are named by paths from it
            self._name_cells()
        with mark(self.phase, self._label):
            return self.forward(*args, **kwargs)

    def fingerprint(self) -> tuple[Any, ...]:
        """What a recorded step relies on: mode and settings. Cells are guarded when read."""
        settings = [(k, v) for k, v in vars(self).items() if type(v) in _SETTINGS]
        return (*settings, self.training)

    # -- the tree

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Module):
            value._be_called(name)
        elif isinstance(value, Cell):
            value.name = name
        elif isinstance(value, Tensor) and isinstance(vars(self).get(name), Cell):
            raise SettingError(
                f"{name} is a parameter or buffer and a tensor was assigned to it",
                hint=f"put the numbers into it: self.{name}.assign(tensor)",
            )
        object.__setattr__(self, name, value)

    def _be_called(self, label: str) -> None:
        object.__setattr__(self, "_label", label)

    def register_buffer(self, name: str, tensor: Any, persistent: bool = True) -> None:
        """Make `tensor` (or None) a buffer: not trained, and part of the state if `persistent`."""
        setattr(self, name, None if tensor is None else Buffer(tensor, name))
        self._unsaved = self._unsaved - {name} if persistent else self._unsaved | {name}

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Make `param` (or None) an attribute of this name."""
        setattr(self, name, param)

    def add_module(self, name: str, module: Module) -> None:
        """Make `module` a child of this name."""
        setattr(self, name, module)

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly inside, with their names."""
        for name, value in vars(self).items():
            if isinstance(value, Module):
                yield name, value

    def children(self) -> Iterator[Module]:
        """The modules directly inside."""
        return (module for _, module in self.named_children())

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """This module and all inside, each once, with their paths; its own path is "" ."""
        return _once(self._walk(prefix))

    def _walk(self, prefix: str) -> Iterator[tuple[str, Module]]:
        yield prefix, self
        for name, child in self.named_children():
            yield from child._walk(f"{prefix}.{name}" if prefix else name)

    def modules(self) -> Iterator[Module]:
        """This module and all inside, each once."""
        return (module for _, module in self.named_modules())

    def get_submodule(self, target: str) -> Module:
        """The module at a path such as "layers.0"; an AttributeError where there is none."""
        found = dict(self._walk("")).get(target)
        if found is None:
            raise AttributeError(f"{type(self).__name__} has no module {target!r}")
        return found

    def _cells(
        self, kind: type[Cell], prefix: str = "", recurse: bool = True
    ) -> Iterator[tuple[str, Any]]:
        for path, module in self._walk(prefix) if recurse else [(prefix, self)]:
            for name, value in vars(module).items():
                if isinstance(value, kind):
                    yield f"{path}.{name}" if path else name, value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """The parameters inside with their paths; without `recurse` this module's own only.

        A shared one comes once, and under each of its names without `remove_duplicate`.
        """
        found = self._cells(Parameter, prefix, recurse)
        return _once(found) if remove_duplicate else found

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters inside; a shared one once. They are named by their paths."""
        for name, parameter in self.named_parameters(recurse=recurse):
            parameter.name = name
            yield parameter

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Buffer]]:
        """The buffers inside with their paths; arguments as `named_parameters`."""
        found = self._cells(Buffer, prefix, recurse)
        return _once(found) if remove_duplicate else found

    def buffers(self, recurse: bool = True) -> Iterator[Buffer]:
        """The buffers inside."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def _name_cells(self) -> None:
        for name, cell in _once(self._cells(Cell)):
            cell.name = name

    # -- mode, freezing, dtype

    def train(self, mode: bool = True) -> Self:
        """Set training mode, or evaluation mode, here and in all modules inside."""
        for module in self.modules():
            object.__setattr__(module, "training", mode)
        return self

    def eval(self) -> Self:
        """Set evaluation mode: dropout off, running statistics used."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Let every parameter inside gather gradients, or not."""
        for parameter in self.parameters():
            parameter.requires_grad = requires_grad
        return self

    def freeze(self) -> Self:
        """Stop every parameter inside from being trained."""
        return self.requires_grad_(False)

    def unfreeze(self) -> Self:
        """Let every parameter inside be trained again."""
        return self.requires_grad_(True)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients gathered in every parameter inside, or make them zeros."""
        for parameter in self.parameters():
            if set_to_none:
                parameter.grad = None
            elif (gradient := parameter.grad) is not None:
                gradient.zero_()

    def to(self, dtype: DTypeLike) -> Self:
        """Convert every floating-point parameter and buffer inside to `dtype`.

        "cpu", the one device there is, changes nothing.
        """
        for _, cell in _once(self._cells(Cell)):
            held = cell.held()
            if held is not None and held.dtype.kind == "f":
                cell.hold(held.astype(dtype_of(dtype, held.dtype)))
        return self

    def cpu(self) -> Self:
        """The module itself: the CPU is the one device there is."""
        return self

    def double(self) -> Self:
        """Convert to float64."""
        return self.to(F64)

    def float(self) -> Self:
        """Convert to float32."""
        return self.to(F32)

    def apply(self, fn: Callable[[Module], None]) -> Self:
        """Call `fn` on every module inside, then on this one."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    # -- state

    def _saved(self) -> dict[str, Cell]:
        """What belongs to the state: parameters, and buffers but for those registered otherwise."""
        unsaved = {
            f"{path}.{name}" if path else name
            for path, module in self._walk("")
            for name in module._unsaved
        }
        return {
            name: cell
            for name, cell in self._cells(Cell)
            if isinstance(cell, Parameter | Buffer) and name not in unsaved
        }

    def state_dict(self) -> dict[str, Tensor]:
        """The parameters and buffers by their paths, as tensors that share no memory with them."""
        return {name: Tensor(np.array(cell.held())) for name, cell in self._saved().items()}

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> LoadedKeys:
        """Put the tensors (or arrays) of `state_dict` into parameters and buffers of equal paths.

        Gives what was missing and what was not expected; with `strict` either is an error, and so
        is a wrong shape always. Nothing is changed when there is an error.
        """
        mine, state = self._saved(), state_dict
        missing = [name for name in mine if name not in state]
        unexpected = [name for name in state if name not in mine]
        if strict and (missing or unexpected):
            raise _misfit(type(self).__name__, missing, unexpected, mine)
        for name, cell in mine.items():
            if name in state and np.shape(state[name]) != cell.held().shape:
                raise ShapeError(
                    f"{name} has another shape in the loaded state",
                    expected=Spec(cell.held().shape, cell.held().dtype),
                    got=np.shape(state[name]),
                )
        for name, cell in mine.items():
            if name in state:
                array = as_tensor(state[name]).numpy()
                cell.hold(np.array(array, dtype=cell.held().dtype))
        return LoadedKeys(missing, unexpected)

    # -- text

    def extra_repr(self) -> str:
        """The settings shown in this module's line of the repr."""
        return ""

    def __repr__(self) -> str:
        lines = [
            f"({name}): " + repr(child).replace("\n", "\n  ")
            for name, child in self.named_children()
        ]
        extra = self.extra_repr()
        if not lines:
            return f"{type(self).__name__}({extra})"
        body = "\n  ".join([extra, *lines] if extra else lines)
        return f"{type(self).__name__}(\n  {body}\n)"

    def _repr_html_(self) -> str:
        layers = [(n, m) for n, m in self.named_modules() if not list(m.children())]
        rows = [[n, repr(m), f"{_size(m):,}" if _size(m) else ""] for n, m in layers]
        told = f" {_size(self):,} parameters"
        shown = table(["layer", "what it is", "parameters"], rows, left=2)
        return notebook(tag("b", type(self).__name__), tag("span", told, class_="soft"), shown)


def _size(module: Module) -> int:
    return sum(parameter.size for parameter in module.parameters())


class LoadedKeys:
    """What `load_state_dict` did not find, and what it did not expect."""

    def __init__(self, missing_keys: list[str], unexpected_keys: list[str]) -> None:
        self.missing_keys, self.unexpected_keys = missing_keys, unexpected_keys

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"LoadedKeys(missing={self.missing_keys}, unexpected={self.unexpected_keys})"


def _misfit(
    owner: str, missing: list[str], unexpected: list[str], mine: Iterable[str]
) -> SettingError:
    close = nearest(unexpected[0], mine) if unexpected else None
    return SettingError(
        f"the state does not fit {owner}",
        expected=f"also {', '.join(missing)}" if missing else None,
        got=f"unexpected {', '.join(unexpected)}" if unexpected else None,
        hint=f"did {unexpected[0]} mean {close}?" if close else "strict=False loads what fits",
    )


def _once(named: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Each thing under its first name only."""
    seen: set[int] = set()
    for name, thing in named:
        if id(thing) not in seen:
            seen.add(id(thing))
            yield name, thing
