"""What is heavy is loaded where it is needed: the command line answers at once."""

import os
import subprocess
import sys

import pytest

HEAVY = ("numba", "pandas", "matplotlib", "scipy", "sympy")
PROBE = """
import sys
from sampler_bench.cli import answer
assert answer(sys.argv[1:]) == 0
print(*sys.modules, file=sys.stderr)
"""


def loaded_by(cache, *arguments):
    """Modules that a command loads."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments],
        env=os.environ | {"SAMPLER_BENCH_CACHE": str(cache)},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stderr.splitlines()[-1].split())


def test_help_loads_nothing_heavy(cache):
    loaded = loaded_by(cache, "--help")
    assert not loaded & {*HEAVY, "numpy", "pyarrow", "pydantic"}


def test_importing_run_loads_nothing_heavy():
    code = "import sys; from sampler_bench import run; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {*done.stdout.split()} & {*HEAVY, "numpy", "pyarrow", "pydantic"}


def test_importing_the_targets_loads_no_family():
    code = "import sys, sampler_bench.targets as t; t.END; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert not [name for name in loaded if name.startswith("sampler_bench.targets.families")]


@pytest.mark.parametrize("task", ["even-6", "twin-primes-9", "powers-of-3-100", "twin-primes-12"])
def test_the_truth_of_a_task_loads_nothing_heavy(task, cache):
    assert not loaded_by(cache, "truth", task) & set(HEAVY)


def test_tasks_are_counted_once(cache):
    loaded_by(cache, "tasks")
    assert not loaded_by(cache, "tasks") & set(HEAVY)


def test_a_run_loads_no_laws_of_scipy(cache, tmp_path):
    """They take as long to load as all else together that a small run needs."""
    size = ("--numbers", "2", "--samples", "2", "--quiet", "--out", str(tmp_path / "run"))
    assert "scipy.stats" not in loaded_by(cache, "run", "even-6", "--model", "oracle", *size)
