"""The base of optimizers: groups, state, and a step of ordinary ops, so that it is recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, ClassVar

import numpy as np

from chainrule.core.record import mark
from chainrule.core.state import RECORDER
from chainrule.core.value import Raw
from chainrule.errors import SettingError, ShapeError
from chainrule.ops import pointwise as p
from chainrule.optim.count import StepCounts
from chainrule.optim.group import NOTES, Limit, ParameterGroup, unknown
from chainrule.spec import F64, DType, Spec
from chainrule.tensors import Cell, Tensor

Pairs = list[tuple[Cell, Raw]]
"""Parameters with their gradients."""

Narrow = Callable[[Raw], Raw]
"""Takes a number from float64 to the dtype of the parameters."""


class Optimizer:
    """The base of every optimizer, as PyTorch's `optim.Optimizer`.

    `params`: cells; or pairs (name, cell); or dictionaries, one per group, with the cells under
    "params" and numbers of the group's own. `defaults`: what groups do not state themselves.
    A subclass says the ranges of its numbers in `limits` and writes `update`.
    Raises SettingError for no parameters, for what is no cell, for a cell given twice, and for a
    number out of its range.

    Every number is a float64 cell, `state[cell]` holds cells as well: a recorded step reads all of
    them by reference, and the update is part of its Program.
    """

    limits: ClassVar[Mapping[str, Limit]] = {"lr": Limit()}

    def __init__(self, params: Iterable[Any], defaults: Mapping[str, Any]) -> None:
        self.defaults = dict(defaults)
        self.param_groups: list[ParameterGroup] = []
        self.state: dict[Cell, dict[str, Cell]] = {}
        self._counts = StepCounts(self.state)
        self._version = 0  # of groups and state: a recorded step relies on them
        given = _listed(params)
        for group in given if isinstance(given[0], Mapping) else [{"params": given}]:
            self.add_param_group(group)

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """Train more cells: `group["params"]`, with the group's own numbers beside them."""
        if not isinstance(group, Mapping) or "params" not in group:
            raise SettingError(
                "not a parameter group", expected="a dictionary with 'params'", got=repr(group)
            )
        given = group["params"]
        cells = [_cell(one) for one in ([given] if isinstance(given, Cell) else _listed(given))]
        for at, cell in enumerate(cells):
            if cell in self.state or id(cell) in map(id, cells[:at]):
                raise SettingError(
                    "a parameter was given to the optimizer twice",
                    expected="every parameter once, in one group",
                    got=f"{cell.name or 'a parameter'}: {_spec(cell.held())} again",
                )
        own = {name: value for name, value in group.items() if name != "params"}
        known = [*self.defaults, *NOTES]
        for name in own:
            if name not in known:
                raise unknown(name, known)
        label = f" of group {len(self.param_groups)}" if self.param_groups else ""
        values = {**self.defaults, **own}
        self.param_groups.append(ParameterGroup(cells, values, self.limits, label))
        self.state.update({cell: {} for cell in cells})
        self._version += 1

    # -- a step

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients gathered in the parameters, or make them zeros."""
        for cell in self.state:
            if set_to_none:
                cell.grad = None
            elif (gradient := cell.grad) is not None:
                gradient.zero_()

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient; gives what `closure`, called first, gives."""
        loss = None if closure is None else closure()
        recorder = RECORDER.get()
        if recorder is not None:
            self._name_state()
            recorder.guards.append((self.fingerprint, self.fingerprint()))
        with mark(phase="update"):
            found = [(group, _with_gradients(group)) for group in self.param_groups]
            if self.counts_steps():
                self._counts.advance([cell for _, pairs in found for cell, _ in pairs])
            for group, pairs in found:
                for (dtype, _), alike in self._batches(pairs).items():
                    self.update(group, alike, _narrowing(dtype))
        return loss

    def update(self, group: ParameterGroup, pairs: Pairs, narrow: Narrow) -> None:
        """Assign new values to parameters of one dtype that were stepped equally often.

        Works on raws: `group.raw(name)` is a number, `narrow` casts what was computed of numbers.
        """
        raise NotImplementedError(f"{type(self).__name__} needs an update method")

    def fingerprint(self) -> tuple[Any, ...]:
        """What a recorded step relies on. Its cells are guarded when they are read."""
        groups = [group.fingerprint() for group in self.param_groups]
        return (self._version, self._counts.splits, *groups)

    def _name_state(self) -> None:
        """Parameters are named when a model is recorded: only now are the names worth having."""
        for parameter, cells in self.state.items():
            for name, cell in cells.items():
                cell.name = _named(name, parameter)

    def _batches(self, pairs: Pairs) -> dict[Any, Pairs]:
        """The parameters, those together that every number is the same for."""
        batches: dict[Any, Pairs] = {}
        for pair in pairs:
            clock = self.state[pair[0]].get("step")
            batches.setdefault((pair[1].dtype, id(clock)), []).append(pair)
        return batches

    # -- what updates are made of

    def counts_steps(self) -> bool:
        """Whether `update` asks for `steps`."""
        return False

    def steps(self, pairs: Pairs) -> Raw:
        """How often these parameters were stepped, this time included; float64."""
        return self.state[pairs[0][0]]["step"].array

    def gradient(self, group: ParameterGroup, cell: Cell, g: Raw, decay: Raw | None = None) -> Raw:
        """The gradient to go against: turned round to maximize, and `decay` times the parameter."""
        if group.settings["maximize"]:
            g = p.neg(g)
        return g if decay is None else p.add(g, p.mul(cell.array, decay))

    def moment(self, parameter: Cell, name: str, value: float = 0.0) -> Cell:
        """The cell `name` in the parameter's state, made of `value` when it is first asked for."""
        cells = self.state[parameter]
        if name not in cells:
            like = parameter.held()
            array = np.full(like.shape, value, like.dtype)
            cells[name] = Cell(array, _named(name, parameter))
        return cells[name]

    # -- state

    def state_dict(self) -> dict[str, Any]:
        """All that an interrupted training needs to go on bit for bit, in PyTorch's layout.

        "state": per parameter, by its position, its moments as tensors; "param_groups": per group
        its numbers and settings, and the positions of its parameters.
        """
        place = {id(cell): at for at, cell in enumerate(self.state)}
        state = {
            at: {name: Tensor(np.array(cell.held())) for name, cell in cells.items()}
            for at, cells in enumerate(self.state.values())
            if cells
        }
        groups = [
            {**group, "params": [place[id(cell)] for cell in group.params]}
            for group in self.param_groups
        ]
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where `state_dict` was taken, of an optimizer with the same parameters.

        Raises SettingError for other groups and ShapeError for moments of another shape; then
        nothing is changed.
        """
        groups, moments = state["param_groups"], state["state"]
        wanted = [len(group.params) for group in self.param_groups]
        given = [len(group["params"]) for group in groups]
        if wanted != given:
            raise SettingError(
                "the state is of an optimizer with other parameters",
                expected=f"groups of {wanted} parameters",
                got=f"groups of {given}",
            )
        places = [int(at) for group in groups for at in group["params"]]
        clocks: dict[float, Cell] = {}
        loaded = {
            cell: self._loaded(cell, moments.get(at, moments.get(str(at), {})), clocks)
            for at, cell in zip(places, self.state, strict=True)
        }
        for mine, saved in zip(self.param_groups, groups, strict=True):
            for name, value in saved.items():
                if name in NOTES or (name in mine and name != "params"):
                    mine[name] = value
        self.state, self._counts = loaded, StepCounts(loaded)
        self._version += 1

    def _loaded(
        self, parameter: Cell, saved: Mapping[str, Any], clocks: dict[float, Cell]
    ) -> dict[str, Cell]:
        """A parameter's state in cells; those with equal counts share `clocks` again."""
        cells: dict[str, Cell] = {}
        like = parameter.held()
        for name, value in saved.items():
            if name == "step":
                count = float(value)
                cells[name] = clocks.setdefault(count, Cell(np.array(count, F64), name))
                continue
            array = np.asarray(value).astype(like.dtype)
            if array.shape != like.shape:
                raise ShapeError(
                    f"{_named(name, parameter)} has another shape in the loaded state",
                    expected=_spec(like),
                    got=_spec(array),
                )
            cells[name] = Cell(array, _named(name, parameter))
        return cells

    def __repr__(self) -> str:
        groups = [f"Parameter Group {at}\n{group}" for at, group in enumerate(self.param_groups)]
        return "\n".join([f"{type(self).__name__} (", *groups, ")"])


def _with_gradients(group: ParameterGroup) -> Pairs:
    return [(cell, g) for cell in group.params if (g := cell.grad_cell.array) is not None]


@cache
def _narrowing(dtype: DType) -> Narrow:
    if dtype == F64:
        return lambda raw: raw
    name = dtype.name
    return lambda raw: p.cast(raw, dtype=name)


def _listed(params: Iterable[Any]) -> list[Any]:
    """The parameters, or groups, as a list that is not empty."""
    if isinstance(params, Tensor | Mapping):
        raise SettingError(
            "an optimizer takes a list",
            expected="parameters, pairs (name, parameter), or groups",
            got=f"one {type(params).__name__}",
        )
    listed = list(params)
    if not listed:
        raise SettingError(
            "an optimizer got an empty list of parameters",
            expected="at least one parameter",
            hint="model.parameters(); a generator can be walked only once",
        )
    return listed


def _cell(given: Any) -> Cell:
    """The cell, named if it came with a name."""
    name, cell = given if isinstance(given, tuple) and len(given) == 2 else (None, given)
    if not isinstance(cell, Cell):
        what = _spec(cell.array) if isinstance(cell, Tensor) else type(cell).__name__
        raise SettingError(
            "an optimizer changes parameters in place, which only cells allow",
            expected="cr.Parameter(data) or cr.tensor(data, requires_grad=True)",
            got=f"a computed tensor, {what}" if isinstance(cell, Tensor) else what,
        )
    if name is not None:
        cell.name = name
    return cell


def _named(name: str, parameter: Cell) -> str:
    """What a cell of a parameter's state is called; a count is shared by many parameters."""
    return name if name == "step" else f"{name} of {parameter.name or 'a parameter'}"


def _spec(array: Any) -> Spec:
    return Spec(tuple(array.shape), array.dtype)
