"""Number theory in Numba: integers and arrays in, arrays out. Knows no task, no pandas, no I/O."""

from sampler_bench.kernels.primality import is_prime
from sampler_bench.kernels.tuples import count_tuples, tuples_in

__all__ = ["count_tuples", "is_prime", "tuples_in"]
