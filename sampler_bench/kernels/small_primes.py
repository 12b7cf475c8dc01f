"""Primes from 2 on, as far as a table reaches."""

import math

import numpy as np


def primes_up_to(limit: int) -> np.ndarray:
    """Primes p <= limit, increasing: the sieve of Eratosthenes over odd numbers."""
    composite = np.zeros(limit // 2 + 1, bool)  # i stands for 2 i + 1
    for i in range(1, (math.isqrt(limit) + 1) // 2):
        if not composite[i]:
            composite[2 * i * (i + 1) :: 2 * i + 1] = True
    odd = 2 * np.flatnonzero(~composite) + 1
    primes = np.concatenate([[2], odd[1:]])
    return primes[primes <= limit]
