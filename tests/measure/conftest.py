"""Runs that others look into: one that was stopped, one that was finished."""

import shutil

import pytest

from sampler_bench import run
from sampler_bench.runs.store import RunFolder

MODELS = ["oracle", "uniform-digits"]


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """A run that was stopped before its end."""
    out = tmp_path_factory.mktemp("measured") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RunFolder, "compact", lambda _: None)
        run("twin-primes-3", MODELS, out=out, samples=6)
    return out


@pytest.fixture(scope="module")
def finished(measured, tmp_path_factory):
    out = shutil.copytree(measured, tmp_path_factory.mktemp("finished") / "run")
    run("twin-primes-3", MODELS, out=out, samples=6)
    return out


@pytest.fixture
def copy(measured, tmp_path):
    return shutil.copytree(measured, tmp_path / "copy")


def first_part(folder, kind="conditionals"):
    return min((folder / kind).glob("*.parquet"))
