"""The kernels without Numba's compiler, as in a debugger, and for an older processor: the same answers."""

import os
import subprocess
import sys
from pathlib import Path

from numba.core.codegen import get_host_cpu_features

PROGRAM = """
import warnings
warnings.simplefilter("ignore", RuntimeWarning)  # arithmetic that wraps around on purpose
import sympy
from sampler_bench.kernels import count_tuples, expected_tuples, is_prime, is_probable_prime, tuples_in

TWINS = ((1, 0), (1, 2))
def pairs(lo, hi):
    return [n - lo for n in range(lo, hi) if sympy.isprime(n) and sympy.isprime(n + 2)]

numbers = [*range(200), *range(2**61 - 9, 2**61), *range(2**64 - 60, 2**64 - 50)]
assert is_prime(numbers).tolist() == [sympy.isprime(n) for n in numbers]
large = [2**89 - 1, 2**89 + 1, 10**99 + 289, 10**99 + 291]
assert is_probable_prime(large).tolist() == [sympy.isprime(n) for n in large]
assert tuples_in(TWINS, 0, 300).tolist() == pairs(0, 300)
assert count_tuples(TWINS, [0, 100, 1500]).tolist() == [8, len(pairs(100, 1500))]
assert tuples_in(TWINS, 10**9, 500).tolist() == pairs(10**9, 10**9 + 500)
assert tuples_in(TWINS, 10**30, 500).tolist() == pairs(10**30, 10**30 + 500)
assert expected_tuples(TWINS, 100, 200).log > 0
print("the same")
"""


def without_avx512() -> str:
    """What Numba is to compile for: this processor without what newer ones have."""
    features = get_host_cpu_features().split(",")
    return ",".join("-" + name[1:] if name[1:].startswith("avx512") else name for name in features)


def done(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )


def test_uncompiled_kernels_give_the_same_answers():
    found = done({"NUMBA_DISABLE_JIT": "1"}, "-c", PROGRAM)
    assert found.stdout == "the same\n", found.stderr


def test_kernels_compiled_for_an_older_processor_give_the_same_answers(tmp_path, pytestconfig):
    older = {"NUMBA_CPU_FEATURES": without_avx512(), "SAMPLER_BENCH_CACHE": str(tmp_path)}
    found = done(older, "-c", PROGRAM)
    assert found.stdout == "the same\n", found.stderr
    warnings = [f"-W{each}" for each in pytestconfig.option.pythonwarnings or ()]  # as they are treated here
    tests = Path(__file__).with_name("test_far.py")
    found = done(older, "-m", "pytest", "-q", *warnings, str(tests))
    assert found.returncode == 0, found.stdout + found.stderr
