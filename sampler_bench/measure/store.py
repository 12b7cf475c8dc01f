"""A run folder: a manifest, and one Parquet part for each unit done. Files appear whole or not at all."""

import json
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from sampler_bench.errors import StoreError
from sampler_bench.files import (
    is_remote,
    location,
    locked,
    make_folder,
    read_parquet,
    storage_errors,
    write_whole,
)
from sampler_bench.measure.plan import Unit
from sampler_bench.measure.records import SCHEMAS

MANIFEST = "manifest.json"
ID = "S24"  # a unit's id: 24 hexadecimal digits
JOINED = 128  # parts read into one table
READ_AT_ONCE = 32  # parts on their way from a storage elsewhere


class RunFolder:
    """A folder, here or behind a URL, that holds one run. Reading needs no lock; writing goes on inside
    ``locked()``, which only holds folders of this machine."""

    def __init__(self, path: Path | str):
        self.path = location(path)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder against other runs, creating it if need be.

        Raises
        ------
        StoreError
            If another process holds it or it cannot be written.
        """
        for folder in (self.path, *(self.path / kind for kind in SCHEMAS)):
            make_folder(folder)
        with locked(self.path / ".lock", wait=False) as held:
            if not held:
                raise StoreError(
                    f"another run is writing to {self.path}; wait for it to end or choose another --out"
                )
            if not is_remote(self.path):
                for leftover in self.path.glob("*/.*.parquet-*"):  # of a run that was killed while writing
                    leftover.unlink(missing_ok=True)
            yield

    def done(self) -> "Done":
        """The units whose records are here now."""
        with _readable(self.path):
            parts = (part for kind in SCHEMAS for part in (self.path / kind).glob("*.parquet"))
            return Done(np.sort(np.fromiter((part.stem for part in parts), ID)))

    def write_part(self, kind: str, unit_id: str, records: pa.Table) -> None:
        """Store a unit's records. Raises StoreError if they cannot be written."""
        path = self.path / kind / f"{unit_id}.parquet"
        write_whole(path, lambda scratch: pq.write_table(records, scratch, compression="zstd"))

    def responses(self, unit: Unit) -> list[tuple[str, str]]:
        """Thinking and text of the responses whose traces a unit goes on from; none for others.

        Raises
        ------
        StoreError
            If they are not there or cannot be read.
        """
        if not unit.reads_traces:
            return []
        with _readable(self.path / "samples"):
            written = read_parquet(self.path / "samples" / f"{unit.trace_unit.id}.parquet").to_pandas()
        first = written.drop_duplicates("response_id").head(unit.prompt.arm.traces)
        return list(first[["thinking", "text"]].itertuples(index=False, name=None))

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
            with ThreadPoolExecutor(READ_AT_ONCE if is_remote(self.path) else 1) as pool:
                groups = (parts[i : i + JOINED] for i in range(0, len(parts), JOINED))
                read = partial(read_parquet, columns=columns)
                tables = [_joined(pool.map(read, group)) for group in groups]
            records = pa.concat_tables([schema.empty_table().select(columns), *tables]).to_pandas()
        item = ["number_id", "position"] if kind == "conditionals" else ["sample_id"]
        keys = ["task", "model", "arm", "decoder", "paraphrase", *item]
        return records.sort_values(keys, kind="stable", ignore_index=True)

    def read_manifest(self) -> dict | None:
        """The manifest, or None if the folder has none yet."""
        path = self.path / MANIFEST
        try:
            manifest = json.loads(path.read_text()) if path.exists() else None
        except (*storage_errors(), ValueError) as error:
            raise StoreError(f"{path} cannot be read: {error}") from error
        if not isinstance(manifest, dict | None):
            raise StoreError(f"{path} is not the manifest of a run; choose another --out")
        return manifest

    def write_manifest(self, manifest: dict) -> None:
        text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
        write_whole(self.path / MANIFEST, lambda path: path.write_text(text))


class Done:
    """Which units were done, in 24 bytes each."""

    def __init__(self, ids: np.ndarray):
        self._ids = ids

    def __contains__(self, unit_id: str) -> bool:
        place = np.searchsorted(self._ids, unit_id.encode())
        return place < len(self._ids) and self._ids[place] == unit_id.encode()


def _joined(parts: Iterable[pa.Table]) -> pa.Table:
    """Parts as one table: a table of its own for each would hold far more than its few rows."""
    return pa.concat_tables(parts).combine_chunks()


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (*storage_errors(), pa.ArrowException) as error:
        raise StoreError(f"{path} holds a part that cannot be read: {error}") from error
