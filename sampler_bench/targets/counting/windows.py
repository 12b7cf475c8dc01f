"""Windows of large numbers: all members of a constellation in them, sieved once and kept on disk."""

from functools import lru_cache

import numpy as np

from sampler_bench.targets.counting.truth_cache import ORIGINS, kept
from sampler_bench.targets.counting.tuple_names import parse_tuple

KEPT_FROM = 2**64  # windows below are sieved faster than they are worth keeping


@lru_cache(maxsize=64)
def window(name: str, start: int, length: int) -> np.ndarray:
    """Offsets of the members from ``start``, below ``length``; ndarray of int64, read-only."""

    def sieve() -> np.ndarray:
        from sampler_bench.kernels import tuples_in  # loads Numba

        return tuples_in(parse_tuple(name), start, length)

    if start >= KEPT_FROM:
        offsets = kept(f"window {name} {start} {length}", sieve)
    else:
        offsets = sieve()
        ORIGINS["computed"] += 1
    offsets.flags.writeable = False
    return offsets
