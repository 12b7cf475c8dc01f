"""A run folder: a manifest, the truths, and the records. Files appear whole or not at all.

While a run goes on, each unit done is a Parquet part of its own; a run that has ended is compact, one file a
kind. Each file carries a checksum (``sealed.py``) and says what it holds. A manifest without a checksum is of
an older version: the parts beside it are believed as they are, until the folder is written to.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from sampler_bench.errors import StoreError
from sampler_bench.files import is_remote, location, locked, make_folder, storage_errors
from sampler_bench.runs.done import Done
from sampler_bench.runs.files_of_records import (
    COMPACT,
    KEYS,
    carried_truths,
    piece_of_part,
    piece_of_truths,
    pieces_of_file,
    readable,
    rows_of,
)
from sampler_bench.runs.manifest import MANIFEST, Manifest, read_manifest, write_manifest
from sampler_bench.runs.merging import TOGETHER, Piece, apart, by_value, has_twice, merged
from sampler_bench.runs.records import MEASURED, RECORDS, TRUTHS, UNIT
from sampler_bench.runs.stored_truth import distinct, with_truths
from sampler_bench.sealed import open_sealed, read_sealed, write_sealed, write_sealed_tables

READ_AT_ONCE = 32  # parts on their way from a storage elsewhere
LAWS = ("q", "q_by_trace")  # columns of probabilities
SMALL = {  # how compact files are written
    "compression_level": 19,
    "use_dictionary": [name for name in MEASURED["conditionals"].names if name not in LAWS],
    "use_byte_stream_split": [f"{name}.list.element" for name in LAWS],
}


class RunFolder:
    """A folder, here or behind a URL, that holds one run. Reading needs no lock; writing goes on inside
    ``locked()``, which only holds folders of this machine."""

    def __init__(self, path: Path | str):
        self.path = location(path)
        self._made: set[str] = set()  # folders of parts

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder against other runs, creating it if need be.

        Raises
        ------
        StoreError
            If another process holds it or it cannot be written.
        """
        make_folder(self.path)
        with locked(self.path / ".lock", wait=False) as held:
            if not held:
                raise StoreError(
                    f"another run is writing to {self.path}; wait for it to end or choose another --out"
                )
            if not is_remote(self.path):
                for pattern in ("*/.*.parquet-*", ".*.parquet-*"):  # of a run that was killed while writing
                    for leftover in self.path.glob(pattern):
                        leftover.unlink(missing_ok=True)
            yield

    def manifest(self) -> Manifest | None:
        """The manifest, or None if the folder has none yet. Raises StoreError if it cannot be believed."""
        return read_manifest(self.path)[0]

    def write_manifest(self, manifest: Manifest) -> None:
        """Store the manifest. Raises StoreError if it cannot be written."""
        before, sealed = read_manifest(self.path)
        if before is not None and not sealed:
            self.compact()  # the last time that its parts are believed as they are
        write_manifest(self.path, manifest)

    def done(self) -> Done:
        """The units whose records are here now. Raises StoreError if a file cannot be read."""
        ids = [part.stem for kind in MEASURED for part in self._parts(kind) if part.stem.isascii()]
        for kind in MEASURED:
            ids += self._units(kind, self._compact(kind))
        return Done(ids)

    def write_part(self, kind: str, unit_id: str, records: pa.Table) -> None:
        """Store a unit's records. Raises StoreError if they cannot be written."""
        self._write_part(kind, unit_id, [records])

    def _write_part(self, kind: str, name: str, tables: Sequence[pa.Table]) -> None:
        if kind not in self._made:
            make_folder(self.path / kind)
            self._made.add(kind)
        path = self.path / kind / f"{name}.parquet"
        write_sealed(path, pa.concat_tables(tables), self._contents_of_part(kind, name))

    def _contents_of_part(self, kind: str, name: str) -> str:
        """What a part says it holds. Those of truths, which are there for a while only, are of no unit."""
        return self._contents(kind) if kind == "truths" else f"{kind} of unit {name}"

    def responses(self, unit_id: str, most: int) -> list[tuple[str, str]]:
        """Thinking and text of the first responses of a unit of samples.

        Raises
        ------
        StoreError
            If they are not there or cannot be read.
        """
        path = self.path / "samples" / f"{unit_id}.parquet"
        with readable(path):
            is_part = path.exists()
        if is_part:
            with readable(path):
                written = read_sealed(path, self._contents_of_part("samples", unit_id)).to_pandas()
        else:
            if unit_id not in self._written.groups:
                raise StoreError(
                    f"{self.path} lacks the responses of unit {unit_id}; run the same command again"
                )
            written = self._written.get_group(unit_id)
        first = written.drop_duplicates("response_id").head(most)
        return list(first[["thinking", "text"]].itertuples(index=False, name=None))

    @cached_property
    def _written(self) -> "pd.api.typing.DataFrameGroupBy":
        """The responses of a compact run, by unit."""
        columns = [UNIT.name, "response_id", "thinking", "text"]
        schema = pa.schema([COMPACT["samples"].field(name) for name in columns])
        return self._rows("samples", self._compact("samples"), schema).to_pandas().groupby(UNIT.name)

    def add_truths(self, truths: Iterable[pa.Table]) -> None:
        """Store truths, each table of one task, beside those that are there.

        What has come is stored also if what gives them fails.

        Raises
        ------
        StoreError
            If they cannot be read or written.
        """
        waiting: dict[str, list[pa.Table]] = defaultdict(list)
        try:
            for number, table in enumerate(truths):
                task = table["task"][0].as_py()
                of_task = waiting[task]
                of_task.append(table)
                if len(of_task) == TOGETHER:
                    self._write_part("truths", str(number), waiting.pop(task))
        finally:
            self._make_compact("truths", [piece_of_truths(pa.concat_tables(few)) for few in waiting.values()])

    def truths(self) -> pa.Table:
        """The truths in the compact file, of the TRUTHS schema. Raises StoreError if it cannot be read."""
        return self._rows("truths", self._compact("truths"), TRUTHS)

    def has_truths(self) -> bool:
        """Whether any are in the compact file. Raises StoreError if it cannot be read."""
        file = self._compact("truths")
        return file is not None and file.metadata.num_rows > 0

    def read(self, kind: str, without: Sequence[str] = ()) -> pd.DataFrame:
        """As ``table``, each law an array. Raises StoreError as it does."""
        return self.table(kind, without).to_pandas()

    def table(self, kind: str, without: Sequence[str] = ()) -> pa.Table:
        """All records of a kind, in a fixed order, without some of the columns.

        Raises
        ------
        StoreError
            If a file cannot be read, is damaged, or was put there under the name of another.
        """
        fields = [field for field in RECORDS[kind] if field.name not in without]
        none = pa.schema(fields, metadata=RECORDS[kind].metadata).empty_table()
        return pa.concat_tables([none, *self.tables(kind, without)])

    def tables(self, kind: str, without: Sequence[str] = ()) -> Iterator[pa.Table]:
        """As ``table``, one after the other in tables of some size, each of one task, and no more is held.

        A task's records may lie in several. Of conditionals all of the task's truths are held as well.
        """
        tables = apart(self._sorted(kind, without), "task")
        if kind == "conditionals":
            truths = by_value(self._sorted("truths", more=self._carried_truths()), "task")
            tables = with_truths(tables, truths, self.path)
        names = [name for name in RECORDS[kind].names if name not in without]
        return (rows.select(names) for rows in tables)

    def compact(self) -> None:
        """Make one file of all parts of a kind. Stopped anywhere, nothing is lost, and it can be done again.

        Raises
        ------
        StoreError
            If a part cannot be read, or the file not be written.
        """
        self._make_compact("truths", self._carried_truths())  # before the parts go that carry them
        for kind in MEASURED:
            self._make_compact(kind)
        self.__dict__.pop("_written", None)

    def _make_compact(self, kind: str, more: Sequence[Piece] = ()) -> None:
        parts = self._parts(kind)
        if not parts and not more:
            return
        rows = self._sorted(kind, more=more)
        self._write_compact(kind, map(distinct, rows) if kind == "truths" else rows)
        for part in parts:
            with suppress(*storage_errors()):  # one that stays is known to be in the file
                part.unlink(missing_ok=True)
        if not is_remote(self.path):
            with suppress(OSError):  # what is not ours stays, and its folder with it
                (self.path / kind).rmdir()
        self._made.discard(kind)

    def _sorted(
        self, kind: str, without: Sequence[str] = (), more: Sequence[Piece] = ()
    ) -> Iterator[pa.Table]:
        """All that was measured, with its unit, and more, by its keys, in tables of some size."""
        sealed = read_manifest(self.path)[1]
        left = {*without} - {*KEYS[kind]}
        fields = [field for field in COMPACT[kind] if field.name not in left]
        schema = pa.schema(fields, metadata=COMPACT[kind].metadata)
        for rows in merged([*self._pieces(kind, sealed, schema), *more], KEYS[kind], self._at_once):
            if not sealed and kind in MEASURED and has_twice(rows, KEYS[kind]):
                where = self.path / kind
                raise StoreError(f"{where} holds a part twice, under two names; delete one of them")
            yield rows

    def _pieces(self, kind: str, sealed: bool, schema: pa.Schema) -> Iterator[Piece]:
        parts = self._parts(kind)  # before the file: what a run that ends meanwhile puts there is not missed
        if file := self._compact(kind):
            yield from pieces_of_file(kind, self._path_of(kind), file, schema)
            if parts and kind in MEASURED:
                known = {*self._units(kind, file)}  # left over where making the file was stopped
                parts = [part for part in parts if part.stem not in known]

        def piece(part: Path) -> Piece | None:
            answers = self._contents_of_part(kind, part.stem) if sealed else None
            return piece_of_part(kind, part, answers, schema)

        with ThreadPoolExecutor(self._at_once) as pool:
            yield from filter(None, pool.map(piece, parts))

    def _carried_truths(self) -> list[Piece]:
        """Those in parts of conditionals that an older version wrote."""
        if read_manifest(self.path)[1]:
            return []
        with ThreadPoolExecutor(self._at_once) as pool:
            return [*filter(None, pool.map(carried_truths, self._parts("conditionals")))]

    def _path_of(self, kind: str) -> Path:
        return self.path / f"{kind}.parquet"

    def _compact(self, kind: str) -> pq.ParquetFile | None:
        """A compact file, open, if there is one."""
        path = self._path_of(kind)
        with readable(path):
            return open_sealed(path, self._contents(kind)) if path.exists() else None

    def _units(self, kind: str, file: pq.ParquetFile | None) -> list[str]:
        """Those whose records are in a compact file."""
        return self._rows(kind, file, pa.schema([UNIT]))[UNIT.name].unique().to_pylist()

    def _rows(self, kind: str, file: pq.ParquetFile | None, schema: pa.Schema) -> pa.Table:
        """Some columns of a compact file; without rows if there is none."""
        return rows_of(self._path_of(kind), file, schema) if file else schema.empty_table()

    def _write_compact(self, kind: str, tables: Iterable[pa.Table]) -> None:
        options = SMALL if kind == "conditionals" else {"compression_level": 19}
        write_sealed_tables(self._path_of(kind), COMPACT[kind], tables, self._contents(kind), **options)

    def _contents(self, kind: str) -> str:
        """What a compact file says it holds: that of a run of other settings is none of this one's."""
        manifest = self.manifest()
        if manifest is None:
            raise StoreError(
                f"{self.path} holds records, but no {MANIFEST}: bring back a copy, or choose another --out"
            )
        of = manifest.settings
        return f"{kind} of {manifest.suite}, seed {of.seed}, {of.numbers} numbers, {of.samples} samples"

    def _parts(self, kind: str) -> list[Path]:
        with readable(self.path / kind):
            return sorted((self.path / kind).glob("*.parquet"))

    @property
    def _at_once(self) -> int:
        return READ_AT_ONCE if is_remote(self.path) else 1
