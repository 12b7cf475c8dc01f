"""The kernels against their peers, alternated in one run, one thread: ``make kernels``."""

import itertools
import random
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import flint
import gmpy2
import numpy as np
import sympy

from sampler_bench.kernels import count_tuples, is_prime, is_probable_prime, tuples_in
from sampler_bench.kernels.probable_primes import passes_base_2

TWINS = ((1, 0), (1, 2))
WINDOWS = [(lo, 10**9) for lo in (0, *(10**k for k in range(12, 19)))]
WINDOWS += [(lo, 10**10) for lo in (0, *(10**k for k in range(14, 18)))]
NARROW = [10**k for k in (6, 7, 8)]
BESIDE = 10  # narrow windows, one beside the other: one alone meets caches that the peer has emptied
HUNDRED_DIGITS = 10**99 + 12_345_678_901
LOOPED = 2000  # numbers of the 100-digit window that the loop really walks through
ROUNDS = 5


def alternate(name: str, ours: Callable, peer: Callable, share: float = 1.0, rounds: int = ROUNDS) -> None:
    """Time both in turn, compare what they return, and print medians and the spread of the ratio.

    ``share``: of the work that the peer is given; its time is extrapolated, and then nothing is compared.
    """
    times = np.empty((rounds, 2))
    for row in times:
        results = []
        for column, call in enumerate((ours, peer)):
            started = time.perf_counter()
            results.append(call())
            row[column] = time.perf_counter() - started
        assert share < 1 or results[0] == results[1], f"{name}: {results[0]}, the peer finds {results[1]}"
    times[:, 1] /= share
    ratios = times[:, 1] / times[:, 0]
    mine, other = np.median(times, axis=0)
    spread = f"{statistics.median(ratios):7.2f} ({ratios.min():.2f} to {ratios.max():.2f})"
    print(f"{name:<42} {mine:9.4f} {other:9.4f} {spread}", flush=True)


def primesieve(lo: int, hi: int) -> int:
    # It counts the pairs that lie whole in a window; ours those whose lower member does.
    command = ["primesieve", str(lo), str(hi + 1), "-c2", "-t1", "-q"]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def windows() -> None:
    count_tuples(TWINS, [10**12, 10**12 + 2 * 10**6])  # compiles
    for lo, width in WINDOWS:
        ours, theirs = (itertools.pairwise(itertools.count(lo, width)) for _ in range(2))  # side by side
        alternate(
            f"twins [{lo:.0e}, + {width:.0e}), primesieve",
            lambda ends=ours: int(count_tuples(TWINS, next(ends), threads=1)[0]),
            lambda ends=theirs: primesieve(*next(ends)),
        )


def narrow_windows() -> None:
    for width in NARROW:
        ends = [(lo, lo + width) for lo in range(10**18, 10**18 + BESIDE * width, width)]
        alternate(
            f"{BESIDE} x twins [1e+18, + {width:.0e}), primesieve",
            lambda ends=ends: [int(count_tuples(TWINS, end, threads=1)[0]) for end in ends],
            lambda ends=ends: [primesieve(*end) for end in ends],
        )


def primality() -> None:
    is_prime([7])
    odd = np.random.default_rng(0).integers(0, 2**64, 10**6, dtype=np.uint64) | np.uint64(1)
    for name, numbers in (("random odds", odd[:200_000]), ("primes", odd[is_prime(odd)])):
        peers = {
            "gmpy2": ([gmpy2.mpz(int(n)) for n in numbers], gmpy2.is_prime),
            "python-flint": ([flint.fmpz(int(n)) for n in numbers], flint.fmpz.is_prime),
        }
        for peer, (large, test) in peers.items():
            alternate(
                f"{len(numbers)} 64-bit {name}, {peer}",
                lambda numbers=numbers: int(is_prime(numbers).sum()),
                lambda large=large, test=test: sum(map(test, large)),
            )


def large() -> None:
    draw = random.Random(0)
    for name, count, lo, hi in (("100-digit", 10_000, 10**99, 10**100), ("1024-bit", 400, 2**1023, 2**1024)):
        numbers = [draw.randrange(lo, hi) | 1 for _ in range(count)]
        theirs = [(gmpy2.mpz(2), gmpy2.mpz(n) >> 1, gmpy2.mpz(n)) for n in numbers]
        passes_base_2(numbers[:9])  # compiles
        alternate(
            f"{count} {name} base-2 tests, gmpy2.powmod",
            lambda numbers=numbers: int(passes_base_2(numbers).sum()),
            lambda theirs=theirs: sum(gmpy2.powmod(*each) in (1, each[2] - 1) for each in theirs),
        )
        alternate(
            f"{count} {name} odds, gmpy2.is_prime",
            lambda numbers=numbers: int(is_probable_prime(numbers).sum()),
            lambda theirs=theirs: sum(gmpy2.is_prime(n) for _, _, n in theirs),
        )


def hundred_digits() -> None:
    for k in (6, 7, 8):
        alternate(
            f"100-digit twins, window 10^{k}, sympy loop",
            lambda k=k: len(tuples_in(TWINS, HUNDRED_DIGITS, 10**k, threads=1)),
            lambda: sum(
                sympy.isprime(n) and sympy.isprime(n + 2)
                for n in range(HUNDRED_DIGITS, HUNDRED_DIGITS + LOOPED)
            ),
            share=LOOPED / 10**k,
            rounds=3,
        )


def main() -> int:
    if shutil.which("primesieve") is None:
        print("the peer is missing: on Debian and Ubuntu, apt-get install primesieve", file=sys.stderr)
        return 2
    print(f"{'':<42} {'ours, s':>9} {'peer, s':>9}    ratio (min to max)")
    windows()
    narrow_windows()
    primality()
    large()
    hundred_digits()
    print(f"The sympy loop walks through {LOOPED} numbers; the rest of its time is extrapolated.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
