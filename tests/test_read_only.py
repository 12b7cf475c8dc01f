"""Machines on which nothing can be written: answers are given, and one line says what is not kept."""

import json
import os
import shutil
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import pytest

import sampler_bench
from sampler_bench import files
from sampler_bench.files import cache_folder
from sampler_bench.targets.counting.windows import window

MAIN = "from sampler_bench.cli import main; main()"
# Takes from root what lets it write where it may not (CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH, dropped by
# PR_CAPBSET_DROP), and starts the rest of the command; others do not have it, and keep what they have.
BOUND = """
import ctypes, os, sys
for capability in (1, 2):
    ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
TASK = """
title = "10-digit cousin primes"
version = 1
phrase = "10-digit cousin prime"
[target]
family = "constellation"
digits = 10
forms = "cousin-primes"
"""


@pytest.fixture
def machine(tmp_path):
    """A package, a home and a cache of its own; in home and cache, the kernels are compiled already."""
    package = Path(sampler_bench.__file__).parent
    for folder in (package, package.parent / "tasks"):
        shutil.copytree(
            folder, tmp_path / "package" / folder.name, ignore=shutil.ignore_patterns("__pycache__")
        )
    kernels = cache_folder() / "kernels"
    for cache in (tmp_path / "home" / ".cache" / "sampler-bench", tmp_path / "cache"):
        cache.mkdir(parents=True)
        (cache / "kernels").symlink_to(kernels)
    (tmp_path / "work").mkdir()
    yield tmp_path
    subprocess.run(["chmod", "-R", "u+w", tmp_path], check=True)


def ask(machine, *arguments, own_cache=True, **environment):
    variables = {**os.environ, "PYTHONPATH": str(machine / "package"), "HOME": str(machine / "home")}
    variables.pop("XDG_CACHE_HOME", None)
    variables["SAMPLER_BENCH_CACHE"] = str(machine / "cache") if own_cache else ""
    return subprocess.run(
        [sys.executable, "-c", BOUND, sys.executable, "-c", MAIN, *arguments],
        env={**variables, **environment},
        cwd=machine / "work",
        capture_output=True,
        text=True,
        check=False,
    )


def files_in(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


@pytest.mark.parametrize(
    "closed",
    [some for size in (1, 2, 3) for some in combinations(("package", "home", "cache"), size)],
    ids="+".join,
)
@pytest.mark.parametrize("own_cache", [True, False], ids=["own cache", "cache at home"])
def test_an_answer_that_cannot_be_kept_is_still_an_answer(machine, closed, own_cache):
    (machine / "work" / "cousins.toml").write_text(TASK)
    for folder in closed:
        subprocess.run(["chmod", "-R", "a-w", machine / folder], check=True)
    before = {folder: files_in(machine / folder) for folder in closed}
    # Their table is made at the first question.
    asked = ask(machine, "truth", "cousins", "--tasks", ".", "--json", own_cache=own_cache)
    assert asked.returncode == 0, asked.stderr
    answer = json.loads(asked.stdout)
    assert answer["count"] == str(27409999 - 3424680)  # OEIS A152052: below 10^10, less those below 10^9
    kept = ("cache" if own_cache else "home") not in closed
    lines = asked.stderr.splitlines()
    if kept:
        assert lines == []
        assert answer["origin"] == "computed"
        again = ask(machine, "truth", "cousins", "--tasks", ".", "--json", own_cache=own_cache)
        assert json.loads(again.stdout)["origin"] == "read"
    else:
        (line,) = lines
        assert line.startswith("note: cannot write ")
        assert "Permission denied; what can be had again is not kept (SAMPLER_BENCH_CACHE names" in line
    assert {folder: files_in(machine / folder) for folder in closed} == before


def test_the_truth_of_94_digits_is_given_where_home_is_read_only(machine):
    subprocess.run(["chmod", "-R", "a-w", machine / "home"], check=True)
    drawn = ask(machine, "draw", "twin-primes-100", "--seed", "3", own_cache=False)
    number = drawn.stdout.strip()
    asked = ask(machine, "truth", "twin-primes-100", "--prefix", number[:94], "--json", own_cache=False)
    assert asked.returncode == 0, asked.stderr
    answer = json.loads(asked.stdout)
    assert answer["method"] == "exact-tail"
    assert answer["p"][int(number[94])] > 0
    assert asked.stderr.count("\n") == asked.stderr.count("note: cannot write ") == 1


@pytest.mark.parametrize("place", ["missing", "file", "nobody's"])
def test_kernels_are_compiled_in_memory_where_no_cache_can_be(machine, place):
    (machine / "work" / "file").write_text("")
    (machine / "work" / "nobody's").mkdir(mode=0)
    folder = {"missing": "/proc/nowhere/at/all"}.get(place, str(machine / "work" / place))
    # Not optimised: that takes half of the time, and is not what is asked here.
    environment = {"SAMPLER_BENCH_CACHE": folder, "NUMBA_OPT": "0"}
    asked = ask(machine, "count", "twin-primes", "0", "100", "--quiet", **environment)
    assert (asked.returncode, asked.stdout) == (0, "8\n"), asked.stderr
    (line,) = asked.stderr.splitlines()
    assert line.startswith(f"note: cannot write {folder}/kernels/")


def test_a_run_is_measured_where_only_its_own_folder_can_be_written(machine):
    for folder in ("package", "home", "cache"):
        subprocess.run(["chmod", "-R", "a-w", machine / folder], check=True)
    done = ask(machine, "run", "twin-primes-3", "--model", "oracle", "--quiet", "--out", "run")
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert (machine / "work" / "run" / "scores.csv").is_file()


def test_a_user_without_a_home_has_no_cache(monkeypatch, capsys):
    def no_home():
        raise RuntimeError("Could not determine home directory.")

    for variable in ("SAMPLER_BENCH_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    monkeypatch.setattr(files, "_UNKEPT", set())
    window.cache_clear()
    assert window("twin-primes", 10**21, 10**4).tolist()
    assert capsys.readouterr().err.count("note: cannot write /dev/null/sampler-bench/") == 1
