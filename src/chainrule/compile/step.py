"""`compile`: a step function is recorded once per situation, and its Program runs after that."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MethodType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from chainrule.compile.surroundings import Same, frozen, guards_of
from chainrule.compile.worth import no_machine_code, pays
from chainrule.core.interpret import interpret
from chainrule.core.program import Program
from chainrule.core.record import Guard, record, user_line
from chainrule.core.state import RECORDER, TRACKING
from chainrule.core.value import Raw
from chainrule.errors import RecordingError, SettingError
from chainrule.spec import Spec
from chainrule.tensor import Cell, Tensor

if TYPE_CHECKING:  # llvmlite: only who uses it waits
    from chainrule.compile.report import Report

Backend = Literal["interpret", "native"]

_MANY = 32  # recordings after which something seems wrong

Shape = Any  # a nested structure of arguments or results, with a Slot where a tensor stands


@dataclass(frozen=True)
class Slot:
    """Where a tensor stands among the arguments or results."""

    number: int
    spec: Spec | None = None


@dataclass(eq=False)
class Variant:
    """One recording of a step, and under which conditions it holds."""

    program: Program
    guards: list[Guard]
    returns: Shape
    backend: Backend

    @functools.cached_property
    def run(self) -> Callable[[Sequence[Raw]], tuple[Raw, ...]]:
        """What runs the program; as machine code it is made when it is first needed."""
        if self.backend == "native" and (problem := no_machine_code()):
            warnings.warn(f"{problem}; the step is interpreted", stacklevel=4)
        elif self.backend == "native":
            from chainrule.compile.native import NativeProgram  # llvmlite: only who uses it waits

            return NativeProgram(self.program)
        return functools.partial(interpret, self.program)

    @property
    def runs_epochs(self) -> bool:
        """Whether many of its steps can be one native call."""
        return bool(getattr(self.run, "runs_epochs", False))

    @property
    def interpreted(self) -> list[str]:
        """The ops for which there is no machine code, and NumPy steps in."""
        written = getattr(self.run, "written", ())
        names = (made.op.name for w in written if not w.native for made in w.kernel.members)
        return list(dict.fromkeys(names))

    def report(self, args: Sequence[Raw] | None = None) -> Report:
        """What the program became as machine code; with arguments, its kernels' times as well.

        SettingError if it is interpreted.
        """
        from chainrule.compile.native import NativeProgram
        from chainrule.compile.report import report

        if not isinstance(self.run, NativeProgram):
            raise SettingError(
                "only a step that became machine code has a report",
                expected='cr.compile(step, backend="native")',
                got="one that is interpreted; print its program instead",
            )
        return report(self.run, args)

    def holds(self) -> bool:
        """Whether nothing that the recording relied on has changed."""
        for read, seen in self.guards:  # noqa: SIM110 - a generator would cost a third more
            if read() != seen:
                return False
        return True


class CompiledStep:
    """A step function that is recorded once per situation and then run as a Program.

    Recorded again when a shape, dtype, mode, setting, frozen parameter or the value behind a name
    that it reads is another than at any recording before.
    """

    def __init__(self, fn: Callable[..., Any], backend: Backend = "interpret") -> None:
        if backend not in ("interpret", "native"):
            raise SettingError("no such back end", expected="interpret or native", got=backend)
        self.fn, self.backend = fn, backend
        self.variants: dict[Any, list[Variant]] = {}
        self.expected: dict[Any, int] = {}
        self.latest: dict[Any, Variant] = {}  # by shapes and dtypes, for calls on tensors alone
        functools.update_wrapper(self, fn, updated=())

    def __get__(self, owner: Any, kind: type | None = None) -> Any:
        return self if owner is None else MethodType(self, owner)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if RECORDER.get() is not None:  # inside another step: part of that one
            return self.fn(*args, **kwargs)
        leaves: list[Raw] | None = None if kwargs else _raws(args)
        if leaves is None:
            leaves = []
            key = flatten((args, kwargs), leaves), TRACKING.get()
            variant = self._variant(key, args, kwargs)
        else:
            variant = self._latest(leaves, args)
        return _unflatten(variant.returns, variant.run(leaves))

    def _latest(self, leaves: list[Raw], args: Any) -> Variant:
        """The recording for arguments that are tensors alone, without much ado."""
        key = TRACKING.get(), *[(raw.shape, raw.dtype) for raw in leaves]
        variant = self.latest.get(key)
        if variant is None or not variant.holds():
            variant = self.latest[key] = self.variant(*args)
        return variant

    def epoch(
        self,
        arrays: Sequence[Any],
        batch_size: int,
        order: Any = None,
        schedule: Mapping[Cell, Any] | None = None,
        after_step: Callable[[int], bool] | None = None,
    ) -> Any:
        """Run the step once per batch of the arrays' rows; gives the numbers that it returned.

        `order` says which rows and in which order; without it they are taken as they come. For the
        rest see `chainrule.compile.epoch.run_epoch`. Natively many steps are one call.

        >>> import chainrule as cr
        >>> import numpy as np
        >>> step = cr.compile(lambda x: x.sum())
        >>> step.epoch([np.arange(6.0)], batch_size=2)
        array([1., 5., 9.])
        """
        from chainrule.compile.epoch import run_epoch

        given = [x.numpy() if isinstance(x, Tensor) else np.asarray(x) for x in arrays]
        rows = np.arange(len(given[0])) if order is None else np.asarray(order, np.int64)
        return run_epoch(self, given, rows, batch_size, schedule, after_step)

    def expect(self, runs: int, *args: Any, **kwargs: Any) -> None:
        """Say how often it will run for such arguments, before the first time.

        A native step makes no machine code for those where it does not pay.
        """
        self.expected[flatten((args, kwargs), []), TRACKING.get()] = runs

    def program(self, *args: Any, **kwargs: Any) -> Program:
        """The Program that runs for these arguments; it is recorded if need be, and not run."""
        return self.variant(*args, **kwargs).program

    def report(self, *args: Any, **kwargs: Any) -> Report:
        """What runs natively for these arguments: passes, kernels, memory, threads, LLVM's text.

        Machine code is made if need be, and not run. SettingError for a step that is interpreted.

        >>> import chainrule as cr
        >>> step = cr.compile(lambda x: (x * 2).tanh().sum(), backend="native")
        >>> report = step.report(cr.zeros(1000))
        >>> report.operations
        3000
        >>> print(report)  # doctest: +ELLIPSIS
        1 kernels as machine code, ...
        """
        return self.variant(*args, **kwargs).report()

    def measured(self, *args: Any, **kwargs: Any) -> Report:
        """The report with each kernel's time on these arguments, alone on one thread."""
        leaves: list[Raw] = []
        flatten((args, kwargs), leaves)
        return self.variant(*args, **kwargs).report(leaves)

    @property
    def programs(self) -> list[Program]:
        """Every Program recorded so far."""
        return [variant.program for found in self.variants.values() for variant in found]

    def variant(self, *args: Any, **kwargs: Any) -> Variant:
        """The recording that runs for these arguments; it is made if need be."""
        return self._variant((flatten((args, kwargs), []), TRACKING.get()), args, kwargs)

    def _variant(self, key: Any, args: Any, kwargs: Any) -> Variant:
        known = self.variants.setdefault(key, [])
        for variant in known:
            if variant.holds():
                return variant
        known.append(self._record(key, args, kwargs))
        if len(self.programs) == _MANY:
            warnings.warn(
                f"{self!r}: a number or an object that it reads is another at each call; "
                "numbers that change belong into tensors or cells",
                stacklevel=4,
            )
        return known[-1]

    def _record(self, key: Any, args: Any, kwargs: Any) -> Variant:
        specs: list[Spec] = []
        _specs(key[0], specs)
        found: list[Shape] = []

        def step(*values: Tensor) -> list[Raw]:
            leaves: list[Raw] = []
            new_args, new_kwargs = _with_symbols((args, kwargs), iter(values))
            found.append(flatten(self.fn(*new_args, **new_kwargs), leaves, results=True))
            return leaves

        guards = guards_of(self.fn, (args, kwargs))
        before = _random_state()
        program, recorder = record(step, specs)
        if before != _random_state():
            warnings.warn(
                "the step draws from np.random: its numbers are fixed by recording them; "
                f"use chainrule's own random functions ({user_line()})",
                stacklevel=4,
            )
        runs = self.expected.get(key)
        backend = self.backend if runs is None or pays(program, runs) else "interpret"
        return Variant(program.verify(), [*guards, *recorder.guards], found[0], backend)

    def __repr__(self) -> str:
        name = getattr(self.fn, "__name__", type(self.fn).__name__)
        return f"<compiled step {name}: {len(self.programs)} recorded>"


def compile(fn: Callable[..., Any], backend: Backend = "interpret") -> CompiledStep:
    """Make a step function run as a recorded Program: `@cr.compile` above it, or a call.

    Its tensors may be arguments, in nested tuples, lists and dicts too; modules, optimizers and
    cells are read by reference. Python numbers are constants of the recording; it is recorded again
    when they change. Reading a tensor's value inside (`item()`, `if tensor:`) is a RecordingError.
    `backend`: "interpret" runs the program with NumPy, "native" as machine code (some tenths of a
    second to make, then many times faster for small networks).

    >>> import chainrule as cr
    >>> @cr.compile
    ... def double(x):
    ...     return x * 2
    >>> double(cr.tensor([1.0, 2.0]))
    tensor([2., 4.])
    >>> print(double.programs[0])  # doctest: +NORMALIZE_WHITESPACE
    args      %1: f32[2]
      %2: f32[2] = mul(%1, 2)  forward    ...
    returns   %2
    """
    return CompiledStep(fn, backend)


def _raws(args: tuple[Any, ...]) -> list[Raw] | None:
    """The arrays of arguments that are tensors or arrays, each of them; else None."""
    raws = []
    for value in args:
        if type(value) is Tensor:
            raws.append(value.array)
        elif type(value) is np.ndarray:
            raws.append(value)
        else:
            return None
    return raws


def flatten(value: Any, leaves: list[Raw], results: bool = False) -> Shape:
    """The structure of `value` with a Slot for every tensor, which goes into `leaves`."""
    if isinstance(value, Cell) and not results:
        return Same(value)
    if isinstance(value, Tensor | np.ndarray):
        raw = value.array if isinstance(value, Tensor) else value
        leaves.append(raw)
        return Slot(len(leaves) - 1, None if results else Spec(tuple(raw.shape), raw.dtype))
    if type(value) in (tuple, list):
        return type(value), tuple([flatten(item, leaves, results) for item in value])
    if type(value) is dict:
        items = [(key, flatten(item, leaves, results)) for key, item in value.items()]
        return dict, tuple(items)
    return ("fixed", Same(value)) if results else frozen(value)


def _unflatten(shape: Shape, results: tuple[Raw, ...]) -> Any:
    if isinstance(shape, Slot):
        return Tensor(results[shape.number])
    kind, items = shape
    if kind == "fixed":
        return items.thing
    if kind is dict:
        return {key: _unflatten(item, results) for key, item in items}
    return kind(_unflatten(item, results) for item in items)


def _specs(shape: Shape, specs: list[Spec]) -> None:
    """The specs of the slots, in order."""
    if isinstance(shape, Slot):
        if shape.spec is None:
            raise RecordingError("a slot of the arguments has no spec")
        specs.append(shape.spec)
    elif isinstance(shape, tuple) and len(shape) == 2 and shape[0] in (tuple, list):
        for item in shape[1]:
            _specs(item, specs)
    elif isinstance(shape, tuple) and len(shape) == 2 and shape[0] is dict:
        for _, item in shape[1]:
            _specs(item, specs)


def _with_symbols(value: Any, symbols: Any) -> Any:
    """The arguments with a symbol in place of every tensor."""
    if isinstance(value, Cell):
        return value
    if isinstance(value, Tensor | np.ndarray):
        return next(symbols)
    if type(value) in (tuple, list):
        return type(value)(_with_symbols(item, symbols) for item in value)
    if type(value) is dict:
        return {key: _with_symbols(item, symbols) for key, item in value.items()}
    return value


def _random_state() -> str:
    """Where NumPy's global random numbers stand."""
    return repr(np.random.get_state(legacy=True))  # noqa: NPY002 - to notice its use
