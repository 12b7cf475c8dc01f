"""Two rows of runs beside each other: two models, arms or decoders, of one run or of two."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from sampler_bench.errors import InputError
from sampler_bench.files import location, make_folder, write_whole
from sampler_bench.models.reference import find_reference
from sampler_bench.publish import find_runs, truth_of, write_csv
from sampler_bench.report.figures.forest import forest
from sampler_bench.report.figures.style import save
from sampler_bench.runs.records import LONG_TEXTS
from sampler_bench.runs.store import RunFolder
from sampler_bench.score.paired import Side, differences
from sampler_bench.score.scores import ROW
from sampler_bench.score.truth import Truth


@dataclass(frozen=True)
class _Run:
    path: Path
    conditionals: pd.DataFrame
    samples: pd.DataFrame

    @classmethod
    def read(cls, path: Path) -> "_Run":
        find_runs(path)
        folder = RunFolder(path)
        samples = folder.read("samples", without=LONG_TEXTS)
        return cls(path, folder.read("conditionals"), samples[~samples["blind"]])

    def rows(self) -> pd.DataFrame:
        """The models, arms and decoders that were measured."""
        return pd.concat([self.conditionals[ROW], self.samples[ROW]]).drop_duplicates(ignore_index=True)

    def side(self, row: Mapping[str, str]) -> Side:
        tables = []
        for table in (self.conditionals, self.samples):
            tables.append(table[(table[ROW] == pd.Series(row)).all(axis=1)])
        return Side(*tables, reference=find_reference(row["model"]) is not None)


def compare(
    before: Path, after: Path, of: Mapping[str, str | None], others: Mapping[str, str | None]
) -> pd.DataFrame:
    """Skill, uptake and validity of rows of one run less those of another, paired by number and wording.

    Parameters
    ----------
    before, after : path
        Folders of finished runs; one and the same, to compare rows of one run.
    of, others : mapping
        From ``model``, ``arm`` and ``decoder`` to the one that is meant before and after, or None. What is
        said of one side alone holds for both; of what is said of neither, all that both runs have.

    Returns
    -------
    DataFrame
        Columns of ``score.paired.differences``, and before them ``model``, ``arm``, ``decoder`` and
        ``with_model``, ``with_arm``, ``with_decoder``.

    Raises
    ------
    InputError
        If a run has no such row, or the two have no row or no task in common.
    StoreError
        If there is no finished run.
    """
    first = _Run.read(before)
    second = first if before == after else _Run.read(after)
    tables = []
    truths = _common_truths(before, after)
    for row, other in _pairs(first, second, of, others):
        found = differences(truths, first.side(row), second.side(other))
        named = {**row, **{f"with_{name}": value for name, value in other.items()}}
        tables.append(pd.DataFrame([named] * len(found), columns=[*named]).join(found))
    tables = [table for table in tables if len(table)]
    if not tables:
        raise InputError(f"{before} and {after} have no task, model and arm in common")
    return pd.concat(tables, ignore_index=True)


def write_comparison(found: pd.DataFrame, out: Path) -> list[Path]:
    """Write what ``compare`` found as a table, and as a forest plot. Returns what was written.

    Raises
    ------
    StoreError
        If the folder cannot be written.
    """
    out = location(out)
    make_folder(out)
    paths = [out / f"comparison.{ending}" for ending in ("csv", "svg", "png")]
    write_whole(paths[0], partial(write_csv, found))
    figure = forest(found)
    for path in paths[1:]:
        write_whole(path, partial(save, figure, path.suffix[1:]))
    return paths


def _common_truths(before: Path, after: Path) -> list[Truth]:
    """Of the tasks that both runs have in the same form."""
    manifests = [RunFolder(path).manifest() for path in (before, after)]
    first, second = (manifest.tasks if manifest else {} for manifest in manifests)
    return [
        truth_of(name, task)
        for name, task in first.items()
        if name in second and second[name].target == task.target
    ]


def _pairs(
    first: _Run, second: _Run, of: Mapping[str, str | None], others: Mapping[str, str | None]
) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """Rows that are compared, before and after."""
    mine = {name: of[name] or others[name] for name in ROW}
    theirs = {name: others[name] or of[name] for name in ROW}
    rows = [_chosen(run, wanted) for run, wanted in ((first, mine), (second, theirs))]
    free = [name for name in ROW if mine[name] is None]
    for cells in rows[0].itertuples(index=False):
        row = dict(zip(ROW, cells, strict=True))
        for other_cells in rows[1].itertuples(index=False):
            other = dict(zip(ROW, other_cells, strict=True))
            if all(row[name] == other[name] for name in free):
                yield row, other


def _chosen(run: _Run, wanted: Mapping[str, str | None]) -> pd.DataFrame:
    rows = run.rows()
    for name, value in wanted.items():
        if value is not None:
            there = rows[name].unique()
            if value not in there:
                raise InputError(f"no {name} {value!r} in {run.path}; there are {', '.join(sorted(there))}")
            rows = rows[rows[name] == value]
    return rows
