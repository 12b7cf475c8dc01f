"""Number theory in Numba: integers and arrays in, arrays out. Knows no task, no pandas; reads no data."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sampler_bench.kernels.density import Estimate, expected_tuples
    from sampler_bench.kernels.euler_product import singular_series
    from sampler_bench.kernels.forms import Forms
    from sampler_bench.kernels.primality import is_prime
    from sampler_bench.kernels.probable_primes import is_probable_prime, passes_base_2
    from sampler_bench.kernels.small_primes import primes_up_to
    from sampler_bench.kernels.tuples import count_tuples, tuples_in

__all__ = [
    "Estimate",
    "Forms",
    "count_tuples",
    "expected_tuples",
    "is_prime",
    "is_probable_prime",
    "passes_base_2",
    "primes_up_to",
    "singular_series",
    "tuples_in",
]

_HOME = {
    "Estimate": "density",
    "Forms": "forms",
    "count_tuples": "tuples",
    "expected_tuples": "density",
    "is_prime": "primality",
    "is_probable_prime": "probable_primes",
    "passes_base_2": "probable_primes",
    "primes_up_to": "small_primes",
    "singular_series": "euler_product",
    "tuples_in": "tuples",
}


def __getattr__(name: str):
    """Import on first use: what needs no machine code is there without Numba, which takes half a second."""
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
