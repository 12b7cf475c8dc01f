"""What trial division lets pass: n at which no prime up to y divides a value, but one that it equals."""

import math
from functools import lru_cache

import gmpy2
import numpy as np

from sampler_bench.kernels import primes_up_to

SMALL = 1000  # primes
LARGEST_PRIMORIAL = 2**63  # residue classes are counted in 64 bits

Forms = tuple[tuple[int, int], ...]


def passing(forms: Forms, y: int, start: int, length: int) -> np.ndarray:
    """At which n of [start, start + length) all values pass; ndarray of bool, shape (length,)."""
    found = np.ones(length, bool)
    for p in primes(min(y, max(a * (start + length) + abs(b) for a, b in forms))):
        for root in roots(forms, p):
            found[(root - start) % p :: p] = False
    found[[n - start for n in exceptions(forms, y, start, start + length)]] = True
    return found


def passes(forms: Forms, y: int, n: int) -> bool:
    """Whether all values at n pass."""
    return all(_value_passes(a * n + b, y) for a, b in forms)


def count_passing(forms: Forms, y: int, lo: int, hi: int) -> int:
    """How many n of [lo, hi) pass, for ``classes(forms, y)`` not None: by inclusion and exclusion."""
    few = len(exceptions(forms, y, lo, hi))
    return few if blocked(forms, y) else _count_below(forms, y, hi) - _count_below(forms, y, lo) + few


def classes(forms: Forms, y: int) -> int | None:
    """How many residue classes inclusion and exclusion goes through; None if too large for 64 bits."""
    if math.prod(primes(min(y, 100))) >= LARGEST_PRIMORIAL:
        return None
    return 1 if blocked(forms, y) else math.prod(1 + len(roots(forms, p)) for p in primes(y))


def log_share(forms: Forms, y: int) -> float:
    """ln of the share of all n that pass, Product(1 - nu(p) / p), nu(p) how many residues p strikes."""
    if blocked(forms, y):
        return -math.inf
    return math.fsum(math.log1p(-len(roots(forms, p)) / p) for p in primes(y))


def residues_allowed(forms: Forms, y: int, modulus: int) -> tuple[np.ndarray, float]:
    """Which residues modulo ``modulus`` no prime up to y strikes, and ln of the share of each that passes.

    Returns
    -------
    ndarray of bool, shape (modulus,), and float
    """
    allowed, others = np.ones(modulus, bool), []
    for p in primes(y):
        if modulus % p:
            others.append(p)
        else:
            allowed &= ~np.isin(np.arange(modulus) % p, roots(forms, p))
    left = [1 - len(roots(forms, p)) / p for p in others]
    return allowed, math.fsum(map(math.log, left)) if all(left) else -math.inf


@lru_cache(maxsize=1024)
def _count_below(forms: Forms, y: int, bound: int) -> int:
    """How many n of [0, bound) no prime strikes."""
    primorial, divisors, residues, signs = _struck_classes(forms, y)
    turns, rest = divmod(bound, primorial)
    in_a_turn = math.prod(p - len(roots(forms, p)) for p in primes(y))
    # n = r (mod d) with 0 <= n < rest; the sum may wrap around 2^64 in between, but not in the end.
    return turns * in_a_turn + int(np.sum(signs * ((rest - 1 - residues) // divisors + 1)))


@lru_cache(maxsize=8)
def _struck_classes(forms: Forms, y: int) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
    """The primorial, and d, r and sign of every class n = r (mod d) that each prime divisor of d strikes."""
    divisors, residues, signs = (np.array([value], np.int64) for value in (1, 0, 1))
    for p in primes(y):
        inverse = np.array([pow(int(d) % p, -1, p) for d in divisors])
        struck = [residues + divisors * ((root - residues) % p * inverse % p) for root in roots(forms, p)]
        signs = np.concatenate([signs, *[-signs] * len(struck)])
        residues = np.concatenate([residues, *struck])
        divisors = np.concatenate([divisors, *[divisors * p] * len(struck)])
    return math.prod(primes(y)), divisors, residues, signs


def exceptions(forms: Forms, y: int, lo: int, hi: int) -> list[int]:
    """The n of [lo, hi) that pass although a prime up to y divides a value there: the value is this prime."""
    if lo > max((y - b) // a for a, b in forms):
        return []
    return [n for n in _exceptions(forms, y) if lo <= n < hi]


@lru_cache(maxsize=16)
def _exceptions(forms: Forms, y: int) -> list[int]:
    places = {(p - b) // a for a, b in forms for p in primes(y) if (p - b) % a == 0 and p >= b}
    return sorted(n for n in places if passes(forms, y, n))


def _value_passes(value: int, y: int) -> bool:
    # The small primes tell of nearly all, a thousand times faster.
    return value != 0 and all(_no_other_divisor(value, primorial(z)) for z in (min(y, SMALL), y))


def _no_other_divisor(value: int, product: gmpy2.mpz) -> bool:
    """Whether no prime of a primorial divides the value, but one that it equals."""
    common = gmpy2.gcd(value, product)
    return common == 1 or (common == value and gmpy2.is_prime(value))


def blocked(forms: Forms, y: int) -> bool:
    """Whether some prime up to y divides a value whatever n is."""
    return any(len(roots(forms, p)) == p for p in primes(min(y, len(forms))))


@lru_cache(maxsize=4096)
def roots(forms: Forms, p: int) -> tuple[int, ...]:
    """The n mod p at which p divides a value."""
    return tuple(sorted({-b * pow(a, -1, p) % p for a, b in forms if a % p}))


@lru_cache(maxsize=16)
def primorial(y: int) -> gmpy2.mpz:
    """The product of all primes up to y."""
    return gmpy2.primorial(y)


@lru_cache(maxsize=16)
def primes(y: int) -> tuple[int, ...]:
    """Primes up to y, increasing."""
    return tuple(primes_up_to(y).tolist())
