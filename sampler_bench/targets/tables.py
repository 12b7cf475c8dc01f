"""How many members of a tuple start with given digits: from tables to some depth, beyond it by sieving."""

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from importlib import resources
from itertools import chain, pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sampler_bench.cluster import Cluster
from sampler_bench.errors import InputError, StoreError
from sampler_bench.files import (
    cache_folder,
    is_remote,
    locked,
    make_folder,
    read_parquet,
    storage_errors,
    write_whole,
)
from sampler_bench.targets.truth_cache import ORIGINS
from sampler_bench.targets.tuple_names import parse_tuple

MAX_DIGITS = 18
MAX_DEPTH = 7  # nine million counts
KEPT_WIDTH = 10**11  # an interval is counted in parts, and those as wide as a hundredth of this are kept

PARTS = 90  # of a table, or more: as wide as KEPT_WIDTH at most, if the table is deep enough
SMALL = {  # how a table is written
    "compression": "zstd",
    "compression_level": 19,
    "use_dictionary": False,
    "column_encoding": "DELTA_BINARY_PACKED",
}

Progress = Callable[[float], None]


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
        for path in (_path(name, digits, depth, folder) for folder in (shipped_folder(), made_folder())):
            if path.is_file():
                return read_table(path)
    return None


def make_table(
    name: str,
    digits: int,
    depth: int,
    threads: int | None = None,
    progress: Progress | None = None,
    folder: Path | None = None,
    cluster: Cluster | None = None,
) -> Path:
    """Count, and write the table's file; if it is there already, leave it alone.

    What is counted is kept part by part: interrupted, the next call goes on from there. On a cluster each
    part is counted by one core, and ``threads`` has no say.

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
    if not path.is_file():
        with locked(made_folder() / f".{path.name}.lock"):  # a second process waits for the first one's table
            if not path.is_file():
                _write_table(path, name, digits, depth, threads, progress, cluster)
    return path


def _write_table(
    path: Path,
    name: str,
    digits: int,
    depth: int,
    threads: int | None,
    progress: Progress | None,
    cluster: Cluster | None,
) -> None:
    width = 10 ** (digits - depth)
    edges = range(10 ** (digits - 1), 10**digits + 1, width)
    bins = max(1, min(len(edges) // PARTS, KEPT_WIDTH // width))
    parts = [edges[first : first + bins + 1] for first in range(0, len(edges) - 1, bins)]
    parts_folder = path.with_suffix(".parts")
    if cluster is not None:
        _count_parts_on(cluster, name, parts, parts_folder, progress)
    counts = list(_count_parts(name, parts, (edges[0], edges[-1]), parts_folder, threads, progress))
    table = pa.table({"count": np.concatenate(counts)})
    table = table.replace_schema_metadata({"tuple": name, "digits": str(digits)})
    make_folder(path.parent)
    write_whole(path, lambda scratch: pq.write_table(table, scratch, **SMALL))
    _remove(parts_folder)
    ORIGINS["computed"] += 1


def read_table(path: Path) -> PrefixTable:
    """Raises StoreError if the file is not a table."""
    try:
        table = read_parquet(path)
        name, digits = (table.schema.metadata[key].decode() for key in (b"tuple", b"digits"))
        counts = table["count"].to_numpy()
    except (*storage_errors(), pa.ArrowException, KeyError, TypeError) as error:
        raise StoreError(f"{path} cannot be read as a table of prefixes ({error}); delete it") from error
    ORIGINS["read"] += 1
    return PrefixTable(name, int(digits), len(str(len(counts))), counts)


def count_members(
    name: str, lo: int, hi: int, threads: int | None = None, progress: Progress | None = None
) -> int:
    """Members of a tuple in [lo, hi). Wide intervals are counted in parts that are kept for another time.

    Raises
    ------
    InputError
        If the interval or the tuple makes no sense.
    StoreError
        If a part cannot be kept.
    """
    if lo > hi:
        raise InputError(f"an interval goes upward, but {hi} is below {lo}")
    inner = range(lo // KEPT_WIDTH * KEPT_WIDTH + KEPT_WIDTH, hi, KEPT_WIDTH)
    parts = pairwise(chain([lo], inner, [hi]))
    counts = _count_parts(name, parts, (lo, hi), cache_folder() / "counts" / name, threads, progress)
    return sum(int(count.sum()) for count in counts)


def _count_parts(
    name: str,
    parts: Iterable[Sequence[int]],
    span: tuple[int, int],
    folder: Path,
    threads: int | None,
    progress: Progress | None,
) -> Iterator[np.ndarray]:
    """``count_tuples`` of one sequence of edges after another; counts of wide ones are kept in the folder."""
    from sampler_bench.kernels import count_tuples  # loads Numba

    forms, (lo, hi) = parse_tuple(name), span
    with _refused_in_a_sentence():
        count_tuples(forms, [hi, hi])  # before hours are spent below an end that is too large
    for edges in parts:
        begin, width = edges[0] - lo, edges[-1] - edges[0]

        def report(share: float, begin=begin, width=width) -> None:
            if progress is not None:
                progress((begin + share * width) / (hi - lo))

        path = _part(folder, edges)
        counts = _read_part(path, len(edges) - 1)
        if counts is None:
            with _refused_in_a_sentence():
                counts = count_tuples(forms, edges, threads, report)
            if width >= KEPT_WIDTH // 100:
                _write_part(path, counts)
        yield counts


def _count_parts_on(
    cluster: Cluster, name: str, parts: Sequence[Sequence[int]], folder: Path, progress: Progress | None
) -> None:
    """Count on the cluster, and keep, all that is not kept yet."""
    missing = [edges for edges in parts if _read_part(_part(folder, edges), len(edges) - 1) is None]
    for done, (edges, counts) in enumerate(
        cluster.map(partial(_count_on_one_core, name), missing), start=len(parts) - len(missing) + 1
    ):
        _write_part(_part(folder, edges), counts)
        if progress is not None:
            progress(done / len(parts))


def _count_on_one_core(name: str, edges: Sequence[int]) -> np.ndarray:
    from sampler_bench.kernels import count_tuples  # loads Numba

    with _refused_in_a_sentence():
        return count_tuples(parse_tuple(name), edges, threads=1)


@contextmanager
def _refused_in_a_sentence() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise InputError(str(error)) from error


def _read_part(path: Path, bins: int) -> np.ndarray | None:
    try:
        counts = np.load(io.BytesIO(path.read_bytes()))
    except (*storage_errors(), ValueError):
        return None
    return counts if counts.shape == (bins,) else None


def _write_part(path: Path, counts: np.ndarray) -> None:
    make_folder(path.parent)
    buffer = io.BytesIO()
    np.save(buffer, counts)
    write_whole(path, lambda scratch: scratch.write_bytes(buffer.getvalue()))


def _part(folder: Path, edges: Sequence[int]) -> Path:
    return folder / f"{edges[0]}-{edges[-1]}-{len(edges) - 1}.npy"


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
