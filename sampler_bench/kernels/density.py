"""How many members of a tuple an interval is expected to hold: Hardy and Littlewood's density.

Near n, one in Product(ln(a n + b)) / C numbers is expected to make all forms a n + b prime, with the singular
series C = Product over primes p of (1 - nu(p) / p) / (1 - 1 / p)^k, nu(p) the residues of n mod p at which p
divides a value, k the number of forms (Hardy and Littlewood, Acta Math. 44, 1923; Bateman and Horn,
Math. Comp. 16, 1962).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations

import mpmath
import numpy as np

from sampler_bench.kernels.forms import LARGEST, Forms
from sampler_bench.kernels.small_primes import primes_up_to

# Up to here the product is multiplied out. Beyond, nu(p) = k but for the primes that divide some a or
# a_i b_j - a_j b_i, and each of these numbers has at most one such prime: its cofactor.
DIRECT = math.isqrt(2 * LARGEST**2) + 1
TERMS = 24  # of the series in 1 / p beyond
NODES = 20  # of Gauss and Legendre's rule on an interval over which no value more than doubles
ROUNDING = 1e-15  # relative, of a logarithm in float64


@dataclass(frozen=True)
class Estimate:
    """exp(log); ``error`` bounds what computing added to ``log``, not how far the primes stray from it."""

    log: float
    error: float


def expected_tuples(forms: Sequence[tuple[int, int]], lo: int, hi: int) -> Estimate:
    """C times the integral of 1 / Product(ln(a n + b)) over [lo, hi), from where every value is at least 2.

    Parameters
    ----------
    forms : sequence of (a, b)
    lo, hi : int
        Of any size.

    Raises
    ------
    ValueError
        If the forms are not an admissible tuple, or an end is negative or ``lo > hi``.
    """
    checked = Forms(forms)
    if not 0 <= lo <= hi:
        raise ValueError(f"an interval [lo, hi) with 0 <= lo <= hi is wanted, not [{lo}, {hi})")
    constant = singular_series(checked.pairs)
    fine, coarse = (_log_integral(checked, lo, hi, nodes) for nodes in (NODES, NODES - 6))
    if fine == -math.inf:
        return Estimate(fine, 0.0)
    rounding = ROUNDING * (10 + abs(fine))
    return Estimate(constant.log + fine, constant.error + abs(fine - coarse) + rounding)


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


def _log_integral(forms: Forms, lo: int, hi: int, nodes: int) -> float:
    x, weights = np.polynomial.legendre.leggauss(nodes)
    t, weights = (x + 1) / 2, weights / 2
    logs = [-math.inf]
    for start, width in _pieces(forms, lo, hi):
        product = np.ones(nodes)
        for a, b in forms.pairs:
            value = a * start + b
            product *= math.log(value) + np.log1p(a * width / value * t)
        logs.append(math.log(width) + math.log(weights @ (1 / product)))
    return float(np.logaddexp.reduce(logs))


def _pieces(forms: Forms, lo: int, hi: int) -> Iterator[tuple[int, int]]:
    """Starts and widths of intervals that cover [lo, hi); where wider than 1, no value more than doubles."""
    start = max(lo, forms.first)
    while start < hi:
        width = min(max(1, min((a * start + b) // a for a, b in forms.pairs)), hi - start)
        yield start, width
        start += width
