"""The primitive operations, a file per family. Importing this package registers them all."""

from chainrule.ops import (
    contract,
    create,
    index,
    layout,
    pointwise,
    pool,
    random,
    reduce,
    scan,
    sliding,
    window,
)

__all__ = [
    "contract",
    "create",
    "index",
    "layout",
    "pointwise",
    "pool",
    "random",
    "reduce",
    "scan",
    "sliding",
    "window",
]
