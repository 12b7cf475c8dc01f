"""The kernels against their peers, alternated in one run, one thread: ``make kernels``."""

import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import gmpy2
import numpy as np

from sampler_bench.kernels import count_tuples, is_prime

TWINS = ((1, 0), (1, 2))
WINDOWS = [
    (0, 10**9), (0, 10**10), (10**12, 10**9), (10**13, 10**9), (10**15, 10**9), (10**18, 10**9),
    (10**18, 10**6), (10**18, 10**7), (10**18, 10**8),
]  # fmt: skip
ROUNDS = 5


def alternate(name: str, ours: Callable, peer: Callable) -> None:
    """Time both in turn, compare what they return, and print medians and the spread of the ratio."""
    times = np.empty((ROUNDS, 2))
    for row in times:
        results = []
        for column, call in enumerate((ours, peer)):
            started = time.perf_counter()
            results.append(call())
            row[column] = time.perf_counter() - started
        assert results[0] == results[1], f"{name}: {results[0]}, the peer finds {results[1]}"
    ratios = times[:, 1] / times[:, 0]
    mine, other = np.median(times, axis=0)
    spread = f"{statistics.median(ratios):6.2f} ({ratios.min():.2f} to {ratios.max():.2f})"
    print(f"{name:<34} {mine:9.4f} {other:9.4f}  {spread}", flush=True)


def primesieve(lo: int, hi: int) -> int:
    # It counts the pairs that lie whole in a window; ours those whose lower member does.
    command = ["primesieve", str(lo), str(hi + 1), "-c2", "-t1", "-q"]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def main() -> int:
    if shutil.which("primesieve") is None:
        print("the peer is missing: on Debian and Ubuntu, apt-get install primesieve", file=sys.stderr)
        return 2
    count_tuples(TWINS, [10**12, 10**12 + 2 * 10**6])  # compiles
    is_prime([7])
    print(f"{'':<34} {'ours, s':>9} {'peer, s':>9}   ratio (min to max)")
    for lo, width in WINDOWS:
        alternate(
            f"twins [{lo:.0e}, + {width:.0e}), primesieve",
            lambda lo=lo, hi=lo + width: int(count_tuples(TWINS, [lo, hi], threads=1)[0]),
            lambda lo=lo, hi=lo + width: primesieve(lo, hi),
        )
    odd = np.random.default_rng(0).integers(0, 2**64, 10**6, dtype=np.uint64) | np.uint64(1)
    for name, numbers in (("random odds", odd), ("primes", odd[is_prime(odd)])):
        large = [gmpy2.mpz(int(n)) for n in numbers]
        alternate(
            f"{len(numbers)} 64-bit {name}, gmpy2",
            lambda numbers=numbers: int(is_prime(numbers).sum()),
            lambda large=large: sum(map(gmpy2.is_prime, large)),
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
