"""The files that a run's records lie in: a part for each unit, and a compact file of all of a kind."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sampler_bench.errors import DamagedError, StoreError
from sampler_bench.files import storage_errors
from sampler_bench.runs.merging import Piece
from sampler_bench.runs.records import MEASURED, TRUTH, TRUTHS, UNIT, completed
from sampler_bench.runs.stored_truth import KEY
from sampler_bench.sealed import decoding, open_sealed

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


def pieces_of_file(kind: str, path: Path, file: pq.ParquetFile, schema: pa.Schema) -> Iterator[Piece]:
    """Row groups of a compact file, which stays open: sorted, and one after the other."""
    for place in range(file.num_row_groups):
        keys = rows_of(path, file, _keys_of(kind), place)
        if len(keys):
            first, last = (tuple(row.values()) for row in keys.take([0, len(keys) - 1]).to_pylist())
            yield Piece(first, last, partial(rows_of, path, file, schema, place), in_order=True)


def piece_of_part(kind: str, path: Path, answers: str | None, schema: pa.Schema) -> Piece | None:
    """A part, which is opened again when it is read; None if there is nothing in it.

    ``answers``: as for ``open_sealed``. Raises StoreError.
    """

    def read() -> pa.Table:
        with open_part(path, answers) as file:
            return rows_of(path, file, schema, unit=path.stem)

    with open_part(path, answers) as file:
        keys = rows_of(path, file, _keys_of(kind))
    # The least and the greatest value of each key: no key lies before or after all of them together.
    ends = [pc.min_max(column).as_py() for column in keys.columns]  # pyright: ignore[reportAttributeAccessIssue]
    first, last = (tuple(each[end] for each in ends) for end in ("min", "max"))
    return Piece(first, last, read) if len(keys) else None


def open_part(path: Path, answers: str | None) -> pq.ParquetFile:
    """As ``open_sealed``. Raises StoreError."""
    with readable(path):
        return open_sealed(path, answers)


def _keys_of(kind: str) -> pa.Schema:
    return pa.schema([COMPACT[kind].field(name) for name in KEYS[kind]])


def rows_of(
    path: Path, file: pq.ParquetFile, schema: pa.Schema, place: int | None = None, unit: str | None = None
) -> pa.Table:
    """The columns of a schema, of a row group or of all; ``unit``: of a part, whose records do not say it.

    Raises
    ------
    StoreError
        If they cannot be read.
    """
    there = [name for name in schema.names if name in file.schema_arrow.names]
    places = range(file.num_row_groups) if place is None else [place]
    with readable(path), decoding(path):
        rows = file.read_row_groups(places, there, use_threads=False)
        if unit is not None and UNIT.name in schema.names:
            rows = rows.append_column(UNIT, pa.repeat(unit, len(rows)))
        return completed(rows, schema).cast(schema)


def carried_truths(path: Path) -> Piece | None:
    """The truths that a part of conditionals carries, if an older version wrote it. Raises StoreError."""
    with open_part(path, None) as file:
        if TRUTH[0] not in file.schema_arrow.names:
            return None
        rows = rows_of(path, file, TRUTHS)
    return piece_of_truths(rows) if len(rows) else None


def piece_of_truths(rows: pa.Table) -> Piece:
    """Truths that are not in a file."""
    keys = [tuple(key.values()) for key in rows.select(KEYS["truths"]).to_pylist()]
    return Piece(min(keys), max(keys), lambda: rows)
