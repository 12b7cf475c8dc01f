"""Counts of pairs against the program primesieve, where it is installed."""

import random
import shutil
import subprocess

import pytest

from sampler_bench.kernels import count_tuples

pytestmark = pytest.mark.skipif(shutil.which("primesieve") is None, reason="needs the command primesieve")


def primesieve(lo: int, hi: int) -> int:
    """Pairs whose lower member is in [lo, hi): it counts those that lie whole in a closed interval."""
    if lo == hi:
        return 0
    command = ["primesieve", str(lo), str(hi + 1), "-c2", "-q"]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.parametrize("magnitude", range(3, 19))
def test_random_windows_of_random_widths_hold_as_many_pairs(magnitude):
    draw = random.Random(magnitude)
    for width in (0, 1, 2, int(10 ** draw.uniform(0, 6)), int(10 ** draw.uniform(6, 7.5))):
        lo = int(10 ** draw.uniform(magnitude, magnitude + 0.99))
        assert int(count_tuples(((1, 0), (1, 2)), [lo, lo + width])[0]) == primesieve(lo, lo + width), (
            lo,
            width,
        )
