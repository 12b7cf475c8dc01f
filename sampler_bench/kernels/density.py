"""How many members of a constellation an interval is expected to hold: Hardy and Littlewood's density.

Near n, one in Product(ln(a n + b)) / C numbers is expected to make all forms a n + b prime, with the singular
series C = Product over primes p of (1 - nu(p) / p) / (1 - 1 / p)^k, nu(p) the residues of n mod p at which p
divides a value, k the number of forms (Hardy and Littlewood, Acta Math. 44, 1923; Bateman and Horn,
Math. Comp. 16, 1962).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from sampler_bench.kernels.forms import Forms

NODES = 20  # of Gauss and Legendre's rule on an interval over which no value more than doubles
ROUNDING = 1e-15  # relative, of a logarithm in float64


@dataclass(frozen=True)
class Estimate:
    """exp(log); ``error`` bounds what computing added to ``log``, not how far the primes stray from it."""

    log: float
    error: float


def expected_tuples(
    forms: Sequence[tuple[int, int]], lo: int, hi: int, constant: Estimate | None = None
) -> Estimate:
    """C times the integral of 1 / Product(ln(a n + b)) over [lo, hi), from where every value is at least 2.

    Parameters
    ----------
    forms : sequence of (a, b)
    lo, hi : int
        Of any size.
    constant : Estimate, optional
        ``singular_series`` of the forms, where it is known already: it takes a quarter of a second.

    Raises
    ------
    ValueError
        If the forms are not an admissible tuple, or an end is negative or ``lo > hi``.
    """
    checked = Forms(forms)
    if not 0 <= lo <= hi:
        raise ValueError(f"an interval [lo, hi) with 0 <= lo <= hi is wanted, not [{lo}, {hi})")
    if constant is None:
        from sampler_bench.kernels.euler_product import singular_series  # loads mpmath

        constant = singular_series(checked.pairs)
    fine, coarse = (_log_integral(checked, lo, hi, nodes) for nodes in (NODES, NODES - 6))
    if fine == -math.inf:
        return Estimate(fine, 0.0)
    rounding = ROUNDING * (10 + abs(fine))
    return Estimate(constant.log + fine, constant.error + abs(fine - coarse) + rounding)


def _log_integral(forms: Forms, lo: int, hi: int, nodes: int) -> float:
    t, weights = _rule(nodes)
    logs = [-math.inf]
    for start, width in _pieces(forms, lo, hi):
        product = np.ones(nodes)
        for a, b in forms.pairs:
            value = a * start + b
            product *= math.log(value) + np.log1p(a * width / value * t)
        logs.append(math.log(width) + math.log(weights @ (1 / product)))
    return float(np.logaddexp.reduce(logs))


@cache
def _rule(nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Gauss and Legendre's, on 0 to 1: places and weights. To find them takes as long as all the rest."""
    x, weights = np.polynomial.legendre.leggauss(nodes)
    return (x + 1) / 2, weights / 2


def _pieces(forms: Forms, lo: int, hi: int) -> Iterator[tuple[int, int]]:
    """Starts and widths of intervals that cover [lo, hi); where wider than 1, no value more than doubles."""
    start = max(lo, forms.first)
    while start < hi:
        width = min(max(1, min((a * start + b) // a for a, b in forms.pairs)), hi - start)
        yield start, width
        start += width
