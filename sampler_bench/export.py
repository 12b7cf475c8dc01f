"""A run as a folder that Hugging Face datasets, pandas and DuckDB open without code of ours."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from sampler_bench.errors import InputError, StoreError
from sampler_bench.files import location, make_folder, write_whole
from sampler_bench.plain import in_markdown, in_spreadsheet, one_line
from sampler_bench.runs.manifest import Manifest
from sampler_bench.runs.records import RECORDS
from sampler_bench.runs.store import RunFolder

CARD = """---
pretty_name: {pretty_name}
license: apache-2.0
tags: [sampler_bench, calibration, random-numbers]
configs:
{configs}---

# {suite}

How far language models are from the exact distribution of constrained random numbers, digit by digit:
a run of sampler_bench on suite {suite} (seed {seed}, {numbers} numbers, {samples} answers a task and arm).

| table | rows | a row is |
| --- | ---: | --- |
{tables}
Models: {models}. Tasks: {tasks}.

`manifest.json` says all that can change a number: tasks, prompts, weights, versions, seeds. The definitions
of every figure are in docs/method.md of sampler_bench.
{of_format}"""
OF_CSV = """
In the CSV files a text that a spreadsheet would take for a formula (it begins with = + - @ or a control
character) has an apostrophe before it; so has one that begins with apostrophes and then so: take one away. An
empty text and none are the same there, as are NaN and none. `--format parquet` writes all as it is.
"""
ROWS = {
    "conditionals": "a prefix of a number: the true next-symbol law p and the model's q (0..9, then END)",
    "samples": "an answer: its text, the number found in it, whether it is valid, what it cost",
    "scores": "a figure: value, interval, spread of the wordings, noise floor, p-value",
    "curves": "a point of a curve, by position or by what is left to write",
}
FORMATS = ("parquet", "csv")

_if_else = pc.if_else  # pyright: ignore[reportAttributeAccessIssue]  pyarrow makes it as it is imported


def export(run: Path, out: Path, kind: str = "parquet") -> list[Path]:
    """Write a finished run's tables, each as one file, with its manifest and a dataset card.

    Parameters
    ----------
    run, out : path
    kind : str
        ``parquet`` or ``csv``; in CSV the eleven probabilities are a column each, those after each trace
        in one, with spaces between, and no text is a formula (``in_spreadsheet``).

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    InputError
        If the kind is neither.
    StoreError
        If ``run`` holds no finished run, or ``out`` cannot be written.
    """
    if kind not in FORMATS:
        raise InputError(f"format {kind!r}: choose from {', '.join(FORMATS)}")
    run, out = location(run), location(out)
    folder = RunFolder(run)
    manifest = folder.manifest() if run.is_dir() else None
    if manifest is None or not (run / "scores.parquet").is_file():
        raise StoreError(f"{run} holds no finished run; `sampler-bench run` makes one")
    tables = {name: _read(folder, name) for name in ROWS}
    if kind == "csv":
        tables = {name: _for_csv(table) for name, table in tables.items()}
    make_folder(out / "data")
    written = []
    for name, table in tables.items():
        written.append(out / "data" / f"{name}.{kind}")
        write_whole(written[-1], lambda path, table=table: _write(table, path, kind))
    written.append(out / "manifest.json")
    write_whole(written[-1], lambda path: path.write_bytes((run / "manifest.json").read_bytes()))
    written.append(out / "README.md")
    write_whole(written[-1], lambda path: path.write_text(_card(manifest, tables, kind), encoding="utf-8"))
    return written


def _read(folder: RunFolder, name: str) -> pa.Table:
    if name in RECORDS:
        return pa.Table.from_pandas(folder.read(name), schema=RECORDS[name], preserve_index=False)
    return folder.read_scored(name)


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
            columns[name] = pa.array([" ".join(map(repr, row)) for row in column.to_pylist()], pa.string())
        elif pa.types.is_string(column.type):
            columns[name] = _safe(column)
        else:
            columns[name] = column
    for name, column in columns.items():
        if pa.types.is_floating(column.type):
            columns[name] = _if_else(column.is_nan(), None, column)
    return pa.table(columns)


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


def _card(manifest: Manifest, tables: dict[str, pa.Table], kind: str) -> str:
    configs = "".join(_config(name, table, kind) for name, table in tables.items())
    rows = "".join(f"| `{name}` | {len(table):,} | {ROWS[name]} |\n" for name, table in tables.items())
    models, tasks = (", ".join(map(in_markdown, each)) for each in (manifest.models, manifest.tasks))
    of_run = {
        "suite": in_markdown(manifest.suite),
        "models": models,
        "tasks": tasks,
        **manifest.settings.model_dump(),
    }
    return CARD.format(
        pretty_name=_yaml(f"{manifest.suite} of sampler_bench"),
        configs=configs,
        tables=rows,
        of_format=OF_CSV if kind == "csv" else "",
        **of_run,
    )


def _config(name: str, table: pa.Table, kind: str) -> str:
    """What `datasets` is told of a table: of CSV all types, for it takes 008 for 8. Parquet has its own."""
    lines = [f"config_name: {name}\n", f"data_files: data/{name}.{kind}\n"]
    if kind == "csv":
        features = [{"name": name, "dtype": _feature(table[name])} for name in table.column_names]
        reading = {"keep_default_na": False, "na_values": [""], "features": features}
        lines += [f"{key}: {_yaml(value)}\n" for key, value in reading.items()]
    return "- " + "  ".join(lines)


def _feature(column: pa.ChunkedArray) -> str | dict:
    """The type of a column as `datasets` calls it, and reads it: integers and bools where none is missing."""
    if pa.types.is_boolean(column.type) and column.null_count:
        return {"class_label": {"names": {"0": "false", "1": "true"}}}
    if pa.types.is_integer(column.type) and column.null_count:
        return "float64"
    return {"double": "float64"}.get(str(column.type), str(column.type))


def _yaml(value: object) -> str:
    """On one line: JSON, which YAML takes in."""
    return json.dumps(one_line(value) if isinstance(value, str) else value, ensure_ascii=False)
