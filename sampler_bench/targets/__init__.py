"""The truth: exact distributions over digit strings, one small file a family."""

from sampler_bench.targets.automata import DigitSums, Neighbours
from sampler_bench.targets.base import DIGITS, END, SYMBOLS, Conditional, Target, UniformTarget
from sampler_bench.targets.constellations import Constellation, TwinPrimes
from sampler_bench.targets.distributions import Distribution
from sampler_bench.targets.mixture import Mixture
from sampler_bench.targets.outcomes import MontyHall
from sampler_bench.targets.palindromes import Palindromes
from sampler_bench.targets.patterns import Automaton, Pattern
from sampler_bench.targets.polynomials import Polynomials
from sampler_bench.targets.ranges import PrimeRange, Range
from sampler_bench.targets.residues import Multiples
from sampler_bench.targets.sieved import Sieved
from sampler_bench.targets.sparse import Powers, Sequences

FAMILIES: dict[str, type[Target]] = {
    "automaton": Automaton,
    "constellation": Constellation,
    "digit-sums": DigitSums,
    "distribution": Distribution,
    "mixture": Mixture,
    "monty-hall": MontyHall,
    "multiples": Multiples,
    "neighbours": Neighbours,
    "palindromes": Palindromes,
    "pattern": Pattern,
    "polynomials": Polynomials,
    "powers": Powers,
    "prime-range": PrimeRange,
    "range": Range,
    "sequences": Sequences,
    "sieved": Sieved,
    "twin-primes": TwinPrimes,
}

__all__ = [
    "DIGITS",
    "END",
    "FAMILIES",
    "SYMBOLS",
    "Automaton",
    "Conditional",
    "Constellation",
    "DigitSums",
    "Distribution",
    "Mixture",
    "MontyHall",
    "Multiples",
    "Neighbours",
    "Palindromes",
    "Pattern",
    "Polynomials",
    "Powers",
    "PrimeRange",
    "Range",
    "Sequences",
    "Sieved",
    "Target",
    "TwinPrimes",
    "UniformTarget",
]
