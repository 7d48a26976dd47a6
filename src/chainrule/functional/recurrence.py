"""A function repeated along a sequence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chainrule.core.value import Value
from chainrule.errors import SettingError, ShapeError
from chainrule.functional.common import spec_text
from chainrule.ops.scan import record_body, repeat
from chainrule.tensors import as_tensor


def scan(
    fn: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any,
    length: int | None = None,
    reverse: bool = False,
) -> tuple[Any, Any]:
    """carry, y = fn(carry, x) for every x along the first axis; gives the last carry and all ys.

    `init`: the first carry; `xs`: what is walked along; each a tensor, None, or a tuple of those;
    with `xs` None say `length`. fn gives back a carry of the same shapes and dtypes, and the y of
    this step (or None); the ys are stacked in the order of xs, also when `reverse` starts at the
    end. fn is written down once, whatever the length, so its code runs once and may only compute:
    numbers drawn or cells assigned inside are an error. Parameters used inside get their gradients.
    The same as JAX's `lax.scan`. Raises ShapeError when the carry changes its shape or dtype.

    >>> import chainrule as cr
    >>> def add_up(total, x):
    ...     return total + x, total + x
    >>> total, sums = scan(add_up, cr.tensor(0.0), cr.tensor([1.0, 2.0, 4.0]))
    >>> total.item(), sums.tolist()
    (7.0, [1.0, 3.0, 7.0])
    """
    carries, sequences = _leaves(init), _leaves(xs)
    given: Any = None  # what fn gave back: its tree of outputs, known once it has been recorded

    def flat(*values: Value) -> tuple[Value, ...]:
        nonlocal given
        carry, given = fn(
            _tree(init, list(values[: len(carries)])), _tree(xs, list(values[len(carries) :]))
        )
        _check_carry(init, carry)
        return (*_leaves(carry), *_leaves(given))

    body, shared = record_body(flat, carries, sequences)
    found = list(repeat(body, carries, sequences, shared, _length(sequences, length), reverse))
    return _tree(init, found[: len(carries)]), _tree(given, found[len(carries) :])


def _length(sequences: list[Any], length: int | None) -> int:
    for x in sequences:
        if not x.ndim:
            raise ShapeError("scan walks along the first axis of xs", got="a tensor without axes")
        length = x.shape[0] if length is None else length
        if x.shape[0] != length:
            raise ShapeError(
                "scan walks along sequences of one length",
                expected=f"{length} steps",
                got=", ".join(str(spec_text(one)) for one in sequences),
            )
    if length is None:
        raise SettingError("scan over nothing needs a number of steps", hint="say length=")
    return length


def _leaves(tree: Any) -> list[Any]:
    """The tensors of a tree of tuples, in order."""
    if tree is None:
        return []
    if isinstance(tree, tuple):
        return [leaf for branch in tree for leaf in _leaves(branch)]
    return [as_tensor(tree)]


def _tree(like: Any, leaves: list[Any]) -> Any:
    """The tensors, taken from the front of `leaves`, in the form of the tree `like`."""
    if like is None:
        return None
    if isinstance(like, tuple):
        return tuple([_tree(branch, leaves) for branch in like])
    return leaves.pop(0)


def _form(tree: Any) -> str:
    if isinstance(tree, tuple):
        return f"({', '.join(map(_form, tree))})"
    return "None" if tree is None else "tensor"


def _check_carry(init: Any, carry: Any) -> None:
    """Here and not in the op alone: of a single step, eager would not notice."""
    if _form(init) != _form(carry):
        raise ShapeError(
            "scan: fn gives back its carry in the form it came in",
            expected=_form(init),
            got=_form(carry),
        )
    entered, left = ([spec_text(leaf) for leaf in _leaves(tree)] for tree in (init, carry))
    if entered != left:
        raise ShapeError(
            "scan: fn gives back its carry in the same shapes and dtypes",
            expected=", ".join(map(str, entered)),
            got=", ".join(map(str, left)),
        )
