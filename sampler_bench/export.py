"""A run as a dataset: a file a table, its manifest, and a card."""

from pathlib import Path

import pyarrow as pa

from sampler_bench.dataset import OF_CSV, check_format, in_yaml, write_tables
from sampler_bench.errors import StoreError
from sampler_bench.files import location, write_whole
from sampler_bench.plain import in_markdown
from sampler_bench.runs.manifest import Manifest
from sampler_bench.runs.records import RECORDS
from sampler_bench.runs.scored import read_scored
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
ROWS = {
    "conditionals": "a prefix of a number: the true next-symbol law p and the model's q (0..9, then END)",
    "samples": "an answer: its text, the number found in it, whether it is valid, what it cost",
    "scores": "a figure: value, interval, spread of the wordings, noise floor, p-value",
    "curves": "a point of a curve, by position or by what is left to write",
}


def export(run: Path, out: Path, kind: str = "parquet") -> list[Path]:
    """Write a finished run's tables, each as one file, with its manifest and a dataset card.

    Parameters
    ----------
    run, out : path
    kind : str
        ``parquet`` or ``csv`` (``dataset.write_tables``).

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
    check_format(kind)
    run, out = location(run), location(out)
    folder = RunFolder(run)
    manifest = folder.manifest() if run.is_dir() else None
    if manifest is None or not (run / "scores.parquet").is_file():
        raise StoreError(f"{run} holds no finished run; `sampler-bench run` makes one")
    tables = {name: _read(folder, name) for name in ROWS}
    written, configs = write_tables(tables, out, kind)
    written.append(out / "manifest.json")
    write_whole(written[-1], lambda path: path.write_bytes((run / "manifest.json").read_bytes()))
    written.append(out / "README.md")
    card = _card(manifest, tables, configs, kind)
    write_whole(written[-1], lambda path: path.write_text(card, encoding="utf-8"))
    return written


def _read(folder: RunFolder, name: str) -> pa.Table:
    if name in RECORDS:
        return pa.Table.from_pandas(folder.read(name), schema=RECORDS[name], preserve_index=False)
    return read_scored(folder.path, name)


def _card(manifest: Manifest, tables: dict[str, pa.Table], configs: str, kind: str) -> str:
    rows = "".join(f"| `{name}` | {len(table):,} | {ROWS[name]} |\n" for name, table in tables.items())
    models, tasks = (", ".join(map(in_markdown, each)) for each in (manifest.models, manifest.tasks))
    of_run = {
        "suite": in_markdown(manifest.suite),
        "models": models,
        "tasks": tasks,
        **manifest.settings.model_dump(),
    }
    return CARD.format(
        pretty_name=in_yaml(f"{manifest.suite} of sampler_bench"),
        configs=configs,
        tables=rows,
        of_format=OF_CSV if kind == "csv" else "",
        **of_run,
    )
