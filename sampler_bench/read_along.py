"""The laws that were read along one number."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from sampler_bench.errors import InputError
from sampler_bench.integers import shown
from sampler_bench.rules import NUMBER
from sampler_bench.runs.manifest import Manifest
from sampler_bench.runs.reading import only, read
from sampler_bench.score.scores import ROW
from sampler_bench.targets.registry import make_target


def conditionals_along(path: Path, number: str, said: Mapping[str, str | None]) -> pd.DataFrame:
    """The conditionals of the one task, model, arm and decoder in which a number was read along.

    ``said``: which of each, None where that is not said.

    Raises
    ------
    InputError
        If there is none, or several and it is not said which.
    StoreError
        If there is no such run.
    """
    run = read(path)
    records = run.conditionals
    records = records[~records["blind"] & (records["traces_of"] == "")]
    for column, wanted in said.items():
        if wanted is not None:
            records = only(records, column, wanted)
    # Prefixes of the number's length are complete numbers, or its beginnings of longer ones.
    holding = records[records["prefix"] == number][["task", *ROW]].drop_duplicates()
    if holding.empty:
        reason = _why_no_member(run.manifest, records["task"].unique(), number)
        raise InputError(
            f"{shown(number)} was not read along in {path}{reason}; `sampler-bench export` lists what was"
        )
    for column in ("task", *ROW):
        there = holding[column].unique()
        if len(there) > 1:
            choice = ", ".join(there)
            raise InputError(f"{number} was read along for several: say --{column}, one of {choice}")
    return records.merge(holding, on=["task", *ROW])


def _why_no_member(manifest: Manifest, tasks: Sequence[str], number: str) -> str:
    """Of the one task that is meant; nothing where several are."""
    if len(tasks) != 1 or tasks[0] not in manifest.tasks or not NUMBER.fullmatch(number):
        return ""
    reason = make_target(manifest.tasks[tasks[0]].target).why_not(number)
    return f": it is no member of {tasks[0]} ({reason})" if reason else ""
