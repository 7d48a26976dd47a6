"""What an estimator is given, arrays or data frames, as a table and an array of answers."""

from __future__ import annotations

from typing import Any

import narwhals as nw
from numpy.typing import NDArray
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import _check_y, _num_samples, validate_data

from chainrule.data import Table, read_table


def rows_of(estimator: Any, X: Any) -> Table:
    """The rows of X, which must have the features of the fit; ValueError in scikit-learn's words.

    The columns of arrays are called x0, x1, ...
    """
    if nw.dependencies.is_into_dataframe(X):
        validate_data(estimator, X, reset=False, skip_check_array=True)
        return _frame(estimator, X)
    return _array(
        validate_data(estimator, X, reset=False, dtype=None, ensure_all_finite="allow-nan")
    )


def pairs_of(
    estimator: Any, X: Any, y: Any, *, reset: bool, y_numeric: bool
) -> tuple[Table, NDArray[Any]]:
    """Rows and their answers, [n] or [n, outputs], checked as scikit-learn does.

    With `reset` the estimator notes the number of features and their names.
    """
    known = {"multi_output": True, "y_numeric": y_numeric}
    if nw.dependencies.is_into_dataframe(X):
        validate_data(estimator, X, y, reset=reset, skip_check_array=True)
        table, answers = _frame(estimator, X), _check_y(y, estimator=estimator, **known)
        check_consistent_length(X, answers)
    else:
        array, answers = validate_data(
            estimator, X, y, reset=reset, dtype=None, ensure_all_finite="allow-nan", **known
        )
        table = _array(array)
    return table, answers.toarray() if hasattr(answers, "toarray") else answers


def names_of(y: Any) -> list[str]:
    """What a frame or a series of answers calls them; nothing if it, or y, has no names."""
    made = nw.from_native(y, allow_series=True, pass_through=True)
    if isinstance(made, nw.Series):
        return [str(made.name)] if made.name else []
    return list(map(str, made.columns)) if isinstance(made, nw.DataFrame) else []


def numeric_columns(table: Table) -> list[str]:
    """The columns that came as numbers and hold one: they mean what they say, nothing votes."""
    return [
        name
        for name, column in table.columns.items()
        if column.from_numbers and not column.missing.all()
    ]


def _array(array: NDArray[Any]) -> Table:
    return Table.of({f"x{place}": column for place, column in enumerate(array.T)}, "X")


def _frame(estimator: Any, X: Any) -> Table:
    if _num_samples(X) == 0:
        raise ValueError(
            f"Found array with 0 sample(s) (shape={X.shape}) while a minimum of 1 is required by "
            f"{type(estimator).__name__}."
        )
    return read_table(X)
