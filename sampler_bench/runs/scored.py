"""Scores and curves beside the records that they were made of."""

from pathlib import Path

import pyarrow as pa

from sampler_bench.errors import DamagedError, StoreError
from sampler_bench.files import storage_errors
from sampler_bench.runs.manifest import read_manifest
from sampler_bench.runs.records import SCORED
from sampler_bench.sealed import read_sealed, write_sealed


def write_scored(folder: Path, name: str, table: pa.Table) -> str:
    """Store the scores, or the curves, of a run. Returns the checksum, for the manifest."""
    return write_sealed(folder / f"{name}.parquet", table, name)


def read_scored(folder: Path, name: str) -> pa.Table:
    """The scores, or the curves, of a finished run.

    Raises
    ------
    StoreError
        If they are not there, are damaged or another run's, or were made by another version.
    """
    again = f"`sampler-bench score {folder}` makes them again"
    manifest = read_manifest(folder)[0]
    checksum = manifest and manifest.scored.get(name)
    try:
        table = read_sealed(folder / f"{name}.parquet", checksum and name, checksum=checksum)
    except DamagedError as error:
        raise StoreError(f"{error}; {again}") from error
    except (FileNotFoundError, NotADirectoryError) as error:
        raise StoreError(
            f"{folder} holds no finished run, for there is no {name}.parquet; `sampler-bench run` makes one"
        ) from error
    except storage_errors() as error:
        raise StoreError(f"{folder} has no {name} to read: {error}; {again}") from error
    if not table.schema.equals(SCORED[name]):
        raise StoreError(f"{folder} was scored by another version; {again}")
    return table
