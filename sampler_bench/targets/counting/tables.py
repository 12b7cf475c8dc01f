"""How many members of a constellation start with given digits: from tables, beyond their depth by sieving."""

from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sampler_bench.errors import InputError, StoreError
from sampler_bench.files import cache_folder, is_remote, keeping, locked, make_folder, storage_errors
from sampler_bench.sealed import numbers, read_kept, read_sealed, write_sealed
from sampler_bench.targets.counting.kept_counts import Progress, Writing, count_bins
from sampler_bench.targets.counting.truth_cache import ORIGINS
from sampler_bench.targets.counting.tuple_names import parse_tuple

if TYPE_CHECKING:
    import pyarrow as pa

    from sampler_bench.executor.executor import Executor

MAX_DIGITS = 18
MAX_DEPTH = 7  # nine million counts
SMALL = {  # how a table is written
    "compression_level": 19,
    "use_dictionary": False,
    "column_encoding": "DELTA_BINARY_PACKED",
}


@dataclass(frozen=True)
class PrefixTable:
    """Numbers of members of exactly ``digits`` digits by their first ``depth`` digits.

    ``counts``: ndarray of int64, shape (9 * 10^(depth - 1),), for the prefixes 10...0 to 99...9.
    """

    name: str
    digits: int
    depth: int
    counts: np.ndarray

    def count(self, prefix: str) -> int:
        """Members that start with the prefix; beyond the table's depth they are sieved."""
        if prefix.startswith("0"):
            return 0
        lo, hi = interval(prefix, self.digits)
        if len(prefix) > self.depth:
            from sampler_bench.kernels import count_tuples  # loads Numba

            return int(count_tuples(parse_tuple(self.name), [lo, hi])[0])
        bin_width, first = 10 ** (self.digits - self.depth), 10 ** (self.depth - 1)
        below = self._below
        return int(below[hi // bin_width - first] - below[lo // bin_width - first])

    @cached_property
    def _below(self) -> np.ndarray:
        return np.concatenate([[0], np.cumsum(self.counts)])


def interval(prefix: str, digits: int) -> tuple[int, int]:
    """[lo, hi) of the numbers of ``digits`` digits that start with ``prefix``, which starts with no 0."""
    if not prefix:
        return 10 ** (digits - 1), 10**digits
    free = 10 ** (digits - len(prefix))
    return int(prefix) * free, (int(prefix) + 1) * free


def find_table(name: str, digits: int) -> PrefixTable | None:
    """The deepest table there is: of those shipped with the package, and those made by ``make_table``."""
    for depth in range(min(digits, MAX_DEPTH), 0, -1):
        for folder in (shipped_folder(), made_folder()):
            table = _read_if_sound(_path(name, digits, depth, folder))
            if table is not None:
                return table
    return None


def table_to_depth(name: str, digits: int, depth: int) -> PrefixTable:
    """A table, counted if it is not there yet, and kept if it can be."""
    return _table_at(_path(name, digits, depth, made_folder()), writing=keeping)


def make_table(
    name: str,
    digits: int,
    depth: int,
    threads: int | None = None,
    progress: Progress | None = None,
    folder: Path | None = None,
    executor: "Executor | None" = None,
) -> Path:
    """Count, and write the table's file; if it is there already, leave it alone.

    What is counted is kept part by part: interrupted, the next call goes on from there. With an executor
    each part is counted by one core, and ``threads`` has no say.

    Raises
    ------
    InputError
        If the tuple, the digits or the depth make no sense.
    StoreError
        If the files cannot be written.
    """
    if not 1 <= digits <= MAX_DIGITS:
        raise InputError(f"digits = {digits}: a table is of 1 to {MAX_DIGITS} digits")
    if not 1 <= depth <= min(digits, MAX_DEPTH):
        raise InputError(
            f"depth = {depth}: it must be from 1 to {min(digits, MAX_DEPTH)} for {digits} digits"
        )
    path = _path(name, digits, depth, folder or made_folder())
    _table_at(path, threads, progress, executor, writing=nullcontext)
    return path


def _table_at(
    path: Path,
    threads: int | None = None,
    progress: Progress | None = None,
    executor: "Executor | None" = None,
    *,
    writing: Writing,
) -> PrefixTable:
    """The table that the path names: read, or counted and written."""
    table = _read_if_sound(path)
    if table is None:
        with ExitStack() as held:
            lock = made_folder() / f".{path.name}.lock"
            with keeping(lock):  # a second process waits for the first one's table
                held.enter_context(locked(lock))
                table = _read_if_sound(path)
            if table is None:
                table = _count_table(path, threads, progress, executor, writing)
    return table


def _count_table(
    path: Path, threads: int | None, progress: Progress | None, executor: "Executor | None", writing: Writing
) -> PrefixTable:
    import pyarrow as pa  # loads Arrow

    name, digits, depth = _named(path)
    edges = range(10 ** (digits - 1), 10**digits + 1, 10 ** (digits - depth))
    parts_folder = path.with_suffix(".parts")
    counts = count_bins(name, edges, parts_folder, threads, progress, executor, writing)
    with writing(path):
        make_folder(path.parent)
        write_sealed(path, pa.table({"count": counts}), _contents(path), **SMALL)
        _remove(parts_folder)
    ORIGINS["computed"] += 1
    return PrefixTable(name, digits, depth, counts)


def read_table(path: Path) -> PrefixTable:
    """Raises StoreError if the file is not the table that its name says it is."""
    try:
        table = read_sealed(path, _contents(path))
    except storage_errors() as error:
        raise StoreError(f"{path} cannot be read: {error}") from error
    return _prefix_table(path, table)


def _read_if_sound(path: Path) -> PrefixTable | None:
    table = read_kept(path, _contents(path))
    return None if table is None else _prefix_table(path, table)


def _prefix_table(path: Path, table: "pa.Table") -> PrefixTable:
    ORIGINS["read"] += 1
    return PrefixTable(*_named(path), numbers(table, "count"))


def _remove(folder: Path) -> None:
    """A folder and the files in it, if it is there."""
    if folder.is_dir():
        for path in folder.iterdir():
            path.unlink(missing_ok=True)
        if not is_remote(folder):
            folder.rmdir()


def made_folder() -> Path:
    return cache_folder() / "tables"


def shipped_folder() -> Path:
    return Path(str(resources.files("sampler_bench"))) / "targets" / "shipped"


def _path(name: str, digits: int, depth: int, folder: Path) -> Path:
    return folder / f"{name}-{digits}-{depth}.parquet"


def _named(path: Path) -> tuple[str, int, int]:
    """Tuple, digits and depth of the table that a path names."""
    name, digits, depth = path.stem.rsplit("-", 2)
    return name, int(digits), int(depth)


def _contents(path: Path) -> str:
    """What the file of a table says it holds."""
    return f"table {path.stem}"
