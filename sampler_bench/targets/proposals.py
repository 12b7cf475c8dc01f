"""Exact draws by proposing and checking: uniform numbers that no small prime blocks, kept if members."""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from sampler_bench.targets.base import random_below

BATCH = 1024  # numbers proposed at a time
CHUNK = 30_000  # the most residues listed for a product of primes


def draw_members(
    forms: Sequence[tuple[int, int]], lo: int, hi: int, size: int, rng: np.random.Generator
) -> list[int]:
    """``size`` independent uniform draws of n in [lo, hi) with every a n + b prime.

    Proposals are uniform over the n that no prime up to some y divides, y as large as the interval allows:
    a residue is drawn for each prime on its own, and they are joined by the Chinese remainder theorem.
    """
    from sampler_bench.kernels import is_probable_prime  # loads Numba

    wheel = _wheel(tuple(forms), (hi - lo).bit_length())
    modulus = math.prod(each for each, _ in wheel)
    units = [modulus // each * pow(modulus // each, -1, each) for each, _ in wheel]
    turns = -(-(hi - lo) // modulus) + 1
    members: list[int] = []
    while len(members) < size:
        choices = [allowed[rng.integers(len(allowed), size=BATCH)].tolist() for _, allowed in wheel]
        residues = [sum(map(int.__mul__, units, choice)) for choice in zip(*choices, strict=True)]
        first = lo // modulus
        proposed = [residue % modulus + modulus * (first + random_below(turns, rng)) for residue in residues]
        proposed = [n for n in proposed if lo <= n < hi]
        for a, b in forms:
            prime = is_probable_prime([max(a * n + b, 0) for n in proposed])
            proposed = [n for n, keep in zip(proposed, prime.tolist(), strict=True) if keep]
        members += proposed
    return members[:size]


@lru_cache(maxsize=16)
def _wheel(forms: tuple[tuple[int, int], ...], bits: int) -> list[tuple[int, np.ndarray]]:
    """Coprime products of the first primes, each with the residues at which none divides a value.

    Their product stays a thousandth of an interval of so many bits, so that few proposals fall outside.
    """
    wheel: list[tuple[int, np.ndarray]] = [(1, np.zeros(1, np.int64))]
    left = 2 ** max(bits - 10, 0)
    prime = 2
    while prime <= left and prime < 1000:
        modulus, allowed = wheel[-1]
        residues = [r for r in range(prime) if all((a * r + b) % prime for a, b in forms)]
        left //= prime
        if len(allowed) * len(residues) > CHUNK:
            wheel.append((prime, np.array(residues)))
        else:
            unit_m, unit_p = prime * pow(prime, -1, modulus), modulus * pow(modulus, -1, prime)
            joined = np.add.outer(allowed * unit_m, np.array(residues) * unit_p) % (modulus * prime)
            wheel[-1] = (modulus * prime, np.sort(joined.ravel()))
        prime = next(p for p in range(prime + 1, 2 * prime + 1) if all(p % d for d in range(2, p)))
    return wheel
