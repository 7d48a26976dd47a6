"""`compile`: a step function is recorded once per situation, and its Program runs after that."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MethodType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from chainrule.compiler.forms import Shape, flatten, raws, specs, unflatten, with_symbols
from chainrule.compiler.surroundings import guards_of
from chainrule.compiler.worth import breakeven, no_machine_code
from chainrule.core.interpret import interpret
from chainrule.core.program import Program
from chainrule.core.record import Guard, record, user_line
from chainrule.core.state import RECORDER, TRACKING
from chainrule.core.value import Raw
from chainrule.errors import SettingError
from chainrule.tensors import Cell, Tensor

if TYPE_CHECKING:  # llvmlite: only who uses it waits
    from chainrule.compiler.report import Report

Backend = Literal["interpret", "native"]

_MANY = 32  # recordings after which something seems wrong


@dataclass(eq=False)
class Variant:
    """One recording of a step, and under which conditions it holds."""

    program: Program
    guards: list[Guard]
    returns: Shape
    backend: Backend
    waits: int = 0  # runs that are interpreted before there is machine code

    def __call__(self, leaves: Sequence[Raw]) -> tuple[Raw, ...]:
        """Run the program on these arguments."""
        if self.waits:
            self.waits -= 1
            return interpret(self.program, leaves)
        return self.run(leaves)

    @functools.cached_property
    def run(self) -> Callable[[Sequence[Raw]], tuple[Raw, ...]]:
        """What runs the program; as machine code it is made when it is first needed."""
        if self.backend == "native" and (problem := no_machine_code()):
            warnings.warn(f"{problem}; the step is interpreted", stacklevel=4)
        elif self.backend == "native":
            from chainrule.compiler.native import NativeProgram  # llvmlite: only who uses it waits

            return NativeProgram(self.program)
        return functools.partial(interpret, self.program)

    @property
    def runs_epochs(self) -> bool:
        """Whether many of its steps can be one native call."""
        return not self.waits and bool(getattr(self.run, "runs_epochs", False))

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
        from chainrule.compiler.native import NativeProgram
        from chainrule.compiler.report import report

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

    def __init__(self, fn: Callable[..., Any], backend: Backend = "native") -> None:
        if backend not in ("interpret", "native"):
            raise SettingError("no such back end", expected="interpret or native", got=backend)
        self.fn, self.backend = fn, backend
        self.variants: dict[Any, list[Variant]] = {}
        self.expected: dict[Any, int | None] = {}
        self.latest: dict[Any, Variant] = {}  # by shapes and dtypes, for calls on tensors alone
        functools.update_wrapper(self, fn, updated=())

    def __get__(self, owner: Any, kind: type | None = None) -> Any:
        return self if owner is None else MethodType(self, owner)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if RECORDER.get() is not None:  # inside another step: part of that one
            return self.fn(*args, **kwargs)
        leaves: list[Raw] | None = None if kwargs else raws(args)
        if leaves is None:
            leaves = []
            key = flatten((args, kwargs), leaves), TRACKING.get()
            variant = self._variant(key, args, kwargs)
        else:
            variant = self._latest(leaves, args)
        return unflatten(variant.returns, variant(leaves))

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
        rest see `chainrule.compiler.epoch.run_epoch`. Natively many steps are one call.

        >>> import chainrule as cr
        >>> import numpy as np
        >>> step = cr.compile(lambda x: x.sum())
        >>> step.epoch([np.arange(6.0)], batch_size=2)
        array([1., 5., 9.])
        """
        from chainrule.compiler.epoch import run_epoch  # with `data`, which loads pydantic

        given = [x.numpy() if isinstance(x, Tensor) else np.asarray(x) for x in arrays]
        rows = np.arange(len(given[0])) if order is None else np.asarray(order, np.int64)
        return run_epoch(self, given, rows, batch_size, schedule, after_step)

    def expect(self, runs: int | None, *args: Any, **kwargs: Any) -> None:
        """Say how often it will run for such arguments, before the first time.

        A native step makes no machine code for those where it does not pay. `runs` None: nobody
        knows, so it is made once as much time was spent interpreting as it takes.
        """
        self.expected[flatten((args, kwargs), []), TRACKING.get()] = runs

    def announced(self, *args: Any, **kwargs: Any) -> bool:
        """Whether `expect` said how often it will run for such arguments."""
        return (flatten((args, kwargs), []), TRACKING.get()) in self.expected

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
        found: list[Shape] = []

        def step(*values: Tensor) -> list[Raw]:
            leaves: list[Raw] = []
            new_args, new_kwargs = with_symbols((args, kwargs), iter(values))
            found.append(flatten(self.fn(*new_args, **new_kwargs), leaves, results=True))
            return leaves

        guards = guards_of(self.fn, (args, kwargs))
        before = _random_state()
        program, recorder = record(step, specs(key[0]))
        if before != _random_state():
            warnings.warn(
                "the step draws from np.random: its numbers are fixed by recording them; "
                f"use chainrule's own random functions ({user_line()})",
                stacklevel=4,
            )
        everything = [*guards, *recorder.guards]
        backend, waits = self._backend(key, program)
        return Variant(program.verify(), everything, found[0], backend, waits)

    def _backend(self, key: Any, program: Program) -> tuple[Backend, int]:
        """How a new recording runs, and how many runs it waits for machine code."""
        if self.backend == "interpret" or key not in self.expected:
            return self.backend, 0
        runs, enough = self.expected[key], breakeven(program)
        if runs is None:
            return "native", enough
        return ("native" if runs >= enough else "interpret"), 0

    def __repr__(self) -> str:
        name = getattr(self.fn, "__name__", type(self.fn).__name__)
        return f"<compiled step {name}: {len(self.programs)} recorded>"


def compile(fn: Callable[..., Any], backend: Backend = "native") -> CompiledStep:
    """Make a step function run as a recorded Program: `@cr.compile` above it, or a call.

    Its tensors may be arguments, in nested tuples, lists and dicts too; modules, optimizers and
    cells are read by reference. Python numbers are constants of the recording; it is recorded again
    when they change. Reading a tensor's value inside (`item()`, `if tensor:`) is a RecordingError.
    `backend`: "native" runs the program as machine code, which takes some tenths of a second to
    make and is kept on disk; "interpret" with NumPy, bit for bit as if it were not compiled.

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


def _random_state() -> str:
    """Where NumPy's global random numbers stand."""
    return repr(np.random.get_state(legacy=True))  # noqa: NPY002 - to notice its use
