"""The truth of a run, stored once for each task and prefix, and put beside what models say."""

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from sampler_bench.errors import StoreError
from sampler_bench.runs.records import TRUTH, TRUTHS

KEY = ("task", "prefix")

# pyarrow makes these as it is imported.
_index_in = pc.index_in  # pyright: ignore[reportAttributeAccessIssue]
_join = pc.binary_join_element_wise  # pyright: ignore[reportAttributeAccessIssue]


def distinct(tables: Iterable[pa.Table]) -> pa.Table:
    """Rows of the TRUTHS schema, the first for each task and prefix, in order."""
    rows = pa.concat_tables([TRUTHS.empty_table(), *(table.select(TRUTHS.names) for table in tables)])
    numbered = rows.append_column("row", pa.array(range(len(rows)), pa.int64()))
    first = numbered.group_by(KEY).aggregate([("row", "min")])["row_min"]
    return rows.take(first).sort_by([(name, "ascending") for name in KEY]).combine_chunks()


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
