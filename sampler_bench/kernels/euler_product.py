"""The singular series C of a tuple: by how much its values are prime together more often than at random."""

import math
from collections.abc import Sequence
from functools import cache
from itertools import combinations

import mpmath

from sampler_bench.kernels.density import Estimate
from sampler_bench.kernels.forms import LARGEST
from sampler_bench.kernels.small_primes import primes_up_to

# Up to here the product is multiplied out. Beyond, nu(p) = k but for the primes that divide some a or
# a_i b_j - a_j b_i, and each of these numbers has at most one such prime: its cofactor.
DIRECT = math.isqrt(2 * LARGEST**2) + 1
TERMS = 24  # of the series in 1 / p beyond


@cache
def singular_series(pairs: tuple[tuple[int, int], ...]) -> Estimate:
    """ln C, for the pairs of a ``Forms``."""
    k = len(pairs)
    bound = max(DIRECT, 2 * k)
    with mpmath.workdps(40):
        primes = primes_up_to(bound).tolist()
        log = mpmath.fsum(_factor(p, _roots(pairs, p), k) for p in primes)
        for p in _rare_primes(pairs, primes):
            log += _factor(p, _roots(pairs, p), k) - _factor(p, k, k)
        # ln(1 - k / p) - k ln(1 - 1 / p) = sum over m of (k - k^m) / (m p^m)
        for m in range(2, TERMS + 1):
            beyond = mpmath.primezeta(m) - mpmath.fsum(mpmath.power(p, -m) for p in primes)
            log += mpmath.mpf(k - k**m) / m * beyond
        left_out = float(mpmath.mpf(k) / bound) ** TERMS * bound
        return Estimate(float(log), left_out + 1e-16 * max(1.0, abs(float(log))))


def _factor(p: int, roots: int, k: int) -> mpmath.mpf:
    return mpmath.log1p(-mpmath.mpf(roots) / p) - k * mpmath.log1p(-mpmath.mpf(1) / p)


def _roots(pairs: Sequence[tuple[int, int]], p: int) -> int:
    return len({-b * pow(a, -1, p) % p for a, b in pairs if a % p})


def _rare_primes(pairs: Sequence[tuple[int, int]], primes: list[int]) -> set[int]:
    numbers = [a * d - b * c for (a, b), (c, d) in combinations(pairs, 2)]
    rare = set()
    for number in map(abs, numbers):
        for p in primes:
            while number % p == 0:
                number //= p
        rare.add(number)
    return rare - {1}
