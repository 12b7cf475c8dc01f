"""The truth: exact distributions over digit strings, one small file a family."""

from sampler_bench.targets.automata import DigitSums, Neighbours
from sampler_bench.targets.base import DIGITS, END, SYMBOLS, Conditional, Target, UniformTarget
from sampler_bench.targets.constellations import Constellation, TwinPrimes
from sampler_bench.targets.palindromes import Palindromes
from sampler_bench.targets.polynomials import Polynomials
from sampler_bench.targets.residues import Multiples
from sampler_bench.targets.sparse import Powers, Sequences

FAMILIES: dict[str, type[Target]] = {
    "constellation": Constellation,
    "digit-sums": DigitSums,
    "multiples": Multiples,
    "neighbours": Neighbours,
    "palindromes": Palindromes,
    "polynomials": Polynomials,
    "powers": Powers,
    "sequences": Sequences,
    "twin-primes": TwinPrimes,
}

__all__ = [
    "DIGITS",
    "END",
    "FAMILIES",
    "SYMBOLS",
    "Conditional",
    "Constellation",
    "DigitSums",
    "Multiples",
    "Neighbours",
    "Palindromes",
    "Polynomials",
    "Powers",
    "Sequences",
    "Target",
    "TwinPrimes",
    "UniformTarget",
]
