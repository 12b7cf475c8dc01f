"""Exact draws by proposing and checking: uniform numbers that no small prime blocks, kept if members."""

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

import gmpy2
import numpy as np

from sampler_bench.targets.counting.trial_division import primorial
from sampler_bench.targets.uniform import random_integers_below

BATCH = 1024  # numbers proposed at a time
LARGEST = 1000  # prime that a residue is drawn for
CHUNK = 30_000  # the most residues listed for a product of primes
LIMB = 16  # bits


def draw_members(
    forms: Sequence[tuple[int, int]], lo: int, hi: int, rng: "np.random.Generator"
) -> Iterator[list[int]]:
    """Without end, batches of independent uniform draws of n in [lo, hi) with every a n + b prime.

    Whoever draws more from the generator between batches uses up each batch first: then few draws are the
    beginning of many.
    """
    from sampler_bench.kernels import is_probable_prime, passes_base_2  # loads Numba

    while True:
        proposed = _propose(forms, LARGEST, lo, hi, rng)
        for test in (passes_base_2, is_probable_prime):  # the second costs as much as twenty of the first
            for a, b in forms:
                passed = test([max(a * n + b, 0) for n in proposed])
                proposed = [n for n, keep in zip(proposed, passed.tolist(), strict=True) if keep]
        yield proposed


def draw_passing(
    forms: Sequence[tuple[int, int]], y: int, lo: int, hi: int, rng: "np.random.Generator"
) -> Iterator[list[int]]:
    """The same for the n at which no prime up to y divides a value."""
    product = primorial(y)
    while True:
        proposed = _propose(forms, min(y, LARGEST), lo, hi, rng)
        yield [n for n in proposed if all(gmpy2.gcd(a * n + b, product) == 1 for a, b in forms)]


def _propose(
    forms: Sequence[tuple[int, int]], largest: int, lo: int, hi: int, rng: "np.random.Generator"
) -> list[int]:
    """Independent draws, uniform over the n in [lo, hi) that none of the first primes divides.

    The primes go as far as the interval and ``largest`` allow. A residue is drawn for each on its own, and
    they are joined by the Chinese remainder theorem.
    """
    wheel = _wheel(tuple(forms), (hi - lo).bit_length(), largest)
    modulus = math.prod(each for each, _ in wheel)
    units = [modulus // each * pow(modulus // each, -1, each) for each, _ in wheel]
    turns = -(-(hi - lo) // modulus) + 1
    choices = np.array([allowed[rng.integers(len(allowed), size=BATCH)] for _, allowed in wheel])
    first = lo // modulus
    places = random_integers_below(turns, BATCH, rng)
    proposed = [
        residue % modulus + modulus * (first + place)
        for residue, place in zip(_combined(units, choices), places, strict=True)
    ]
    return [n for n in proposed if lo <= n < hi]


def _combined(units: Sequence[int], choices: np.ndarray) -> list[int]:
    """The sums of units, of any size, each times its choice, below 2^32; ``choices``: (units, sums)."""
    limbs = range(0, sum(units).bit_length() + 2 * LIMB, LIMB)
    sums = np.zeros((choices.shape[1], len(limbs)), np.int64)
    for unit, choice in zip(units, choices, strict=True):
        sums += np.multiply.outer(choice, [(unit >> at) % 2**LIMB for at in limbs])
    for low, high in pairwise(sums.T):
        high += low >> LIMB
        low %= 2**LIMB
    raw, step = sums.astype("<u2").tobytes(), 2 * len(limbs)
    return [int.from_bytes(raw[at : at + step], "little") for at in range(0, len(raw), step)]


@lru_cache(maxsize=16)
def _wheel(forms: tuple[tuple[int, int], ...], bits: int, largest: int) -> list[tuple[int, np.ndarray]]:
    """Coprime products of the first primes, each with the residues at which none divides a value.

    Their product stays a thousandth of an interval of so many bits, so that few proposals fall outside.
    """
    wheel: list[tuple[int, np.ndarray]] = [(1, np.zeros(1, np.int64))]
    left = 2 ** max(bits - 10, 0)
    prime = 2
    while prime <= min(left, largest):
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
