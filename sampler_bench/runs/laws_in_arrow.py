"""Columns of probabilities in a DataFrame: as Arrow holds them, a law takes its 88 bytes and no object."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa


def frame(table: pa.Table) -> pd.DataFrame:
    """The table, its lists left with Arrow: as objects of Python's they would be most of its memory."""
    return table.to_pandas(types_mapper=_of_lists)


def table_of(rows: pd.DataFrame) -> pa.Table:
    """The inverse of ``frame``."""
    table = pa.Table.from_pandas(rows, preserve_index=False)
    return table.replace_schema_metadata()  # pandas cannot read its own of such lists


def packed(table: pa.Table) -> bytes:
    """A table of records that waits, compressed."""
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_stream(sink, table.schema, options=options) as stream:
        stream.write_table(table.combine_chunks())
    return sink.getvalue().to_pybytes()


def unpacked(data: bytes, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """As ``frame`` makes it of the table, or of some of its columns, in their order."""
    stream = pa.ipc.open_stream(data)
    if columns is None:
        return frame(stream.read_all())
    options = pa.ipc.IpcReadOptions(included_fields=[stream.schema.names.index(name) for name in columns])
    return frame(pa.ipc.open_stream(data, options=options).read_all().select([*columns]))


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
