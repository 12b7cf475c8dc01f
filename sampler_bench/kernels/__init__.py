"""Number theory in Numba: integers and arrays in, arrays out. Knows no task, no pandas, no I/O."""

from sampler_bench.kernels.density import Estimate, expected_tuples
from sampler_bench.kernels.primality import is_prime
from sampler_bench.kernels.probable_primes import is_probable_prime
from sampler_bench.kernels.small_primes import primes_up_to
from sampler_bench.kernels.tuples import count_tuples, tuples_in

__all__ = [
    "Estimate",
    "count_tuples",
    "expected_tuples",
    "is_prime",
    "is_probable_prime",
    "primes_up_to",
    "tuples_in",
]
