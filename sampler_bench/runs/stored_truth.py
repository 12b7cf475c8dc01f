"""The truth of a run, stored once for each task and prefix, and put beside what models say."""

from collections.abc import Iterable, Iterator
from itertools import groupby

import pyarrow as pa
import pyarrow.compute as pc

from sampler_bench.errors import StoreError
from sampler_bench.runs.records import TRUTH, TRUTHS

KEY = ("task", "prefix")

# pyarrow makes these as it is imported.
_is_in = pc.is_in  # pyright: ignore[reportAttributeAccessIssue]
_index_in = pc.index_in  # pyright: ignore[reportAttributeAccessIssue]
_not_equal = pc.not_equal  # pyright: ignore[reportAttributeAccessIssue]
_or = pc.or_  # pyright: ignore[reportAttributeAccessIssue]
_join = pc.binary_join_element_wise  # pyright: ignore[reportAttributeAccessIssue]


def distinct(rows: pa.Table) -> pa.Table:
    """Of rows that are sorted by KEY, the first for each task and prefix."""
    task, prefix = (rows[name].combine_chunks() for name in KEY)
    differs = [_or(_not_equal(task[1:], task[:-1]), _not_equal(prefix[1:], prefix[:-1]))]
    return rows.filter(pa.concat_arrays([pa.array([True] * min(1, len(rows)), pa.bool_()), *differs]))


def with_truths(measured: Iterable[pa.Table], truths: Iterable[pa.Table], of: object) -> Iterator[pa.Table]:
    """As ``with_truth``, of tables each of one task; ``truths``: one table a task. Both sorted by task.

    Raises
    ------
    StoreError
        As it does.
    """
    tasks = iter(truths)
    for task, tables in groupby(measured, key=_task):
        known = next((table for table in tasks if _task(table) == task), TRUTHS.empty_table())
        for rows in tables:
            met = _is_in(known["prefix"], value_set=rows["prefix"].combine_chunks())
            yield with_truth(rows, known.filter(met), of)


def _task(rows: pa.Table) -> str:
    return rows["task"][0].as_py()


def with_truth(measured: pa.Table, truths: pa.Table, of: object) -> pa.Table:
    """Records with the columns of TRUTH of their task and prefix.

    Raises
    ------
    StoreError
        If one is not there; ``of`` is the run.
    """
    places = _index_in(_keys(measured), _keys(truths).combine_chunks())
    if places.null_count:
        row = measured.slice(pc.index(places.is_null(), True).as_py(), 1).to_pylist()[0]
        raise StoreError(
            f"{of} lacks the truth of {row['task']} after {row['prefix']!r}; delete its truths.parquet, and "
            "the `sampler-bench run` commands that measured it compute it anew"
        )
    found = truths.select(list(TRUTH)).take(places)
    for name in TRUTH:
        measured = measured.append_column(TRUTHS.field(name), found[name])
    return measured


def _keys(table: pa.Table) -> pa.ChunkedArray:
    return _join(table["task"], table["prefix"], "\n")
