"""A run folder: a manifest, and one Parquet part for each unit done. Files appear whole or not at all."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from sampler_bench.errors import StoreError
from sampler_bench.files import explained, locked, write_whole
from sampler_bench.measure.records import SCHEMAS

MANIFEST = "manifest.json"
JOINED = 128  # parts read into one table


class RunFolder:
    """A folder that holds one run. Reading needs no lock; writing goes on inside ``locked()``."""

    def __init__(self, path: Path):
        self.path = Path(path)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder against other runs, creating it if need be.

        Raises
        ------
        StoreError
            If another process holds it or it cannot be written.
        """
        with explained(self.path):
            for kind in SCHEMAS:
                (self.path / kind).mkdir(parents=True, exist_ok=True)
        with locked(self.path / ".lock", wait=False) as held:
            if not held:
                raise StoreError(
                    f"another run is writing to {self.path}; wait for it to end or choose another --out"
                )
            for leftover in self.path.glob("*/.*.parquet-*"):  # of a run that was killed while writing
                leftover.unlink(missing_ok=True)
            yield

    def has_part(self, kind: str, unit_id: str) -> bool:
        return self._part(kind, unit_id).is_file()

    def write_part(self, kind: str, unit_id: str, rows: list[dict]) -> None:
        """Store a unit's records. Raises StoreError if they cannot be written."""
        table = pa.Table.from_pylist(rows, schema=SCHEMAS[kind])
        write_whole(self._part(kind, unit_id), lambda path: pq.write_table(table, path, compression="zstd"))

    def read_part(self, kind: str, unit_id: str) -> pd.DataFrame:
        """The records of one unit, as written. Raises StoreError if they cannot be read."""
        with _readable(self.path / kind):
            return pq.read_table(self._part(kind, unit_id)).to_pandas()

    def read(self, kind: str, without: Sequence[str] = ()) -> pd.DataFrame:
        """All records of a kind, in a fixed order, without some of the columns.

        Raises
        ------
        StoreError
            If a part cannot be read.
        """
        schema = SCHEMAS[kind]
        columns = [name for name in schema.names if name not in without]
        with _readable(self.path / kind):
            parts = sorted((self.path / kind).glob("*.parquet"))
            tables = [_joined(parts[i : i + JOINED], columns) for i in range(0, len(parts), JOINED)]
            records = pa.concat_tables([schema.empty_table().select(columns), *tables]).to_pandas()
        item = ["number_id", "position"] if kind == "conditionals" else ["sample_id"]
        keys = ["task", "model", "arm", "decoder", "paraphrase", *item]
        return records.sort_values(keys, kind="stable", ignore_index=True)

    def read_manifest(self) -> dict | None:
        """The manifest, or None if the folder has none yet."""
        path = self.path / MANIFEST
        try:
            manifest = json.loads(path.read_text()) if path.exists() else None
        except (OSError, ValueError) as error:
            raise StoreError(f"{path} cannot be read: {error}") from error
        if not isinstance(manifest, dict | None):
            raise StoreError(f"{path} is not the manifest of a run; choose another --out")
        return manifest

    def write_manifest(self, manifest: dict) -> None:
        text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
        write_whole(self.path / MANIFEST, lambda path: path.write_text(text))

    def _part(self, kind: str, unit_id: str) -> Path:
        return self.path / kind / f"{unit_id}.parquet"


def _joined(parts: Sequence[Path], columns: list[str]) -> pa.Table:
    """Parts as one table: a table of its own for each would hold far more than its few rows."""
    tables = []
    for part in parts:
        with pq.ParquetFile(part) as file:
            tables.append(file.read(columns=columns, use_threads=False))
    return pa.concat_tables(tables).combine_chunks()


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise StoreError(f"{path} holds a part that cannot be read: {error}") from error
