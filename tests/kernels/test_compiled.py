"""Kernels are compiled once on a machine, again when any of their sources changes, and never run damaged."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import sampler_bench
from sampler_bench.files import cache_folder
from sampler_bench.kernels import compiled, is_prime, is_probable_prime

LARGE = 10**99 + 289  # the first prime of a hundred digits, as sympy.nextprime(10**99) says
PROGRAM = f"""
from sampler_bench.kernels import is_prime, is_probable_prime, primality, probable_primes
print(is_prime([2**61 - 1, 2**61 + 1]).tolist(), is_probable_prime([{LARGE}]).tolist())
kernels = (primality._by_trials, primality.pass_base_2, probable_primes._meet_euler)
misses = [sum(kernel.stats.cache_misses.values()) for kernel in kernels]
print(sum(len(kernel.signatures) for kernel in kernels), sum(misses))
"""


@pytest.fixture
def package(tmp_path):
    """A copy of the package, to be edited."""
    source = Path(sampler_bench.__file__).parent
    return shutil.copytree(source, tmp_path / "sampler_bench", ignore=shutil.ignore_patterns("__pycache__"))


def answers(package, cache=None):
    """What a copy of the package answers, how many kernels it needed and compiled, and what it said."""
    environment = {**os.environ, "PYTHONPATH": str(package.parent)}
    if cache:
        environment["SAMPLER_BENCH_CACHE"] = str(cache)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        cwd=package.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found, counts = done.stdout.splitlines()
    return found, [int(count) for count in counts.split()], done.stderr


RIGHT = "[True, False] [True]"


def test_an_edit_of_an_imported_kernel_is_what_runs(package, tmp_path):
    cache = tmp_path / "cache"  # its own: the user's keeps few states of the sources, and others add to them
    found, (needed, _), _ = answers(package, cache)
    assert (found, needed > 0) == (RIGHT, True)
    assert answers(package, cache)[:2] == (RIGHT, [needed, 0])  # nothing is compiled again
    source = package / "kernels" / "montgomery.py"
    whole, times = source.read_text(), source.stat()
    broken = whole.replace("2 * i, a[i], a[i]", "2 * i, a[i], twice[i]")
    assert broken != whole
    source.write_text(broken)
    os.utime(source, ns=(times.st_atime_ns, times.st_mtime_ns))
    found, _, _ = answers(package, cache)
    assert found == "[True, False] [False]"  # squares are twice too large, and no prime passes
    source.write_text(whole)
    assert answers(package, cache)[:2] == (RIGHT, [needed, 0])


def test_damaged_machine_code_is_compiled_again_and_a_line_says_so(package, tmp_path):
    is_prime([97]), is_probable_prime([LARGE])  # compiled if they were not
    (state,) = (path for path in (cache_folder() / "kernels").iterdir() if path.name == compiled._sources())
    here = shutil.copytree(state, tmp_path / "cache" / "kernels" / state.name)
    (path,) = here.glob("_by_trials-*")
    code = bytearray(path.read_bytes())
    code[len(code) // 2] ^= 1
    path.write_bytes(code)
    found, (_, compiled_again), said = answers(package, tmp_path / "cache")
    assert (found, compiled_again) == (RIGHT, 1)
    assert said.startswith(f"note: {path} is damaged")
    assert said.count("\n") == 1
    assert answers(package, tmp_path / "cache")[1:] == ([3, 0], "")


def test_machine_code_of_old_sources_is_removed(tmp_path):
    for age in range(20):
        (tmp_path / str(age)).mkdir()
        (tmp_path / str(age) / "code").write_text("")
        os.utime(tmp_path / str(age), (10**9 - age, 10**9 - age))
    compiled._remove_old(tmp_path)
    assert sorted(int(path.name) for path in tmp_path.iterdir()) == list(range(compiled.SOURCES_KEPT))
