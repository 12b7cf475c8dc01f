"""Records of laws that are looked at a piece at a time, for there may be very many."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from sampler_bench.runs.laws_in_arrow import packed, table_of, unpacked

PIECE = 2**24  # bytes of records, about: more would only take memory


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
        """By the values of these columns, which are the same in all records of a number; sorted by them.

        Where there are several pieces, what was packed is packed again; of one alone all stays unpacked.
        """
        found: dict[tuple, list[pd.DataFrame | bytes]] = defaultdict(list)
        for piece in self._pieces:
            values = _frame(piece, columns).drop_duplicates()
            if len(values) == 1:
                found[tuple(values.iloc[0])].append(piece)
                continue
            pack_again = isinstance(piece, bytes) and len(self._pieces) > 1
            for values, rows in _frame(piece).groupby([*columns]):
                found[values].append(packed(table_of(rows)) if pack_again else rows)
        return {values: Laws(found[values]) for values in sorted(found)}


def _frame(piece: pd.DataFrame | bytes, columns: Sequence[str] | None = None) -> pd.DataFrame:
    if isinstance(piece, bytes):
        return unpacked(piece, columns)
    return piece if columns is None else piece[[*columns]]


def _of_whole_numbers(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Their rows, in tables of about PIECE that begin where a number does."""
    rest: list[pa.Table] = []
    for table in tables:
        rows = pa.concat_tables([*rest, table])
        starts = np.flatnonzero(np.diff(rows["position"].to_numpy()) <= 0) + 1
        start, most = 0, PIECE * len(rows) // rows.nbytes
        while len(rows) - start > most and (later := starts[starts > start]).size:
            few = later[later <= start + most]
            end = int(few[-1] if few.size else later[0])
            yield rows.slice(start, end - start)
            start = end
        rest = [rows.slice(start)]
    yield from rest
