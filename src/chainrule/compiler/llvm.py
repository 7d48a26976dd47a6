"""The one place that talks to LLVM: from a module's text to functions that can be called."""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite
import llvmlite.binding as llvm

from chainrule.version import __version__


@dataclass(frozen=True)
class Host:
    """The processor that code is made for."""

    name: str
    features: str
    bytes: int  # of a vector register
    registers: int  # how many of them

    @property
    def lanes(self) -> int:
        """float32 numbers in a vector register."""
        return self.bytes // 4


@cache
def host() -> Host:
    """This machine's processor. CHAINRULE_VECTOR_BYTES (16, 32 or 64) takes less than it has."""
    _initialise()
    found = llvm.get_host_cpu_features()
    widest = 64 if found.get("avx512f") else 32 if found.get("avx2") else 16
    asked = int(os.environ.get("CHAINRULE_VECTOR_BYTES", widest))
    width = min(asked, widest)
    off = {64: [], 32: ["avx512f"], 16: ["avx512f", "avx2", "avx", "fma"]}[width]
    features = {name: on and not any(name.startswith(o) for o in off) for name, on in found.items()}
    text = ",".join(f"{'+' if on else '-'}{name}" for name, on in sorted(features.items()))
    many = width == 64 or platform.machine().lower() in ("aarch64", "arm64")
    return Host(llvm.get_host_cpu_name(), text, width, 32 if many else 16)


@cache
def _initialise() -> None:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()


class Library:
    """Machine code in memory, and its functions."""

    def __init__(self, text: str) -> None:
        self.text = text
        machine = host()
        self._machine = llvm.Target.from_triple(llvm.get_process_triple()).create_target_machine(
            cpu=machine.name, features=machine.features, opt=2, jit=True
        )
        self.from_cache = False
        object_code = self._object_code(machine)
        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), self._machine)
        self._engine.add_object_file(llvm.object_file.ObjectFileRef.from_data(object_code))
        self._engine.finalize_object()

    def function(self, name: str, *kinds: Any) -> Callable[..., Any]:
        """The function `name`, which takes these ctypes; while it runs, the GIL is released."""
        return ctypes.CFUNCTYPE(None, *kinds)(self._engine.get_function_address(name))

    def _object_code(self, machine: Host) -> bytes:
        """Compiled now, or before: by text, processor and versions."""
        llvm_version = ".".join(map(str, llvm.llvm_version_info))
        key = "\n".join(
            [
                __version__,
                llvmlite.__version__,
                llvm_version,
                machine.name,
                machine.features,
                self.text,
            ]
        )
        path = _cache_folder() / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.o"
        found = _read(path)
        if found is not None:
            self.from_cache = True
            return found
        module = llvm.parse_assembly(self.text)
        module.verify()
        with _addresses_as_written():
            made = bytes(self._machine.emit_object(module))
        _write(path, made)
        return made


@contextmanager
def _addresses_as_written() -> Iterator[None]:
    """LLVM looks for no cheaper addresses in loops: half the time for code that is no slower.

    The setting is the process's; whoever else compiles with LLVM (Numba) finds it as it was.
    """
    llvm.set_option("chainrule", "-disable-lsr=true")
    try:
        yield
    finally:
        llvm.set_option("chainrule", "-disable-lsr=false")


def _cache_folder() -> Path:
    root = os.environ.get("CHAINRULE_CACHE") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "chainrule"
    )
    return Path(root)


def _read(path: Path) -> bytes | None:
    """A cached object; None when there is none, or its end is not as it was written."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    code, digest = content[:-32], content[-32:]
    return code if hashlib.sha256(code).digest() == digest else None


def _write(path: Path, code: bytes) -> None:
    """Whole or not at all, for other processes may read; a cache that cannot be is no error."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(code + hashlib.sha256(code).digest())
        os.replace(temporary, path)
    except OSError:
        return
