"""The truth: exact distributions over digit strings, one small file a family."""

from sampler_bench.targets.base import DIGITS, END, SYMBOLS, Conditional, Target, UniformTarget
from sampler_bench.targets.constellations import Constellation, TwinPrimes
from sampler_bench.targets.residues import Multiples
from sampler_bench.targets.sparse import Powers

FAMILIES: dict[str, type[Target]] = {
    "constellation": Constellation,
    "multiples": Multiples,
    "powers": Powers,
    "twin-primes": TwinPrimes,
}

__all__ = [
    "DIGITS",
    "END",
    "FAMILIES",
    "SYMBOLS",
    "Conditional",
    "Constellation",
    "Multiples",
    "Powers",
    "Target",
    "TwinPrimes",
    "UniformTarget",
]
