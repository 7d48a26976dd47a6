"""A graph of ONNX, node by node, and a Program written as one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.core.op import Pointwise
from chainrule.core.program import Instruction, Program
from chainrule.core.value import Symbol
from chainrule.data.sources.reading import installed
from chainrule.errors import ProgramError
from chainrule.model.forward import ANY_ROWS
from chainrule.spec import Spec, spec_of

OPSET, OPSET_ML = 20, 3
"""The versions of the standard's operators that graphs are written in."""

ML = "ai.onnx.ml"


class Graph:
    """Nodes and their constants; calling it adds a node and gives the name of its output.

    `rows` names a value with the number of rows, int64 [1], where a shape holds `ANY_ROWS`. A body
    inside another graph (`outer`) sees the values of that one, and keeps its constants there.
    """

    def __init__(self, outer: Graph | None = None) -> None:
        with installed("onnx", "a graph of ONNX"):
            import onnx.helper
            import onnx.numpy_helper
        self.helper: Any = onnx.helper
        self.pack: Any = onnx.numpy_helper.from_array
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {} if outer is None else outer.constants
        self.specs: dict[str, Spec] = {}
        self.rows: str = "" if outer is None else outer.rows
        self._known: dict[Any, str] = {} if outer is None else outer._known
        self._prefix: str = "" if outer is None else f"{outer._prefix}{len(outer.nodes)}_"

    def __call__(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add a node; gives the name of its output."""
        (output,) = self.several(1, operator, *inputs, domain=domain, **attributes)
        return output

    def several(
        self, count: int, operator: str, *inputs: str, domain: str = "", **attributes: Any
    ) -> tuple[str, ...]:
        """Add a node of `count` outputs; gives their names."""
        name = f"{self._prefix}{operator}_{len(self.nodes)}"
        names = (name, *(f"{name}_{place}" for place in range(1, count)))
        plain = {k: list(v) if isinstance(v, tuple) else v for k, v in attributes.items()}
        self.nodes.append(
            self.helper.make_node(operator, inputs, names, name, domain=domain, **plain)
        )
        return names

    def body(self, program: Program, shared: Sequence[str]) -> Any:
        """A program as a graph inside the next node; its last arguments are values out here."""
        inner = Graph(self)
        own = program.args[: len(program.args) - len(shared)]
        names = [f"{inner._prefix}x{place}" for place in range(len(own))]
        found = write_program(program, inner, [*names, *shared])
        given = [inner("Identity", name) for name in found]  # each output is a value of its own
        return self.helper.make_graph(
            inner.nodes,
            f"{inner._prefix}body",
            list(map(inner.value, names, own)),
            list(map(inner.value, given, program.returns)),
        )

    def value(self, name: str, like: Any) -> Any:
        """A value of this name, and of the dtype and shape of `like`, as a graph describes it."""
        sizes = [None if _follows_rows(n) else n for n in like.shape]
        if like.shape[:1] == (ANY_ROWS,):
            sizes[0] = "rows"
        return self.helper.make_tensor_value_info(name, self.kind(like.dtype), sizes)

    def constant(self, value: Any, name: str = "") -> str:
        """The name of an array that is part of the graph; equal ones are there once."""
        array = np.asarray(value)
        key = name or (array.dtype.str, array.shape, array.tobytes(), str(array.dtype))
        if key not in self._known:
            name = name or f"constant_{len(self.constants)}"
            self.constants[name] = self.pack(np.ascontiguousarray(array).reshape(array.shape), name)
            self._known[key] = name
        return self._known[key]

    def texts(self, values: Sequence[str]) -> str:
        """The name of an array of texts."""
        name = f"constant_{len(self.constants)}"
        encoded = [value.encode() for value in values]
        kind = self.kind("object")
        self.constants[name] = self.helper.make_tensor(name, kind, [len(encoded)], encoded)
        return name

    def integers(self, values: Iterable[int]) -> str:
        """The name of an int64 [n] constant."""
        return self.constant(np.array([int(value) for value in values], dtype=np.int64))

    def like(self, value: str, number: float) -> str:
        """A number in the dtype of a value of a Program."""
        return self.constant(np.array(number, self.specs[value].dtype))

    def kind(self, dtype: Any) -> int:
        """ONNX's number for a dtype; object is text."""
        return int(self.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def number(self, value: Any, dtype: Any) -> str:
        """The name of a number; an integer that is a multiple of `ANY_ROWS` follows the rows."""
        if not _follows_rows(value):
            return self.constant(np.array(value, dtype))
        number = self("Reshape", self._size(value), self.integers([]))
        return self("Cast", number, to=self.kind(np.int64 if dtype is None else dtype))

    def counted(self, size: int, dtype: Any) -> str:
        """The name of 0, 1, 2, ..., as many as `size` says, which may follow the number of rows."""
        start, end, step = (self.number(n, np.int64) for n in (0, size, 1))
        return self("Cast", self("Range", start, end, step), to=self.kind(dtype))

    def shape(self, sizes: Sequence[int]) -> str:
        """The name of an int64 [n] value; multiples of `ANY_ROWS` follow the number of rows."""
        if not any(map(_follows_rows, sizes)):
            return self.integers(sizes)
        pieces = [self._size(int(size)) for size in sizes]
        return pieces[0] if len(pieces) == 1 else self("Concat", *pieces, axis=0)

    def _size(self, size: int) -> str:
        if not _follows_rows(size):
            return self.integers([size])
        times = size // ANY_ROWS
        return self.rows if times == 1 else self("Mul", self.rows, self.integers([times]))


def _follows_rows(value: Any) -> bool:
    """Whether a number stands for a multiple of the number of rows."""
    return isinstance(value, int | np.integer) and bool(value) and not value % ANY_ROWS


def write_program(program: Program, to: Graph, args: Sequence[str]) -> list[str]:
    """Add a forward program to a graph; gives the names of what it returns.

    The weights are constants under their own names. ProgramError for an op without a form in ONNX.
    """
    names: dict[Symbol, str] = dict(zip(program.args, args, strict=True))
    for name, symbol in program.reads.items():
        names[symbol] = to.constant(program.cells[name].held(), name)
    for symbol, raw in [*program.captured.items(), *program.constants.items()]:
        names[symbol] = to.constant(raw)
    free = _needless(program)
    for made in program.instructions:
        for symbol in (s for s in made.inputs if isinstance(s, Symbol)):
            to.specs.setdefault(names[symbol], Spec(symbol.shape, symbol.dtype))
        written = names[made.inputs[0]] if made in free else _node(made, names, to)
        several = written if isinstance(written, tuple) else (written,)
        names |= zip(made.outputs, several, strict=True)
    return [names[symbol] for symbol in program.returns]


def _node(made: Instruction, names: dict[Symbol, str], to: Graph) -> str | tuple[str, ...]:
    """Write one instruction; gives the name of its output, or of each."""
    form = made.op.onnx
    if form is None:
        raise ProgramError(f"the standard of ONNX has no form for the op {made.op.name}")
    dtypes: Any = (None,) * len(made.inputs)
    if made.op.dtypes is not None:
        dtypes = made.op.dtypes(*map(spec_of, made.inputs))
    inputs = [
        names[given] if isinstance(given, Symbol) else to.number(given, dtype)
        for given, dtype in zip(made.inputs, dtypes, strict=True)
    ]
    if isinstance(form, str):
        return to(form, *inputs)
    written: str | tuple[str, ...] = form(to, *inputs, **made.settings)
    return written


def _needless(program: Program) -> set[Instruction]:
    """The repetitions that ONNX's element-by-element operators do on their own."""
    users: dict[Symbol, list[Instruction]] = {}
    for made in program.instructions:
        for symbol in made.inputs:
            if isinstance(symbol, Symbol):
                users.setdefault(symbol, []).append(made)
    returned = set(program.results())

    def whole(user: Instruction) -> bool:
        """Whether one of its inputs has the output's shape without being repeated."""
        symbols = (s for s in user.inputs if isinstance(s, Symbol))
        return isinstance(user.op.lower, Pointwise) and any(not _repeats(s.made) for s in symbols)

    return {
        made
        for made in program.instructions
        if _repeats(made)
        and made.outputs[0] not in returned
        and all(map(whole, users.get(made.outputs[0], [])))
    }


def _repeats(made: Any) -> bool:
    return made is not None and made.op.name == "broadcast_to"


def array_of(texts: Sequence[str]) -> NDArray[Any]:
    """Texts as onnxruntime takes them, object [n, 1]."""
    array = np.empty((len(texts), 1), dtype=object)
    array[:, 0] = texts
    return array
