"""Records of many files as one sorted sequence, of which little is held at a time."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import pyarrow as pa

HELD = 2**24  # bytes of records that make a table
TOGETHER = (
    128  # pieces read at most before they are joined: apart, small tables take far more than their rows
)
ENCODED = HELD // 4  # bytes of them at most, as files hold them


@dataclass(frozen=True)
class Piece:
    """Some records, not read yet: no key of them lies before ``first`` or after ``last``."""

    first: tuple
    last: tuple
    read: Callable[[], pa.Table]
    in_order: bool = False


def merged(pieces: Iterable[Piece], keys: Sequence[str], at_once: int = 1) -> Iterator[pa.Table]:
    """All records in the order of their keys, in tables: each key of one comes before each of the next.

    Little is held where few pieces overlap. ``at_once``: how many are read at a time.
    """
    waiting = sorted(pieces, key=lambda piece: piece.first)
    held, loose, size, end, in_order = [], [], 0, (), True
    for piece, rows in zip(waiting, _read(waiting, at_once), strict=True):
        apart = piece.first > end
        if size >= HELD and apart:
            yield _sorted([*held, *loose], keys, in_order)
            held, loose, size, in_order = [], [], 0, True
        loose.append(rows)
        size += rows.nbytes
        end = max(end, piece.last)
        in_order &= apart and piece.in_order
        if len(loose) == TOGETHER:
            held.append(pa.concat_tables(loose).combine_chunks())
            loose = []
    if held or loose:
        yield _sorted([*held, *loose], keys, in_order)


def _read(pieces: Iterable[Piece], at_once: int) -> Iterator[pa.Table]:
    """Their rows, in their order."""
    with ThreadPoolExecutor(at_once) as pool:
        ahead: deque[Future[pa.Table]] = deque()
        for piece in pieces:
            ahead.append(pool.submit(piece.read))
            if len(ahead) == at_once:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _sorted(tables: Sequence[pa.Table], keys: Sequence[str], in_order: bool) -> pa.Table:
    rows = pa.concat_tables(tables)
    return (rows if in_order else rows.sort_by([(key, "ascending") for key in keys])).combine_chunks()


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
