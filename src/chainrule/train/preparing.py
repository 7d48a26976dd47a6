"""The tables that settings name, made ready for a training."""

from __future__ import annotations

from chainrule.data import BUILTIN, Prepared, Table, on_disk, prepare, read_table
from chainrule.data.room import allowance, allowed
from chainrule.errors import SettingError
from chainrule.train.settings import Settings


def prepared_for(settings: Settings) -> Prepared:
    """The tables that the settings name, read, cleaned, split and turned into arrays."""
    with allowed(settings.memory or allowance()):
        return _prepared(settings)


def _prepared(settings: Settings) -> Prepared:
    table = read_table(settings.data, **settings.reading())
    target = settings.target or _known_target(settings.data, table)
    given = {
        part: read_table(file, **settings.reading(), like=table.familiar)
        for part, file in (("validation", settings.validation), ("test", settings.test))
        if file is not None
    }
    return prepare(
        table,
        target,
        seed=settings.seed,
        task=settings.task,
        types=settings.types,
        encodings=settings.encode,
        bins=settings.bins,
        drop=settings.drop,
        missing=settings.missing,
        strict=settings.strict,
        split=settings.split,
        group=settings.group,
        time=settings.time,
        split_column=settings.split_column,
        weight=settings.weight,
        class_weight=settings.class_weight,
        **given,
    )


def _known_target(data: str, table: Table) -> str:
    """The target of a built-in table, and of a folder by class; SettingError for other tables."""
    path = on_disk(data)
    if data in BUILTIN and path is None:
        return BUILTIN[data].target
    if path is not None and path.is_dir() and list(table.names[1:]) == ["label"]:
        return "label"
    names = ", ".join(table.names[:12]) + (", ..." if len(table.names) > 12 else "")
    raise SettingError(
        "which column is to be predicted?",
        expected=f"one of {names}",
        hint="--target COLUMN, or --target -1 for the last",
    )
