"""A run as a folder that Hugging Face datasets, pandas and DuckDB open without code of ours."""

from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from sampler_bench.errors import InputError, StoreError
from sampler_bench.files import location, make_folder, read_parquet, storage_errors, write_whole
from sampler_bench.measure.records import SCHEMAS
from sampler_bench.measure.store import RunFolder

CARD = """---
pretty_name: {suite} of sampler_bench
license: apache-2.0
tags: [sampler_bench, calibration, random-numbers]
configs:
{configs}---

# {suite}

How far language models are from the exact distribution of constrained random numbers, digit by digit:
a run of sampler_bench on suite `{suite}` (seed {seed}, {numbers} numbers, {samples} answers a task and arm).

| table | rows | a row is |
| --- | ---: | --- |
{tables}
Models: {models}. Tasks: {tasks}.

`manifest.json` says all that can change a number: tasks, prompts, weights, versions, seeds. The definitions
of every figure are in docs/method.md of sampler_bench.
"""
ROWS = {
    "conditionals": "a prefix of a number: the true next-symbol law p and the model's q (0..9, then END)",
    "samples": "an answer: its text, the number found in it, whether it is valid, what it cost",
    "scores": "a figure: value, interval, spread of the wordings, noise floor, p-value",
    "curves": "a point of a curve, by position or by what is left to write",
}
FORMATS = ("parquet", "csv")


def export(run: Path, out: Path, kind: str = "parquet") -> list[Path]:
    """Write a finished run's tables, each as one file, with its manifest and a dataset card.

    Parameters
    ----------
    run, out : path
    kind : str
        ``parquet`` or ``csv``; in CSV the eleven probabilities are a column each.

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
    manifest = folder.read_manifest() if run.is_dir() else None
    if manifest is None or not (run / "scores.parquet").is_file():
        raise StoreError(f"{run} holds no finished run; `sampler-bench run` makes one")
    tables = {name: _read(folder, name) for name in ROWS}
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
    if name in SCHEMAS:
        return pa.Table.from_pandas(folder.read(name), schema=SCHEMAS[name], preserve_index=False)
    try:
        return read_parquet(folder.path / f"{name}.parquet")
    except (*storage_errors(), pa.ArrowException) as error:
        reason = f"{folder.path} has no {name} to read: {error}; `sampler-bench score` makes them"
        raise StoreError(reason) from error


def _write(table: pa.Table, path: Path, kind: str) -> None:
    if kind == "parquet":
        pq.write_table(table, path, compression="zstd")
    else:
        pyarrow.csv.write_csv(_flat(table), path)


def _flat(table: pa.Table) -> pa.Table:
    """With a column for each entry of lists of one length: p_0, ..., p_9, p_end."""
    columns = {}
    for name in table.column_names:
        column = table[name].combine_chunks()
        if pa.types.is_fixed_size_list(column.type):
            entries = column.flatten()
            size = column.type.list_size
            for place in range(size):
                label = f"{name}_{place}" if place < size - 1 else f"{name}_end"
                columns[label] = entries.take(pa.array(range(place, len(entries), size)))
        else:
            columns[name] = column
    return pa.table(columns)


def _card(manifest: dict, tables: dict[str, pa.Table], kind: str) -> str:
    configs = "".join(f"- config_name: {name}\n  data_files: data/{name}.{kind}\n" for name in tables)
    rows = "".join(f"| `{name}` | {len(table):,} | {ROWS[name]} |\n" for name, table in tables.items())
    models, tasks = (", ".join(f"`{name}`" for name in manifest[each]) for each in ("models", "tasks"))
    of_run = {"suite": manifest["suite"], "models": models, "tasks": tasks, **manifest["settings"]}
    return CARD.format(configs=configs, tables=rows, **of_run)
