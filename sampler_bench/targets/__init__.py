"""The truth: exact distributions over digit strings, one small file a family.

From here one imports what every target offers and the class of any family; it is loaded when it is asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # tells editors of the classes; families not named here can be imported all the same
    from sampler_bench.targets.base import DIGITS as DIGITS
    from sampler_bench.targets.base import END as END
    from sampler_bench.targets.base import SYMBOLS as SYMBOLS
    from sampler_bench.targets.base import Conditional as Conditional
    from sampler_bench.targets.base import CountedTarget as CountedTarget
    from sampler_bench.targets.base import Target as Target
    from sampler_bench.targets.families.automata import Automaton as Automaton
    from sampler_bench.targets.families.constellations import Constellation as Constellation
    from sampler_bench.targets.families.constellations import TwinPrimes as TwinPrimes
    from sampler_bench.targets.families.digit_sums import DigitSums as DigitSums
    from sampler_bench.targets.families.distributions import Distribution as Distribution
    from sampler_bench.targets.families.mixtures import Mixture as Mixture
    from sampler_bench.targets.families.monty_hall import MontyHall as MontyHall
    from sampler_bench.targets.families.multiples import Multiples as Multiples
    from sampler_bench.targets.families.neighbours import Neighbours as Neighbours
    from sampler_bench.targets.families.palindromes import Palindromes as Palindromes
    from sampler_bench.targets.families.patterns import Pattern as Pattern
    from sampler_bench.targets.families.polynomials import Polynomials as Polynomials
    from sampler_bench.targets.families.powers import Powers as Powers
    from sampler_bench.targets.families.prime_ranges import PrimeRange as PrimeRange
    from sampler_bench.targets.families.ranges import Range as Range
    from sampler_bench.targets.families.sequences import Sequences as Sequences
    from sampler_bench.targets.families.sieved import Sieved as Sieved
    from sampler_bench.targets.uniform import UniformTarget as UniformTarget

_HOME = {
    **dict.fromkeys(["DIGITS", "END", "SYMBOLS", "Conditional", "CountedTarget", "Target"], "base"),
    "UniformTarget": "uniform",
}


def __getattr__(name: str):
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    from sampler_bench.targets.registry import registered  # loads the families

    for kind in registered().values():
        if kind.__name__ == name:
            return kind
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
