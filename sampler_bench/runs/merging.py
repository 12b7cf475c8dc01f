"""Records of many files as one sorted sequence, of which little is held at a time."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq

HELD = 2**25  # bytes of records that make a table
TOGETHER = (
    128  # pieces read at most before they are joined: apart, small tables take far more than their rows
)
ENCODED = HELD // 4  # bytes of them at most, as files hold them


@dataclass(frozen=True)
class Piece:
    """Some records, not read yet: no key of them lies before ``first`` or after ``last``.

    ``size``: bytes, as they are encoded.
    """

    first: tuple
    last: tuple
    size: int
    read: Callable[[], pa.Table]


def row_groups(
    metadata: pq.FileMetaData,
    keys: Sequence[str],
    lacking: Mapping[str, object],
    read: Callable[[int], pa.Table],
) -> Iterator[Piece]:
    """A file's pieces.

    Parameters
    ----------
    keys : sequence of str
        The columns that records are sorted by.
    lacking : mapping
        What keys are that the file has no column for.
    read : callable
        Reads a row group.
    """
    for place in range(metadata.num_row_groups):
        group = metadata.row_group(place)
        if group.num_rows:
            columns = {
                each.path_in_schema: each.statistics for each in map(group.column, range(group.num_columns))
            }
            first, last = zip(*(_ends(columns.get(key), lacking.get(key)) for key in keys), strict=True)
            yield Piece(first, last, group.total_byte_size, partial(read, place))


def _ends(of_key: pq.Statistics | None, lacking: object) -> tuple:
    return (of_key.min, of_key.max) if of_key else (lacking, lacking)


def merged(pieces: Iterable[Piece], keys: Sequence[str], at_once: int = 1) -> Iterator[pa.Table]:
    """All records in the order of their keys, in tables: each key of one comes before each of the next.

    Little is held where few pieces overlap. ``at_once``: how many are read at a time.
    """
    held, size, end = [], 0, ()
    with ThreadPoolExecutor(at_once) as pool:
        for some in _together(sorted(pieces, key=lambda piece: piece.first)):
            if size >= HELD and some[0].first > end:
                yield _sorted(held, keys)
                held, size = [], 0
            held.append(pa.concat_tables(pool.map(lambda piece: piece.read(), some)).combine_chunks())
            size += held[-1].nbytes
            end = max(end, *(piece.last for piece in some))
    if held:
        yield _sorted(held, keys)


def _together(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    some, size = [], 0
    for piece in pieces:
        some.append(piece)
        size += piece.size
        if len(some) == TOGETHER or size >= ENCODED:
            yield some
            some, size = [], 0
    if some:
        yield some


def _sorted(tables: Sequence[pa.Table], keys: Sequence[str]) -> pa.Table:
    return pa.concat_tables(tables).sort_by([(key, "ascending") for key in keys]).combine_chunks()


def by_value(tables: Iterable[pa.Table], column: str) -> Iterator[pa.Table]:
    """Of tables sorted by a column, one for each of its values."""
    value, held = None, []
    for table in tables:
        start = 0
        for found in table[column].value_counts().to_pylist():  # in the order of the rows
            if held and found["values"] != value:
                yield pa.concat_tables(held)
                held = []
            value = found["values"]
            held.append(table.slice(start, found["counts"]))
            start += found["counts"]
    if held:
        yield pa.concat_tables(held)
