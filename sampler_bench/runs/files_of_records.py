"""The files that a run's records lie in: a part for each unit, and a compact file of all of a kind."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from sampler_bench.errors import DamagedError, StoreError
from sampler_bench.files import storage_errors
from sampler_bench.runs.merging import Piece, row_groups
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
    """Those of a compact file, which stays open."""
    return row_groups(file.metadata, KEYS[kind], ADDED, lambda place: rows_of(path, file, place, schema))


def pieces_of_part(kind: str, path: Path, sealed: bool, schema: pa.Schema) -> Iterator[Piece]:
    """Those of a part, which is opened again when they are read. Raises StoreError."""

    def read(place: int) -> pa.Table:
        with open_part(kind, path, sealed) as file:
            return rows_of(path, file, place, schema, path.stem)

    with open_part(kind, path, sealed) as file:
        metadata = file.metadata
    return row_groups(metadata, KEYS[kind], ADDED, read)


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


def carried_truths(path: Path) -> pa.Table:
    """The truths that a part of conditionals carries, if an older version wrote it. Raises StoreError."""
    with open_part("conditionals", path, sealed=False) as file, readable(path):
        if TRUTH[0] not in file.schema_arrow.names:
            return TRUTHS.empty_table()
        return file.read(TRUTHS.names, use_threads=False).cast(TRUTHS)
