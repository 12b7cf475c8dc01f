"""Uniform targets too large to be counted at every prefix: beyond, expected counts stand in, with a bound."""

import math
from abc import abstractmethod
from typing import TYPE_CHECKING

import numpy as np

from sampler_bench.targets.base import DIGITS, END, SYMBOLS, Conditional, LogProbability
from sampler_bench.targets.uniform import UniformTarget

if TYPE_CHECKING:
    from sampler_bench.kernels import Estimate

# Counts of the next digits scatter about their expectation no more than Poisson's would, so that
# 2 mu KL is about chi-squared with 9 degrees of freedom; 999 in 1000 are below this.
CHI_SQUARED = 27.88
CHI_SQUARED_1 = 10.83  # the same for one count: with 1 degree of freedom


class EstimatedTarget(UniformTarget):
    """A uniform target whose family counts members where it can, and else says how many are expected.

    No ``CountedTarget``: ``count`` is None where a number is only expected. A conditional from counts is
    ``exact`` if all prefixes are counted, else ``exact-tail``; one from expectations is ``hardy-littlewood``,
    with a bound that holds for 999 prefixes in 1000.
    """

    @property
    @abstractmethod
    def counted(self) -> bool:
        """Whether members are counted, whatever the prefix."""

    @property
    @abstractmethod
    def multiplicity(self) -> int:
        """Members come in groups of so many, and groups are as good as independent of one another."""

    @abstractmethod
    def _estimate(self, prefix: str) -> "Estimate":
        """How many groups are expected to start with the prefix."""

    def conditional(self, prefix: str) -> Conditional:
        if self.count(prefix) is not None:
            exact = super().conditional(prefix)
            return Conditional(exact.p, "exact" if self.counted else "exact-tail")
        estimates = [self._estimate(prefix + digit) for digit in DIGITS[not prefix :]]
        logs = np.array([estimate.log for estimate in estimates])
        total = float(np.logaddexp.reduce(logs))
        p = np.zeros(SYMBOLS)
        p[END - len(logs) : END] = np.exp(logs - total)
        computing = max(estimate.error for estimate in estimates)
        return Conditional(p, "hardy-littlewood", CHI_SQUARED / 2 * math.exp(-total) + 2 * computing)

    def log_probability(self, prefix: str) -> LogProbability:
        if self.counted:
            return super().log_probability(prefix)
        count, whole = self.count(prefix), self._expected("")
        if count is None:
            part = self._expected(prefix)
            return LogProbability(part.value - whole.value, part.error + whole.error)
        return LogProbability((math.log(count) if count else -math.inf) - whole.value, whole.error)

    def information(self) -> float:
        if self.counted:
            return super().information()
        return math.log(9 * 10 ** (self.digits - 1)) - self._expected("").value

    @property
    def information_error(self) -> float:
        """That of the expected count, whose bound is the 99.9 % point of a normal law."""
        return 0.0 if self.counted else self._expected("").error / math.sqrt(CHI_SQUARED_1)

    def _expected(self, prefix: str) -> LogProbability:
        """ln of how many members are expected to start with the prefix, and how far off that may be."""
        estimate = self._estimate(prefix)
        scatter = math.sqrt(CHI_SQUARED_1) * math.exp(-estimate.log / 2)
        return LogProbability(estimate.log + math.log(self.multiplicity), scatter + estimate.error)
