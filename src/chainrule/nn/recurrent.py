"""Recurrent layers: one cell walks along a sequence and carries what it has seen."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

from numpy.typing import DTypeLike

from chainrule.errors import SettingError, ShapeError
from chainrule.functional.dropout import dropout
from chainrule.functional.linear import linear
from chainrule.functional.recurrence import scan
from chainrule.functional.sequences import sequence_mask
from chainrule.functions import cat, stack
from chainrule.nn import init
from chainrule.nn.module import Module
from chainrule.ops.create import full
from chainrule.ops.pointwise import relu, sigmoid, tanh, where
from chainrule.spec import Spec
from chainrule.tensors import Parameter, Tensor, as_tensor

State = tuple[Tensor, ...]


class _Recurrent(Module):
    """Layers of cells, one upon the other, each in one direction or in both.

    A kind of cell says how many `gates` it has, how many tensors it carries, what of the biases
    can be added before the walk, and its `step`.
    """

    gates: ClassVar[int]
    carries: ClassVar[int] = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        dtype: DTypeLike | None = None,
    ) -> None:
        if min(input_size, hidden_size, num_layers) < 1:
            raise SettingError(
                "a recurrent layer has sizes of at least 1",
                got=f"input_size {input_size}, hidden_size {hidden_size}, num_layers {num_layers}",
            )
        if not 0.0 <= dropout <= 1.0:
            raise SettingError("dropout's p is a probability", expected="0 to 1", got=dropout)
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bias, self.batch_first = bias, batch_first
        self.dropout, self.bidirectional = float(dropout), bidirectional
        rows, directions = self.gates * hidden_size, 1 + bidirectional
        for layer in range(num_layers):
            width = hidden_size * directions if layer else input_size
            for suffix in self._suffixes(layer):
                shapes: dict[str, tuple[int, ...]] = {
                    "weight_ih": (rows, width),
                    "weight_hh": (rows, hidden_size),
                }
                shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)} if bias else {}
                for name, shape in shapes.items():
                    setattr(self, name + suffix, init.empty_parameter(*shape, dtype=dtype))
        self.reset_parameters()

    def _suffixes(self, layer: int) -> list[str]:
        """The ends of the parameters' names, per direction."""
        return [f"_l{layer}{end}" for end in ("", "_reverse")[: 1 + self.bidirectional]]

    def reset_parameters(self) -> None:
        """Draw all weights and biases anew, uniform in ±1/√hidden_size."""
        bound = 1.0 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def _weights(self, suffix: str) -> list[Parameter | None]:
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        return [getattr(self, name + suffix, None) for name in names]

    # -- a kind of cell

    def _enter(self, x: Tensor, w: Tensor, b_in: Tensor | None, b_hidden: Tensor | None) -> Tensor:
        """What of the gates does not depend on the state: for all steps in one product."""
        return linear(x, w, b_in if b_in is None or b_hidden is None else b_in + b_hidden)

    def _step(self, state: State, entered: Tensor, w: Tensor, b: Tensor | None) -> State:
        raise NotImplementedError

    # -- the walk

    def _run(self, input: Tensor, first: State | None, lengths: Tensor | None) -> tuple[Any, State]:
        """The outputs in the input's layout, and the last state, [layers · directions, ...]."""
        self._check_input(input)
        batched = input.ndim == 3
        x = input if batched else input.unsqueeze(1)
        if batched and self.batch_first:
            x = x.transpose(0, 1)
        states = self._first_states(x, first, batched)
        mask = self._mask(x, lengths)
        lasts: list[State] = []
        for layer in range(self.num_layers):
            if layer and self.dropout:
                x = dropout(x, self.dropout, self.training)
            found = []
            for reverse, suffix in enumerate(self._suffixes(layer)):
                state = tuple(part[len(lasts)] for part in states)
                last, out = self._along(x, state, mask, suffix, bool(reverse))
                lasts.append(last)
                found.append(out)
            x = found[0] if len(found) == 1 else cat(found, axis=2)
        final = tuple(stack([last[i] for last in lasts]) for i in range(self.carries))
        if not batched:
            return x.squeeze(1), tuple(part.squeeze(1) for part in final)
        return (x.transpose(0, 1) if self.batch_first else x), final

    def _along(
        self, x: Tensor, state: State, mask: Tensor | None, suffix: str, reverse: bool
    ) -> tuple[State, Tensor]:
        w_in, w_hidden, b_in, b_hidden = self._weights(suffix)
        entered = self._enter(x, w_in, b_in, b_hidden)  # type: ignore[arg-type]

        def step(state: State, xs: Any) -> tuple[State, Tensor]:
            if mask is None:
                new = self._step(state, xs, w_hidden, b_hidden)  # type: ignore[arg-type]
                return new, new[0]
            entered, real = xs
            new = self._step(state, entered, w_hidden, b_hidden)  # type: ignore[arg-type]
            kept = tuple(as_tensor(where(real, n, s)) for n, s in zip(new, state, strict=True))
            return kept, as_tensor(where(real, new[0], 0.0))

        return scan(step, state, entered if mask is None else (entered, mask), reverse=reverse)

    # -- what comes in

    def _check_input(self, input: Tensor) -> None:
        if input.ndim not in (2, 3) or input.shape[-1] != self.input_size:
            lead = "batch, time" if self.batch_first else "time, batch"
            raise ShapeError(
                "the last axis of the input is not input_size, or there are too few or many axes",
                expected=f"[{lead}, {self.input_size}], or [time, {self.input_size}] of one",
                got=Spec(input.shape, input.dtype),
                hint="unsqueeze(-1) makes single numbers steps of size 1"
                if self.input_size == 1
                else "input_size is the width of every step",
            )

    def _first_states(self, x: Tensor, first: State | None, batched: bool) -> State:
        count = self.num_layers * (1 + self.bidirectional)
        shape = (count, x.shape[1], self.hidden_size)
        if first is None:
            zeros = as_tensor(full(shape=shape, value=0.0, dtype=x.dtype.name))
            return (zeros,) * self.carries
        wanted = shape if batched else (count, self.hidden_size)
        for part in first:
            if part.shape != wanted:
                raise ShapeError(
                    "the first state has a row per layer and direction",
                    expected=f"[{', '.join(map(str, wanted))}]",
                    got=Spec(part.shape, part.dtype),
                    hint="leave it out to start from zeros",
                )
        return first if batched else tuple(part.unsqueeze(1) for part in first)

    def _mask(self, x: Tensor, lengths: Tensor | None) -> Tensor | None:
        """Bool [time, batch, 1], true before each length."""
        if lengths is None:
            return None
        if lengths.shape != x.shape[1:2]:
            raise ShapeError(
                "a length for each sequence of the batch",
                expected=f"integers [{x.shape[1]}]",
                got=Spec(lengths.shape, lengths.dtype),
                hint="batch_first=True if the batch is the input's first axis",
            )
        return sequence_mask(lengths, x.shape[0]).T.unsqueeze(2)

    def extra_repr(self) -> str:
        words = [f"{self.input_size}, {self.hidden_size}"]
        words += [f"num_layers={self.num_layers}"] if self.num_layers != 1 else []
        usual = {"bias": True, "batch_first": False, "dropout": 0.0, "bidirectional": False}
        words += [f"{k}={getattr(self, k)}" for k, v in usual.items() if getattr(self, k) != v]
        return ", ".join(words)


class RNN(_Recurrent):
    """h = tanh(W_ih x + b_ih + W_hh h + b_hh) along a sequence (or relu, by `nonlinearity`).

    input: [time, batch, input_size], with `batch_first` [batch, time, input_size], or [time,
    input_size] of one sequence; `hx`: the first h, [num_layers · directions, batch, hidden_size],
    zeros if None. Gives (output, h): every step's h of the last layer, [time, batch, directions ·
    hidden_size], both directions side by side, and the last h of every layer. `lengths`: integers
    [batch], how many steps are real: the state stands still after them, the way back starts there,
    and the output is 0, as for PyTorch's packed sequences. `dropout`: between layers. Parameters
    weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0 and so on. Raises ShapeError when sizes do
    not fit and SettingError for an unknown nonlinearity. Source: J. Elman, "Finding structure in
    time", 1990.

    >>> import chainrule as cr
    >>> output, h = RNN(3, 4, batch_first=True)(cr.zeros(2, 5, 3))
    >>> output.shape, h.shape
    ((2, 5, 4), (1, 2, 4))
    """

    gates = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        dtype: DTypeLike | None = None,
    ) -> None:
        if nonlinearity not in _BENDS:
            raise SettingError(
                "an RNN bends by tanh or relu", expected=" or ".join(_BENDS), got=repr(nonlinearity)
            )
        self.nonlinearity = nonlinearity
        settings = (num_layers, bias, batch_first, dropout, bidirectional)
        super().__init__(input_size, hidden_size, *settings, dtype=dtype)

    def forward(
        self, input: Tensor, hx: Tensor | None = None, *, lengths: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        output, (h,) = self._run(input, None if hx is None else (hx,), lengths)
        return output, h

    def _step(self, state: State, entered: Tensor, w: Tensor, b: Tensor | None) -> State:
        return (_BENDS[self.nonlinearity](entered + linear(state[0], w)),)


_BENDS: dict[str, Callable[[Any], Any]] = {"tanh": tanh, "relu": relu}


class LSTM(_Recurrent):
    """Long short-term memory: c = f · c + i · g and h = o · tanh(c) along a sequence.

    i, f, o = sigmoid and g = tanh of W_ih x + b_ih + W_hh h + b_hh, the four parts of its rows in
    the order i, f, g, o. input, lengths, dropout and parameters as in `RNN`; `hx`: (h, c), zeros if
    None. Gives (output, (h, c)). Source: S. Hochreiter and J. Schmidhuber, "Long short-term
    memory", 1997; the forget gate: F. Gers et al., 2000.

    >>> import chainrule as cr
    >>> output, (h, c) = LSTM(3, 4, num_layers=2)(cr.zeros(5, 2, 3))
    >>> output.shape, c.shape
    ((5, 2, 4), (2, 2, 4))
    """

    gates = 4
    carries = 2

    def forward(
        self,
        input: Tensor,
        hx: tuple[Tensor, Tensor] | None = None,
        *,
        lengths: Tensor | None = None,
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        output, (h, c) = self._run(input, hx, lengths)
        return output, (h, c)

    def _step(self, state: State, entered: Tensor, w: Tensor, b: Tensor | None) -> State:
        hidden, memory = state
        enter, keep, candidate, leave = _parts(entered + linear(hidden, w), 4)
        memory = sigmoid(keep) * memory + sigmoid(enter) * tanh(candidate)
        return sigmoid(leave) * tanh(memory), memory


class GRU(_Recurrent):
    """Gated recurrent unit: h = (1 - z) · n + z · h along a sequence.

    r, z = sigmoid of W_ih x + b_ih + W_hh h + b_hh and n = tanh(W_in x + b_in + r · (W_hn h +
    b_hn)), the parts of its rows in the order r, z, n. Everything else as in `RNN`. Source: K. Cho
    et al., "Learning phrase representations using RNN encoder-decoder", 2014.

    >>> import chainrule as cr
    >>> output, h = GRU(3, 4, bidirectional=True)(cr.zeros(5, 2, 3))
    >>> output.shape, h.shape
    ((5, 2, 8), (2, 2, 4))
    """

    gates = 3

    def forward(
        self, input: Tensor, hx: Tensor | None = None, *, lengths: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        output, (h,) = self._run(input, None if hx is None else (hx,), lengths)
        return output, h

    def _enter(self, x: Tensor, w: Tensor, b_in: Tensor | None, b_hidden: Tensor | None) -> Tensor:
        return linear(x, w, b_in)  # r multiplies the state's own bias, so it stays with the state

    def _step(self, state: State, entered: Tensor, w: Tensor, b: Tensor | None) -> State:
        reset, update, new = _parts(entered, 3)
        own_reset, own_update, own_new = _parts(linear(state[0], w, b), 3)
        update = sigmoid(update + own_update)
        new = tanh(new + sigmoid(reset + own_reset) * own_new)
        return (new + update * (state[0] - new),)


def _parts(x: Tensor, count: int) -> list[Tensor]:
    """The columns in equal parts."""
    width = x.shape[1] // count
    return [x[:, at * width : (at + 1) * width] for at in range(count)]
