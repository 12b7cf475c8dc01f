"""Records of laws that are looked at a piece at a time, for there may be very many."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from sampler_bench.runs.laws_in_arrow import packed, unpacked

AT_ONCE = 2**16  # records of a piece, about: more would only take memory


class Laws:
    """Records of conditionals (``runs/records.py``), in pieces none of which ends within a number.

    A piece is a frame, or packed, and then unpacked whenever it is looked at.
    """

    def __init__(self, pieces: Sequence[pd.DataFrame | bytes] = ()):
        self._pieces = pieces

    @classmethod
    def packed(cls, tables: Iterable[pa.Table]) -> "Laws":
        """Those of tables, sorted as a run's are. Packed as they come."""
        return cls([*map(packed, _of_whole_numbers(tables))])

    def pieces(self, columns: Sequence[str] | None = None) -> Iterator[pd.DataFrame]:
        """One after the other, all columns or some; laws as they are held (``runs/laws_in_arrow.py``)."""
        return (_frame(piece, columns) for piece in self._pieces)

    def frame(self) -> pd.DataFrame:
        """All at once."""
        pieces = [*self.pieces()]
        return pieces[0] if len(pieces) == 1 else pd.concat(pieces, ignore_index=True)

    def apart(self, columns: Sequence[str]) -> dict[tuple, "Laws"]:
        """By the values of these columns, which are the same in all records of a number; sorted by them."""
        found: dict[tuple, list[pd.DataFrame | bytes]] = defaultdict(list)
        for piece in self._pieces:
            records = _frame(piece)
            for values, rows in records.groupby([*columns]):
                found[values].append(piece if len(rows) == len(records) else rows)
        return {values: Laws(found[values]) for values in sorted(found)}


def _frame(piece: pd.DataFrame | bytes, columns: Sequence[str] | None = None) -> pd.DataFrame:
    if isinstance(piece, bytes):
        return unpacked(piece, columns)
    return piece if columns is None else piece[[*columns]]


def _of_whole_numbers(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Their rows, in tables of about AT_ONCE that begin where a number does."""
    rest: list[pa.Table] = []
    for table in tables:
        rows = pa.concat_tables([*rest, table])
        starts = np.flatnonzero(np.diff(rows["position"].to_numpy()) <= 0) + 1
        start = 0
        while len(rows) - start > AT_ONCE and (later := starts[starts > start]).size:
            few = later[later <= start + AT_ONCE]
            end = int(few[-1] if few.size else later[0])
            yield rows.slice(start, end - start)
            start = end
        rest = [rows.slice(start)]
    yield from rest
