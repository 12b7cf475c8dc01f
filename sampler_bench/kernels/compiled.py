"""Kernels compiled once on a machine: machine code in the cache folder, under a digest of all their sources.

Numba's own cache is beside the sources, or refuses where it cannot write; it looks at the file of the kernel
alone, not at those it calls, and believes whatever bits it finds. Hence a store behind its dispatcher.
"""

import hashlib
import pickle
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

import llvmlite
import numba
import pyarrow as pa
from numba import njit
from numba.core import serialize
from numba.core.caching import NullCache
from numba.core.codegen import get_host_cpu_features
from numba.core.compiler import CompileResult

from sampler_bench.files import cache_folder, keeping, make_folder
from sampler_bench.sealed import read_kept, write_sealed

SOURCES_KEPT = 8  # machine code of so many states of the sources; older states are removed


def compiled_once(**options: object) -> Callable[[Callable], Callable]:
    """``njit`` for what is called from Python: compiled at the first call, and read at the next process's."""

    def decorate(function: Callable) -> Callable:
        dispatcher = njit(**options)(function)
        if not numba.config.DISABLE_JIT:
            dispatcher._cache = _Store(f"{function.__module__}.{function.__qualname__}")
        return dispatcher

    return decorate


def may_use(extension: str) -> bool:
    """Whether Numba compiles for an extension of the processor, by LLVM's name (NUMBA_CPU_FEATURES)."""
    told = numba.config.CPU_FEATURES
    return f"+{extension}" in (get_host_cpu_features() if told is None else told).split(",")


class _Store(NullCache):
    """What a dispatcher of Numba's asks for machine code, and gives what it has compiled."""

    def __init__(self, name: str):
        self.name = name

    def load_overload(self, signature: tuple, context: object) -> CompileResult | None:
        context.refresh()
        table = read_kept(*self._place(signature, context.codegen()))
        if table is None:
            return None
        return CompileResult._rebuild(context, *pickle.loads(table["code"][0].as_py()))

    def save_overload(self, signature: tuple, result: CompileResult) -> None:
        path, answers = self._place(signature, result.codegen)
        code = serialize.dumps(result._reduce())
        with keeping(path):
            if not path.parent.is_dir():
                make_folder(path.parent)
                _remove_old(path.parent.parent)
            write_sealed(path, pa.table({"code": pa.array([code], pa.binary())}), answers)

    def _place(self, signature: tuple, codegen: object) -> tuple[Path, str]:
        """The file, and what it says it holds: all that the machine code depends on."""
        answers = f"{self.name}{signature} of {_sources()} for {codegen.magic_tuple()}"
        name = f"{self.name.rpartition('.')[2]}-{hashlib.sha256(answers.encode()).hexdigest()[:24]}"
        return cache_folder() / "kernels" / _sources() / f"{name}.parquet", answers


@cache
def _sources() -> str:
    """A digest of all kernels' sources and of what compiles them."""
    digest = hashlib.sha256(f"{numba.__version__} {llvmlite.__version__} {sys.version}".encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        source = path.read_bytes()
        digest.update(f"{path.name} {len(source)}\n".encode() + source)
    return digest.hexdigest()[:24]


def _remove_old(folder: Path) -> None:
    with suppress(OSError):  # another process may be at it
        states = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
        for state in states[SOURCES_KEPT:]:
            shutil.rmtree(state, ignore_errors=True)
