"""Members of a constellation in wide intervals, counted in parts that are kept: none is counted twice."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from functools import partial
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sampler_bench.errors import InputError
from sampler_bench.files import cache_folder, keeping, make_folder
from sampler_bench.sealed import numbers, read_kept, write_sealed
from sampler_bench.targets.counting.tuple_names import parse_tuple

if TYPE_CHECKING:
    from sampler_bench.executor.executor import Executor

KEPT_WIDTH = 10**11  # an interval is counted in parts, and those as wide as a hundredth of this are kept
PARTS = 90  # of a table, or more: as wide as KEPT_WIDTH at most, if the table is deep enough

Progress = Callable[[float], None]
Writing = Callable[[Path], AbstractContextManager]  # what becomes of a refusal to write: raised, or said


def count_bins(
    name: str,
    edges: range,
    folder: Path,
    threads: int | None,
    progress: Progress | None,
    executor: "Executor | None",
    writing: Writing,
) -> np.ndarray:
    """Members between edges at equal distances; ndarray of int64. Parts are kept in the folder."""
    bins = max(1, min(len(edges) // PARTS, KEPT_WIDTH // edges.step))
    parts = [edges[first : first + bins + 1] for first in range(0, len(edges) - 1, bins)]
    if executor is not None:
        _count_parts_on(executor, name, parts, folder, progress)
    span = edges[0], edges[-1]
    return np.concatenate(list(_count_parts(name, parts, span, folder, threads, progress, writing)))


def count_members(
    name: str, lo: int, hi: int, threads: int | None = None, progress: Progress | None = None
) -> int:
    """Members of a constellation in [lo, hi). Parts of wide intervals are kept for another time.

    Raises
    ------
    InputError
        If the interval or the tuple makes no sense.
    """
    if lo > hi:
        raise InputError(f"an interval goes upward, but {hi} is below {lo}")
    inner = range(lo // KEPT_WIDTH * KEPT_WIDTH + KEPT_WIDTH, hi, KEPT_WIDTH)
    parts = pairwise(chain([lo], inner, [hi]))
    folder = cache_folder() / "counts" / name
    counts = _count_parts(name, parts, (lo, hi), folder, threads, progress, keeping)
    return sum(int(count.sum()) for count in counts)


def _count_parts(
    name: str,
    parts: Iterable[Sequence[int]],
    span: tuple[int, int],
    folder: Path,
    threads: int | None,
    progress: Progress | None,
    writing: Writing,
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

        counts = _read_part(folder, name, edges)
        if counts is None:
            with _refused_in_a_sentence():
                counts = count_tuples(forms, edges, threads, report)
            if width >= KEPT_WIDTH // 100:
                with writing(folder):
                    _write_part(folder, name, edges, counts)
        yield counts


def _count_parts_on(
    executor: "Executor", name: str, parts: Sequence[Sequence[int]], folder: Path, progress: Progress | None
) -> None:
    """Count, each part on one core, and keep all that is not kept yet."""
    missing = [edges for edges in parts if _read_part(folder, name, edges) is None]
    with closing(executor.map(partial(_count_on_one_core, name), missing)) as counted:
        for done, (edges, counts) in enumerate(counted, start=len(parts) - len(missing) + 1):
            _write_part(folder, name, edges, counts)
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


def _read_part(folder: Path, name: str, edges: Sequence[int]) -> np.ndarray | None:
    table = read_kept(*_part(folder, name, edges))
    return None if table is None else numbers(table, "count")


def _write_part(folder: Path, name: str, edges: Sequence[int], counts: np.ndarray) -> None:
    import pyarrow as pa  # loads Arrow

    path, contents = _part(folder, name, edges)
    make_folder(folder)
    write_sealed(path, pa.table({"count": counts}), contents)


def _part(folder: Path, name: str, edges: Sequence[int]) -> tuple[Path, str]:
    """Where the counts between edges at equal distances are kept, and what the file says it holds."""
    bounds = f"{edges[0]}-{edges[-1]}-{len(edges) - 1}"
    return folder / f"{bounds}.parquet", f"counts of {name} {bounds}"
