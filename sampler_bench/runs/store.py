"""A run folder: a manifest, the truths, and the records. Files appear whole or not at all.

While a run goes on, each unit done is a Parquet part of its own; a run that has ended is compact, one file a
kind. Each file carries a checksum (``sealed.py``) and says what it holds. A manifest without a checksum is of
an older version: the parts beside it are believed as they are, until the folder is written to.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cached_property, partial
from pathlib import Path

import pandas as pd
import pyarrow as pa

from sampler_bench.errors import DamagedError, StoreError
from sampler_bench.files import is_remote, location, locked, make_folder, storage_errors
from sampler_bench.runs.done import Done
from sampler_bench.runs.manifest import MANIFEST, Manifest, read_manifest, write_manifest
from sampler_bench.runs.records import MEASURED, RECORDS, SCORED, TRUTH, TRUTHS, UNIT, completed
from sampler_bench.runs.stored_truth import distinct, with_truth
from sampler_bench.sealed import read_sealed, write_sealed

JOINED = 128  # parts read into one table
READ_AT_ONCE = 32  # parts on their way from a storage elsewhere
OF_RECORD = ("task", "model", "arm", "decoder", "paraphrase")
KEYS = {
    "conditionals": (*OF_RECORD, "blind", "traces_of", "number_id", "position"),
    "samples": (*OF_RECORD, "blind", "sample_id"),
}
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
            ids += self._compact(kind, [UNIT.name])[UNIT.name].unique().to_pylist()
        return Done(ids)

    def write_part(self, kind: str, unit_id: str, records: pa.Table) -> None:
        """Store a unit's records. Raises StoreError if they cannot be written."""
        if kind not in self._made:
            make_folder(self.path / kind)
            self._made.add(kind)
        write_sealed(self.path / kind / f"{unit_id}.parquet", records, _contents_of_part(kind, unit_id))

    def responses(self, unit_id: str, most: int) -> list[tuple[str, str]]:
        """Thinking and text of the first responses of a unit of samples.

        Raises
        ------
        StoreError
            If they are not there or cannot be read.
        """
        path = self.path / "samples" / f"{unit_id}.parquet"
        with _readable(path):
            is_part = path.exists()
        if is_part:
            with _readable(path):
                written = read_sealed(path, _contents_of_part("samples", unit_id)).to_pandas()
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
        return self._compact("samples", columns).to_pandas().groupby(UNIT.name)

    def add_truths(self, truths: Iterable[pa.Table]) -> None:
        """Store truths beside those that are there. Raises StoreError if they cannot be read or written."""
        self._write_compact("truths", distinct([self.truths(), *truths]))

    def truths(self) -> pa.Table:
        """What is stored of the truth, of the TRUTHS schema. Raises StoreError if it cannot be read."""
        return self._compact("truths", TRUTHS.names)

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
        whole, of_parts = self._whole(kind, without)
        if kind == "conditionals":
            whole = with_truth(whole, distinct([self.truths(), *of_parts]), self.path)
        return whole.select([name for name in RECORDS[kind].names if name not in without])

    def compact(self) -> None:
        """Make one file of all parts of a kind. Stopped anywhere, nothing is lost, and it can be done again.

        Raises
        ------
        StoreError
            If a part cannot be read, or the file not be written.
        """
        for kind in MEASURED:
            parts = self._parts(kind)
            if not parts:
                continue
            whole, of_parts = self._whole(kind)
            if any(map(len, of_parts)):
                self.add_truths(of_parts)
            self._write_compact(kind, whole)
            for part in parts:
                with suppress(*storage_errors()):  # one that stays is known to be in the file
                    part.unlink(missing_ok=True)
            if not is_remote(self.path):
                with suppress(OSError):  # what is not ours stays, and its folder with it
                    (self.path / kind).rmdir()
            self._made.discard(kind)
        self.__dict__.pop("_written", None)

    def write_scored(self, name: str, table: pa.Table) -> str:
        """Store the scores, or the curves. Returns the checksum, for the manifest."""
        return write_sealed(self.path / f"{name}.parquet", table, name)

    def read_scored(self, name: str) -> pa.Table:
        """The scores, or the curves, of a finished run.

        Raises
        ------
        StoreError
            If they are not there, are damaged or another run's, or were made by another version.
        """
        again = f"`sampler-bench score {self.path}` makes them again"
        manifest = self.manifest()
        checksum = manifest and manifest.scored.get(name)
        try:
            table = read_sealed(self.path / f"{name}.parquet", checksum and name, checksum=checksum)
        except DamagedError as error:
            raise StoreError(f"{error}; {again}") from error
        except (FileNotFoundError, NotADirectoryError) as error:
            raise StoreError(
                f"{self.path} holds no finished run, for there is no {name}.parquet; `sampler-bench run` "
                "makes one"
            ) from error
        except storage_errors() as error:
            raise StoreError(f"{self.path} has no {name} to read: {error}; {again}") from error
        if not table.schema.equals(SCORED[name]):
            raise StoreError(f"{self.path} was scored by another version; {again}")
        return table

    def _whole(self, kind: str, without: Sequence[str] = ()) -> tuple[pa.Table, list[pa.Table]]:
        """All that was measured, sorted, with its unit; and the truths that old parts carry."""
        sealed = read_manifest(self.path)[1]
        fields = [field for field in [*MEASURED[kind], UNIT] if field.name not in without]
        schema = pa.schema(fields, metadata=MEASURED[kind].metadata)
        names = schema.names
        parts = self._parts(kind)
        compact = self._compact(kind, names)
        known = set(compact[UNIT.name].unique().to_pylist())
        parts = [part for part in parts if part.stem not in known]
        with _readable(self.path / kind), ThreadPoolExecutor(self._at_once) as pool:
            groups = (parts[i : i + JOINED] for i in range(0, len(parts), JOINED))
            read = partial(_read_part, kind, sealed, without)
            read_parts = [_joined(pool.map(read, group)) for group in groups]
        rows = pa.concat_tables([compact, *(rows.select(names) for rows, _ in read_parts)]).cast(schema)
        rows = rows.sort_by([(key, "ascending") for key in KEYS[kind]]).combine_chunks()
        if not sealed:
            self._must_differ(kind, rows)
        return rows, [truths for _, truths in read_parts]

    def _must_differ(self, kind: str, rows: pa.Table) -> None:
        if len(rows.group_by(list(KEYS[kind])).aggregate([])) < len(rows):
            raise StoreError(f"{self.path / kind} holds a part twice, under two names; delete one of them")

    def _compact(self, kind: str, columns: Sequence[str]) -> pa.Table:
        """Some columns of a compact file; without rows if there is none."""
        path = self.path / f"{kind}.parquet"
        schema = TRUTHS if kind == "truths" else MEASURED[kind].append(UNIT)
        with _readable(path):
            wanted = pa.schema([schema.field(name) for name in columns])
            if not path.exists():
                return wanted.empty_table()
            return completed(read_sealed(path, self._contents(kind), columns), wanted)

    def _write_compact(self, kind: str, table: pa.Table) -> None:
        options = SMALL if kind == "conditionals" else {"compression_level": 19}
        write_sealed(self.path / f"{kind}.parquet", table, self._contents(kind), **options)

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
        with _readable(self.path / kind):
            return sorted((self.path / kind).glob("*.parquet"))

    @property
    def _at_once(self) -> int:
        return READ_AT_ONCE if is_remote(self.path) else 1


def _contents_of_part(kind: str, unit_id: str) -> str:
    return f"{kind} of unit {unit_id}"


def _joined(parts: Iterable[tuple[pa.Table, pa.Table]]) -> tuple[pa.Table, pa.Table]:
    """Parts as one: tables of their own for each would hold far more than their few rows."""
    rows, truths = (pa.concat_tables(tables).combine_chunks() for tables in zip(*parts, strict=True))
    return rows, truths


def _read_part(kind: str, sealed: bool, without: Sequence[str], path: Path) -> tuple[pa.Table, pa.Table]:
    """What is measured in a part, with its unit; and the truths that it carries, if it is an old one."""
    with _readable(path):
        table = read_sealed(path, _contents_of_part(kind, path.stem) if sealed else None)
    measured = completed(table, pa.schema([field for field in MEASURED[kind] if field.name not in without]))
    carries = kind == "conditionals" and TRUTH[0] in table.column_names
    truths = table.select(TRUTHS.names).cast(TRUTHS) if carries else TRUTHS.empty_table()
    return measured.append_column(UNIT, pa.repeat(path.stem, len(table))), truths


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except DamagedError as error:
        raise StoreError(
            f"{error}; delete this file and run the same command again, which measures what it held anew"
        ) from error
    except (*storage_errors(), pa.ArrowException) as error:
        raise StoreError(f"{path} cannot be read: {error}") from error
