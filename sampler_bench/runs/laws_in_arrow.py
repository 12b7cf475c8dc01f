"""Columns of probabilities in a DataFrame: as Arrow holds them, a law takes its 88 bytes and no object."""

import numpy as np
import pandas as pd
import pyarrow as pa


def frame(table: pa.Table) -> pd.DataFrame:
    """The table, its lists left with Arrow: as objects of Python's they would be most of its memory."""
    return table.to_pandas(types_mapper=_of_lists)


class Packed:
    """A table of records on its way to another process: compressed, for several wait at a time."""

    def __init__(self, table: pa.Table):
        sink = pa.BufferOutputStream()
        options = pa.ipc.IpcWriteOptions(compression="zstd")
        with pa.ipc.new_stream(sink, table.schema, options=options) as stream:
            stream.write_table(table)
        self._data = sink.getvalue().to_pybytes()

    def frame(self) -> pd.DataFrame:
        """As ``frame`` makes it of the table."""
        return frame(pa.ipc.open_stream(self._data).read_all())


def stacked(column: pd.Series) -> np.ndarray:
    """A column of lists of one length, of either kind, as an array of shape (rows, length)."""
    if not isinstance(column.dtype, pd.ArrowDtype):
        return np.stack(column.to_numpy())
    lists = column.array.__arrow_array__().combine_chunks()  # pyright: ignore[reportAttributeAccessIssue]
    return np.from_dlpack(lists.flatten()).reshape(len(column), -1)


def with_arrays(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows as people know them, each list an array: Arrow gives lists of Python's out, and twice such a
    list is a longer one.
    """
    lists = [name for name, kind in rows.dtypes.items() if isinstance(kind, pd.ArrowDtype)]
    arrays = {str(name): pd.Series([*map(np.asarray, rows[name])], rows.index, object) for name in lists}
    return rows.assign(**arrays)


def _of_lists(kind: pa.DataType) -> pd.ArrowDtype | None:
    return pd.ArrowDtype(kind) if pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind) else None
