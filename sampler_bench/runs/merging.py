"""Records of many files as one sorted sequence, of which little is held at a time."""

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import pyarrow as pa

HELD = 2**24  # bytes of records that make a table
TOGETHER = 128  # small tables that are joined: apart, they take far more than their rows


@dataclass(frozen=True)
class Piece:
    """Some records, not read yet: no key of them lies before ``first`` or after ``last``.

    ``in_order``: whether they are sorted, and apart from all other pieces of which that is said.
    """

    first: tuple
    last: tuple
    read: Callable[[], pa.Table]
    in_order: bool = False


def merged(pieces: Iterable[Piece], keys: Sequence[str], at_once: int = 1) -> Iterator[pa.Table]:
    """All records in the order of their keys, in tables: each key of one comes before each of the next.

    Little is held where few pieces overlap. ``at_once``: how many are read at a time.
    """
    waiting = sorted(pieces, key=lambda piece: piece.first)
    held, end = _Held(), ()
    for piece, rows in zip(waiting, _read(waiting, at_once), strict=True):
        if piece.first > end and held.size >= HELD:
            yield held.taken(keys)
        held.add(rows, piece.in_order)
        end = max(end, piece.last)
    if waiting:
        yield held.taken(keys)


class _Held:
    """Tables that are to become one. ``size``: their bytes."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self.size, self._in_order = 0, True
        self._joined: list[pa.Table] = []
        self._loose: list[pa.Table] = []

    def add(self, rows: pa.Table, in_order: bool) -> None:
        """``in_order``: whether they are sorted, and come after others of which that is said."""
        self.size += rows.nbytes
        self._in_order &= in_order
        self._loose.append(rows)
        if len(self._loose) == TOGETHER:
            self._joined.append(pa.concat_tables(self._loose).combine_chunks())
            self._loose = []

    def taken(self, keys: Sequence[str]) -> pa.Table:
        """The one, sorted; the tables are not held any more."""
        rows = pa.concat_tables([*self._joined, *self._loose])
        if not self._in_order:
            rows = rows.sort_by([(key, "ascending") for key in keys])
        self._begin()
        return rows.combine_chunks()


def _read(pieces: Iterable[Piece], at_once: int) -> Iterator[pa.Table]:
    """Their rows, in their order."""
    if at_once == 1:  # a thread would keep what it had
        yield from (piece.read() for piece in pieces)
        return
    with ThreadPoolExecutor(at_once) as pool:
        ahead: deque[Future[pa.Table]] = deque()
        for piece in pieces:
            ahead.append(pool.submit(piece.read))
            if len(ahead) == at_once:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def has_twice(rows: pa.Table, keys: Sequence[str]) -> bool:
    """Whether two rows have the same keys."""
    return len(rows.group_by(list(keys)).aggregate([])) < len(rows)


def apart(tables: Iterable[pa.Table], column: str) -> Iterator[pa.Table]:
    """Tables sorted by a column, cut where its value changes: each has one."""
    for table in tables:
        start = 0
        for found in table[column].value_counts().to_pylist():  # in the order of the rows
            yield table.slice(start, found["counts"])
            start += found["counts"]


def by_value(tables: Iterable[pa.Table], column: str) -> Iterator[pa.Table]:
    """Of tables sorted by a column, one for each of its values."""
    for _, same in itertools.groupby(apart(tables, column), key=lambda rows: rows[column][0].as_py()):
        yield pa.concat_tables([*same])
