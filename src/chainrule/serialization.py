"""Saving and loading tensors by name, in the safetensors format, which executes nothing.

A flat dictionary of tensors, such as a model's state_dict, becomes a plain safetensors file that
any library reads. Of a nested one, such as an optimizer's, the tensors are stored under their paths
("state.0.exp_avg") and all the rest as JSON in the file's metadata.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.core.value import Value
from chainrule.errors import ArtefactError, SettingError
from chainrule.tensors import Tensor, as_tensor

_STRUCTURE = "chainrule.structure"  # the key, in the metadata, of what is not a tensor


def save(state: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Write `state` to the file `path`, whole or not at all.

    `state`: tensors (or arrays) by name; or nested dictionaries, lists and tuples of tensors,
    numbers, texts and None. Raises SettingError for anything else.

    >>> import chainrule as cr, tempfile
    >>> path = tempfile.mkdtemp() + "/layer.safetensors"
    >>> save({"weight": cr.tensor([1.0, 2.0])}, path)
    >>> load(path)
    {'weight': tensor([1., 2.])}
    """
    from safetensors.numpy import save as to_bytes  # a tenth of a second: only who saves waits

    tensors: dict[str, Any] = {}
    structure = _taken_apart(state, "", tensors)
    flat = all(_is_array(value) for value in state.values())
    metadata = None if flat else {_STRUCTURE: json.dumps(structure, allow_nan=True)}
    _replace(Path(path), to_bytes(tensors, metadata))


def load(path: str | os.PathLike[str]) -> dict[str, Any]:
    """What was saved to the file `path`; of a file from elsewhere, its tensors by name.

    Raises ArtefactError when the file is not there, cut off, or not in the safetensors format.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(os.fspath(path), framework="numpy") as file:
            metadata = file.metadata() or {}
            tensors = {name: _of_numpy(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118
        if _STRUCTURE not in metadata:
            return tensors
        loaded: dict[str, Any] = _put_together(json.loads(metadata[_STRUCTURE]), tensors)
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as wrong:
        raise ArtefactError(
            f"{os.fspath(path)} cannot be read",
            expected="a file in the safetensors format, of numbers that NumPy has",
            got=f"{type(wrong).__name__}: {wrong}",
        ) from None
    return loaded


def _of_numpy(array: Any) -> Tensor:
    """The tensor; a dtype that only another package taught NumPy, such as bfloat16, is refused."""
    if array.dtype.kind not in "fiub":
        raise ValueError(f"the dtype {array.dtype}")
    return Tensor(array)


def _replace(path: Path, data: bytes) -> None:
    """Through a file beside it, so that whatever happens there is a whole file or the old one."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def _umask() -> int:
    """What the user's new files are not allowed; temporary files are private."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


# -- nested state. In the structure a tensor is {"tensor": path}, a dictionary {"items": [[key,
# value], ...]}, because keys may be integers, and a tuple {"tuple": [...]}.


def _is_array(value: Any) -> bool:
    return isinstance(value, Value | np.ndarray | np.generic)


def _taken_apart(value: Any, path: str, tensors: dict[str, Any]) -> Any:
    """The structure of `value`, whose tensors go into `tensors` by their paths."""
    if _is_array(value):
        if path in tensors:
            raise SettingError(f"two tensors of the state have the path {path}")
        array = np.ascontiguousarray(as_tensor(value).numpy())
        tensors[path] = array.reshape(np.shape(value))  # contiguous arrays have at least one axis
        return {"tensor": path}
    if isinstance(value, Mapping):
        inside = [(key, f"{path}.{key}" if path else str(key)) for key in value]
        return {"items": [[k, _taken_apart(value[k], name, tensors)] for k, name in inside]}
    if isinstance(value, list | tuple):
        items = [_taken_apart(item, f"{path}.{at}", tensors) for at, item in enumerate(value)]
        return items if isinstance(value, list) else {"tuple": items}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise SettingError(
        f"{path} cannot be saved",
        expected="tensors, numbers, texts, and dictionaries and lists of them",
        got=type(value).__name__,
    )


def _put_together(structure: Any, tensors: Mapping[str, Tensor]) -> Any:
    if isinstance(structure, list):
        return [_put_together(item, tensors) for item in structure]
    if not isinstance(structure, dict):
        return structure
    if "tensor" in structure:
        return tensors[structure["tensor"]]
    if "tuple" in structure:
        return tuple(_put_together(item, tensors) for item in structure["tuple"])
    return {key: _put_together(item, tensors) for key, item in structure["items"]}
