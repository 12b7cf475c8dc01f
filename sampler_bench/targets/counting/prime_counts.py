"""How many primes there are below a number, by Kim Walisch's primecount, without listing them."""

from functools import lru_cache

import numpy as np

from sampler_bench.errors import MissingPackageError
from sampler_bench.targets.counting.truth_cache import kept

KEPT_FROM = 10**13  # counts up to here take less than a tenth of a second


@lru_cache(maxsize=4096)
def primes_below(bound: int) -> int:
    """How many primes p < bound, up to 10^18: 1 s at 10^15, minutes at 10^18. What took long is kept on disk.

    Raises
    ------
    MissingPackageError
        If the optional package primecountpy is not installed.
    """
    try:
        from primecountpy.primecount import prime_pi
    except ImportError as error:
        raise MissingPackageError(
            "primes of 10 digits and more are counted by primecountpy: pip install 'sampler-bench[primes]'"
        ) from error
    if bound < KEPT_FROM:
        return int(prime_pi(bound - 1))
    return int(kept(f"primes below {bound}", lambda: np.array([int(prime_pi(bound - 1))]))[0])
