"""A run as tables, for people who look further: ``sampler_bench.runs.read(path)``."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from sampler_bench.errors import InputError, StoreError
from sampler_bench.runs.manifest import Manifest
from sampler_bench.runs.scored import read_scored
from sampler_bench.runs.store import RunFolder


@dataclass(frozen=True)
class Run:
    """What a run's folder holds, each table a DataFrame, read when it is first asked for.

    Raises
    ------
    StoreError
        By each of its tables, if that is not there, is damaged, or another version wrote it.
    """

    path: Path

    @cached_property
    def manifest(self) -> Manifest:
        """Everything that can change a number."""
        manifest = RunFolder(self.path).manifest()
        if manifest is None:
            raise StoreError(f"{self.path} holds no run; `sampler-bench run` makes one")
        return manifest

    @cached_property
    def conditionals(self) -> pd.DataFrame:
        """A row a prefix of a number: the true law p of the next symbol, and the model's q."""
        return RunFolder(self.path).read("conditionals")

    @cached_property
    def samples(self) -> pd.DataFrame:
        """A row an answer."""
        return RunFolder(self.path).read("samples")

    @cached_property
    def scores(self) -> pd.DataFrame:
        """A row a score."""
        return read_scored(self.path, "scores").to_pandas()

    @cached_property
    def curves(self) -> pd.DataFrame:
        """A row a point of a curve."""
        return read_scored(self.path, "curves").to_pandas()


def read(path: Path | str) -> Run:
    """The run in a folder, or behind a URL, finished or not.

    Raises
    ------
    StoreError
        If there is none.
    """
    run = Run(RunFolder(path).path)
    run.manifest  # noqa: B018  which tells whether there is one
    return run


def only(records: pd.DataFrame, column: str, wanted: str) -> pd.DataFrame:
    """The records of one task, model, arm or decoder. Raises InputError if there is none of that name."""
    there = records[column].unique()
    if wanted not in there:
        raise InputError(f"no {column} {wanted!r} in this run; there are {', '.join(sorted(there))}")
    return records[records[column] == wanted]
