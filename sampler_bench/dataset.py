"""Tables as files that Hugging Face datasets, pandas and DuckDB open without code of ours."""

import json
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from sampler_bench.errors import InputError
from sampler_bench.files import make_folder, write_whole
from sampler_bench.plain import in_spreadsheet, one_line

FORMATS = ("parquet", "csv")
OF_CSV = """
In the CSV files a text that a spreadsheet would take for a formula (it begins with = + - @ or a control
character) has an apostrophe before it; so has one that begins with apostrophes and then so: take one away. An
empty text and none are the same there, as are NaN and none. `--format parquet` writes all as it is.
"""

_if_else = pc.if_else  # pyright: ignore[reportAttributeAccessIssue]  pyarrow makes it as it is imported


def write_tables(tables: Mapping[str, pa.Table], out: Path, kind: str) -> tuple[list[Path], str]:
    """Write tables to ``out/data``, a file each.

    In CSV the eleven probabilities of a law are a column each, those after each trace in one, with spaces
    between, the turns of a chat are JSON, and no text is a formula (``in_spreadsheet``).

    Parameters
    ----------
    tables : mapping of str to Table
        By name.
    out : Path
        Made if it is not there.
    kind : str
        One of ``FORMATS``.

    Returns
    -------
    list of Path
        The files.
    str
        What the card of the dataset says of them at its head, in YAML.

    Raises
    ------
    InputError
        If the kind is none of them.
    StoreError
        If the folder cannot be written.
    """
    check_format(kind)
    if kind == "csv":
        tables = {name: _for_csv(table) for name, table in tables.items()}
    make_folder(out / "data")
    written = []
    for name, table in tables.items():
        written.append(out / "data" / f"{name}.{kind}")
        write_whole(written[-1], lambda path, table=table: _write(table, path, kind))
    return written, "".join(_config(name, table, kind) for name, table in tables.items())


def check_format(kind: str) -> None:
    """Raise InputError if it is none of ``FORMATS``."""
    if kind not in FORMATS:
        raise InputError(f"format {kind!r}: choose from {', '.join(FORMATS)}")


def in_yaml(value: object) -> str:
    """On one line: JSON, which YAML takes in."""
    return json.dumps(one_line(value) if isinstance(value, str) else value, ensure_ascii=False)


def _write(table: pa.Table, path: Path, kind: str) -> None:
    if kind == "parquet":
        pq.write_table(table, path, compression="zstd")
    else:
        pyarrow.csv.write_csv(table, path)


def _for_csv(table: pa.Table) -> pa.Table:
    """With a column for each entry of lists of one length (p_0, ..., p_9, p_end), others as numbers in a row.

    Texts are safe, and NaN is missing.
    """
    columns = {}
    for name in table.column_names:
        column = table[name].combine_chunks()
        if pa.types.is_fixed_size_list(column.type):
            columns |= _entries(name, column)
        elif pa.types.is_list(column.type):
            columns[name] = pa.array(map(_row_of, column.to_pylist()), pa.string())
        elif pa.types.is_string(column.type):
            columns[name] = _safe(column)
        else:
            columns[name] = column
    for name, column in columns.items():
        if pa.types.is_floating(column.type):
            columns[name] = _if_else(column.is_nan(), None, column)
    return pa.table(columns)


def _row_of(values: list) -> str:
    """Numbers with spaces between; anything else as JSON."""
    if values and not isinstance(values[0], float):
        return json.dumps(values, ensure_ascii=False)
    return " ".join(map(repr, values))


def _entries(name: str, lists: pa.FixedSizeListArray) -> dict[str, pa.Array]:
    size, entries = lists.type.list_size, lists.flatten()
    labels = [*(f"{name}_{place}" for place in range(size - 1)), f"{name}_end"]
    return {
        label: entries.take(pa.array(range(place, len(entries), size))) for place, label in enumerate(labels)
    }


def _safe(texts: pa.StringArray) -> pa.StringArray:
    coded = texts.dictionary_encode()
    safe = pa.array([*map(in_spreadsheet, coded.dictionary.to_pylist())], pa.string())
    return safe.take(coded.indices)


def _config(name: str, table: pa.Table, kind: str) -> str:
    """What `datasets` is told of a table: of CSV all types, for it takes 008 for 8. Parquet has its own."""
    lines = [f"config_name: {name}\n", f"data_files: data/{name}.{kind}\n"]
    if kind == "csv":
        features = [{"name": name, "dtype": _feature(table[name])} for name in table.column_names]
        reading = {"keep_default_na": False, "na_values": [""], "features": features}
        lines += [f"{key}: {in_yaml(value)}\n" for key, value in reading.items()]
    return "- " + "  ".join(lines)


def _feature(column: pa.ChunkedArray) -> str | dict:
    """The type of a column as `datasets` calls it, and reads it: integers and bools where none is missing."""
    if pa.types.is_boolean(column.type) and column.null_count:
        return {"class_label": {"names": {"0": "false", "1": "true"}}}
    if pa.types.is_integer(column.type) and column.null_count:
        return "float64"
    return {"double": "float64"}.get(str(column.type), str(column.type))
