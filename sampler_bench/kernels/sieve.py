"""A plain segmented sieve for twin primes: one byte for each odd number, one segment at a time.

The Numba cache does not notice edits in imported jitted modules, so every jitted function of a kernel
lives in the file that uses it.
"""

import math

import numpy as np
from numba import njit

SEGMENT = 1 << 20  # odd numbers in a segment: one byte each, sized for the L2 cache


def twin_lowers(lo: int, hi: int) -> np.ndarray:
    """Lower members p of the twin-prime pairs (p, p + 2) with lo <= p < hi.

    Parameters
    ----------
    lo, hi : int
        Bounds, 0 <= lo <= hi <= 10**12. The sieve of Eratosthenes takes O(hi - lo) time and memory
        for the answer plus one segment.

    Returns
    -------
    ndarray of int64, shape (pairs,)
        Increasing.

    Raises
    ------
    ValueError
        If the bounds are out of order or too large.
    """
    if not 0 <= lo <= hi <= 10**12:
        raise ValueError(f"bounds must satisfy 0 <= lo <= hi <= 10**12, got [{lo}, {hi})")
    primes = _odd_primes_up_to(math.isqrt(hi + 2))
    first = max(lo, 3) | 1
    found = [
        _twin_lowers_in_segment(start, min(SEGMENT, (hi - start + 1) // 2), primes)
        for start in range(first, hi, 2 * SEGMENT)
    ]
    return np.concatenate([np.empty(0, np.int64), *found])


def twin_members(lo: int, hi: int) -> np.ndarray:
    """Primes p with lo <= p < hi that belong to a twin pair (p - 2 or p + 2 is prime).

    Returns
    -------
    ndarray of int64, shape (members,)
        Increasing, each member once (5 belongs to two pairs).
    """
    lowers = twin_lowers(max(lo - 2, 0), hi)
    members = np.stack([lowers, lowers + 2], axis=1).ravel()  # increasing: only 5 comes twice
    members = members[np.diff(members, prepend=-1) > 0]
    return members[(members >= lo) & (members < hi)]


def _odd_primes_up_to(limit: int) -> np.ndarray:
    is_prime = np.ones(limit + 1, dtype=bool)
    is_prime[: min(2, limit + 1)] = False
    is_prime[4::2] = False
    for q in range(3, math.isqrt(limit) + 1, 2):
        if is_prime[q]:
            is_prime[q * q :: 2 * q] = False
    primes = np.flatnonzero(is_prime)
    return primes[primes > 2].astype(np.int64)


@njit(cache=True, nogil=True)
def _twin_lowers_in_segment(start, size, primes):
    """Lower members among the odd numbers start, start + 2, ..., start + 2 (size - 1)."""
    composite = np.zeros(size + 1, np.uint8)  # one more: the partner of the last
    end = start + 2 * size
    for q in primes:
        if q * q > end:
            break
        first = max(q * q, (start + q - 1) // q * q)
        if first % 2 == 0:
            first += q
        for i in range((first - start) // 2, size + 1, q):
            composite[i] = 1
    count = 0
    for i in range(size):
        count += (composite[i] | composite[i + 1]) == 0
    lowers = np.empty(count, np.int64)
    k = 0
    for i in range(size):
        if (composite[i] | composite[i + 1]) == 0:
            lowers[k] = start + 2 * i
            k += 1
    return lowers
