"""The files that a run's records lie in: a part for each unit, and a compact file of all of a kind."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from sampler_bench.errors import DamagedError, StoreError
from sampler_bench.files import storage_errors
from sampler_bench.runs.merging import Piece
from sampler_bench.runs.records import ADDED, MEASURED, TRUTH, TRUTHS, UNIT, completed
from sampler_bench.runs.stored_truth import KEY
from sampler_bench.sealed import open_sealed

OF_RECORD = ("task", "model", "arm", "decoder", "paraphrase")
KEYS = {  # what records are sorted by
    "conditionals": (*OF_RECORD, "blind", "traces_of", "number_id", "position"),
    "samples": (*OF_RECORD, "blind", "sample_id"),
    "truths": KEY,
}
COMPACT = {  # what is in the compact file of each kind
    "truths": TRUTHS,
    **{kind: schema.append(UNIT) for kind, schema in MEASURED.items()},
}


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn what is wrong with a file into a sentence. Raises StoreError."""
    try:
        yield
    except DamagedError as error:
        raise StoreError(
            f"{error}; delete this file and run the same command again, which measures what it held anew"
        ) from error
    except (*storage_errors(), pa.ArrowException) as error:
        raise StoreError(f"{path} cannot be read: {error}") from error


def contents_of_part(kind: str, unit_id: str) -> str:
    """What the part of a unit says it holds."""
    return f"{kind} of unit {unit_id}"


def pieces_of_file(kind: str, path: Path, file: pq.ParquetFile, schema: pa.Schema) -> Iterator[Piece]:
    """Row groups of a compact file, which stays open. They are sorted, and end where they end."""
    keys = pa.schema([COMPACT[kind].field(name) for name in KEYS[kind]])
    for place in range(file.num_row_groups):
        there = rows_of(path, file, place, keys)
        if len(there):
            ends = there.take([0, len(there) - 1]).to_pylist()
            first, last = (tuple(row.values()) for row in ends)
            yield Piece(first, last, partial(rows_of, path, file, place, schema), in_order=True)


def piece_of_part(kind: str, path: Path, sealed: bool, schema: pa.Schema) -> Piece | None:
    """A part, which is opened again when it is read; None if there is nothing in it. Raises StoreError."""

    def read() -> pa.Table:
        with open_part(kind, path, sealed) as file:
            tables = [rows_of(path, file, place, schema, path.stem) for place in range(file.num_row_groups)]
        return pa.concat_tables(tables)

    with open_part(kind, path, sealed) as file:
        groups = [file.metadata.row_group(place) for place in range(file.num_row_groups)]
    ends = [_ends(group, KEYS[kind]) for group in groups if group.num_rows]
    return Piece(min(first for first, _ in ends), max(last for _, last in ends), read) if ends else None


def _ends(group: pq.RowGroupMetaData, keys: Sequence[str]) -> tuple:
    """The least and the greatest value of each key: no key lies before or after all of them together."""
    columns = (group.column(place) for place in range(group.num_columns))
    found = {column.path_in_schema: column.statistics for column in columns}
    return tuple(
        tuple(getattr(found[key], end) if key in found else ADDED[key] for key in keys)
        for end in ("min", "max")
    )


def open_part(kind: str, path: Path, sealed: bool) -> pq.ParquetFile:
    """``sealed``: whether it must carry a checksum. Raises StoreError."""
    with readable(path):
        return open_sealed(path, contents_of_part(kind, path.stem) if sealed else None)


def rows_of(
    path: Path, file: pq.ParquetFile, place: int, schema: pa.Schema, unit: str | None = None
) -> pa.Table:
    """The columns of a schema of a row group; ``unit``: of a part, whose records do not say it."""
    there = [name for name in schema.names if name in file.schema_arrow.names]
    with readable(path):
        table = file.read_row_group(place, there, use_threads=False)
    if unit is not None and UNIT.name in schema.names:
        table = table.append_column(UNIT, pa.repeat(unit, len(table)))
    return completed(table, schema).cast(schema)


def carried_truths(path: Path) -> Piece | None:
    """The truths that a part of conditionals carries, if an older version wrote it. Raises StoreError."""
    with open_part("conditionals", path, sealed=False) as file, readable(path):
        if TRUTH[0] not in file.schema_arrow.names:
            return None
        rows = file.read(TRUTHS.names, use_threads=False).cast(TRUTHS)
    keys = [tuple(key.values()) for key in rows.select(KEYS["truths"]).to_pylist()]
    return Piece(min(keys), max(keys), lambda: rows) if keys else None
