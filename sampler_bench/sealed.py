"""Files that prove themselves: each carries a checksum of all its bytes; tables say what they answer.

The checksum is the SHA-256 of the file with 64 zeros in the checksum's own place. In Parquet it stands in the
key-value metadata, in JSON as the last key, so that any reader opens the file; and no bit of it changes
unnoticed, those of the checksum included. It is compared before anything is decoded.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sampler_bench.errors import DamagedError
from sampler_bench.files import storage_errors, tell, write_whole

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

CHECKSUM = "sampler_bench_sha256"
ANSWERS = "sampler_bench_answers"
BLANK = "0" * 64
_MARK = CHECKSUM.encode()
_CARRIED = re.compile(
    _MARK + rb"[^0-9a-z]{1,4}([0-9a-f]{64})"
)  # between them: lengths, or quotes and a colon


def write_sealed(path: Path, table: "pa.Table", answers: str, **options: object) -> str:
    """Write a table to a Parquet file that says what it answers. Returns its checksum.

    ``options`` are those of ``pyarrow.parquet.ParquetWriter``.

    Raises
    ------
    StoreError
        If the file cannot be written.
    """
    return write_sealed_tables(path, table.schema, [table], answers, **options)


def write_sealed_tables(
    path: Path, schema: "pa.Schema", tables: Iterable["pa.Table"], answers: str, **options: object
) -> str:
    """As ``write_sealed``, of tables one after the other: held are one at a time, and the file's bytes."""
    import pyarrow as pa  # loads Arrow
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, schema, **{"compression": "zstd", **options}) as writer:
        for table in tables:
            writer.write_table(table)
        writer.add_key_value_metadata({ANSWERS: answers, CHECKSUM: BLANK})
    return _write(path, memoryview(sink.getvalue()))


def read_sealed(
    path: Path, answers: str | None, columns: Sequence[str] | None = None, checksum: str | None = None
) -> "pa.Table":
    """The table, or some of its columns, if the file is as it was written and answers what is asked.

    Parameters
    ----------
    answers : str or None
        What it must answer. None: the file may be of a time when files carried no checksum, and is then
        believed as it is.
    checksum : str, optional
        Which it must carry, if that is known.

    Raises
    ------
    DamagedError
        If it is not.
    OSError, or another of ``storage_errors()``
        If there is no such file, or it is not to be read.
    """
    with open_sealed(path, answers, checksum) as file, decoding(path):
        table = file.read(columns=columns, use_threads=False)
    ours = (ANSWERS.encode(), CHECKSUM.encode())
    return table.replace_schema_metadata(
        {k: v for k, v in (table.schema.metadata or {}).items() if k not in ours}
    )


def open_sealed(path: Path, answers: str | None, checksum: str | None = None) -> "pq.ParquetFile":
    """As ``read_sealed``, the file before anything but its footer is decoded. Raises as it does."""
    # Not through a file of Python's: Arrow's threads let go of it late, and abort a process that is ending.
    data = path.read_bytes()
    carried = _checked(path, data)
    if carried is None and answers is not None:
        raise DamagedError(f"{path} carries no checksum: it is damaged, or an older version made it")
    if checksum is not None and carried != checksum:
        raise DamagedError(f"{path} is another file than the one that was written here")
    import pyarrow as pa  # loads Arrow
    import pyarrow.parquet as pq

    with decoding(path):
        file = pq.ParquetFile(pa.BufferReader(data))
        stated = (file.metadata.metadata or {}).get(ANSWERS.encode(), b"").decode()
    if answers is not None and stated != answers:
        raise DamagedError(f"{path} holds {stated}, not {answers}: it was copied or renamed")
    return file


@contextmanager
def decoding(path: Path) -> Iterator[None]:
    """What Arrow raises of bytes that are no table, or not the one that is meant, becomes DamagedError."""
    import pyarrow as pa  # loads Arrow

    try:
        yield
    except (pa.ArrowException, OSError, ValueError, KeyError, MemoryError) as error:
        raise DamagedError(f"{path} is damaged: {error}") from error


def read_kept(path: Path, answers: str) -> "pa.Table | None":
    """What a file of the cache holds; None if there is none, or (a line says so) it is not to be believed."""
    try:
        return read_sealed(path, answers)
    except DamagedError as error:
        tell(f"{error}; it is not used")
    except storage_errors():
        pass  # no such file, or not ours to read: what is computed instead is written, or its refusal is said
    return None


def numbers(table: "pa.Table", column: str) -> np.ndarray:
    """A column of numbers, none missing; read-only. Arrow's own ``to_numpy`` would load pandas."""
    return np.from_dlpack(table[column].combine_chunks())


def write_json(path: Path, content: dict) -> None:
    """Write JSON for people, and its checksum. Raises StoreError if it cannot be written."""
    text = json.dumps({**content, CHECKSUM: BLANK}, indent=2, ensure_ascii=False) + "\n"
    _write(path, text.encode(errors="backslashreplace"))  # which JSON reads as it was


def read_json(path: Path) -> tuple[dict, bool]:
    """The content, and whether it carries a checksum, as all that is written now does.

    Raises
    ------
    DamagedError
        If it is not as it was written, or not an object of JSON.
    OSError, or another of ``storage_errors()``
        If there is no such file, or it is not to be read.
    """
    data = path.read_bytes()
    carried = _checked(path, data)
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"{path} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise DamagedError(f"{path} holds no object of JSON")
    content.pop(CHECKSUM, None)
    return content, carried is not None


def _write(path: Path, blank: bytes | memoryview) -> str:
    """Write with the checksum in place of the zeros behind the last mark."""
    *_, carried = _CARRIED.finditer(blank)  # the caller has put it there
    checksum = hashlib.sha256(blank).hexdigest()

    def write(scratch: Path) -> None:
        with scratch.open("wb") as file:
            file.writelines(_with(memoryview(blank), carried, checksum))

    write_whole(path, write)
    return checksum


def _with(data: memoryview, carried: re.Match, checksum: str) -> tuple[memoryview, bytes, memoryview]:
    """What a file is made of, with another checksum in the place of the one that it carries."""
    start, end = carried.span(1)
    return data[:start], checksum.encode(), data[end:]


def _checked(path: Path, data: bytes) -> str | None:
    """The checksum that a file carries, if it is right; None if it carries none. Raises DamagedError."""
    mark = data.rfind(_MARK)
    if mark < 0:
        return None
    carried = _CARRIED.match(data, mark)
    if carried:
        digest = hashlib.sha256()
        for piece in _with(memoryview(data), carried, BLANK):
            digest.update(piece)
        if digest.hexdigest().encode() == carried[1]:
            return digest.hexdigest()
    raise DamagedError(
        f"{path} is damaged, or was changed after it was written: its checksum is not that of its content"
    )
