"""How far answers lie from a law on a line: Kolmogorov-Smirnov and Wasserstein-1, with Monte-Carlo tests."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from gmpy2 import mpz

from sampler_bench.score.score import Score
from sampler_bench.targets import Target, UniformTarget
from sampler_bench.targets.base import LISTED

REPEATS = 9999  # of a test, so that p can be 1e-4
LEAST_REPEATS = 99  # where answers are many
DRAWN = 20_000_000  # numbers, in all
DRAWN_AT_ONCE = 500_000
MOST_DIGITS = 100  # of a law's numbers: the squares of longer ones are beyond floats
FARTHEST = 1e300  # from the law's least number: what is farther is taken to be there
SLACK = 1e-9  # by which the distances of equal samples may differ


@dataclass(frozen=True)
class Line:
    """A law that gives each of finitely many numbers a probability, in increasing order.

    ``at``: their distances from ``least``, of which the first is 0; ndarray of float64, shape (members,).
    ``p``: their probabilities, summing to 1; of the same shape.
    """

    least: int
    at: np.ndarray
    p: np.ndarray

    @cached_property
    def cumulative(self) -> np.ndarray:
        """P(below the number of a rank), and 1 at the end; shape (members + 1,)."""
        sums = np.concatenate([[0.0], np.cumsum(self.p)])
        return sums / sums[-1]

    @cached_property
    def areas(self) -> np.ndarray:
        """Integrals of the quantile function from 0 to each cumulative probability; shape (members + 1,)."""
        return np.concatenate([[0.0], np.cumsum(self.p * self.at)])

    @cached_property
    def deviation(self) -> float:
        """The standard deviation."""
        return math.sqrt(self.p @ (self.at - self.p @ self.at) ** 2)

    def placed(self, answers: Sequence[str]) -> np.ndarray:
        """Answers as distances from the least number, in increasing order; ndarray of float64, shape (n,)."""
        places = [mpz(text) - self.least for text in answers]
        return np.sort([float(max(min(place, mpz(FARTHEST)), -mpz(FARTHEST))) for place in places])

    def draws(self, times: int, n: int, rng: np.random.Generator) -> np.ndarray:
        """Samples of the law, each in increasing order; ndarray of float64, shape (times, n)."""
        ranks = np.searchsorted(self.cumulative, np.sort(rng.random((times, n))), side="right") - 1
        return self.at[ranks]

    def kolmogorov(self, samples: np.ndarray) -> np.ndarray:
        """The largest |F_n(x) - F(x)| of each sample.

        Parameters
        ----------
        samples : ndarray of float64, shape (times, n)
            Each in increasing order.

        Returns
        -------
        ndarray of float64, shape (times,)
        """
        n = samples.shape[1]
        steps = np.arange(n + 1) / n
        below, up_to = (
            self.cumulative[np.searchsorted(self.at, samples, side)] for side in ("left", "right")
        )
        return np.maximum(steps[1:] - up_to, below - steps[:-1]).max(axis=1)

    def wasserstein(self, samples: np.ndarray) -> np.ndarray:
        """The integral of |F_n - F| over the line, in standard deviations; samples as above.

        It is the integral of |Q_n - Q|, of quantile functions, over 0..1. The j-th of n answers is Q_n on a
        stretch [a, b] of length 1/n, in which Q is at most the answer up to F(answer), and more beyond.
        """
        n = samples.shape[1]
        starts, ends = np.arange(n) / n, np.arange(1, n + 1) / n
        split = self.cumulative[np.searchsorted(self.at, samples, side="right")].clip(starts, ends)
        area = self._area(starts) + self._area(ends) - 2 * self._area(split)
        return (samples * (2 * split - starts - ends) + area).sum(axis=1).clip(min=0) / self.deviation

    def _area(self, p: np.ndarray) -> np.ndarray:
        return np.interp(p, self.cumulative, self.areas)


def line(target: Target) -> Line | None:
    """The law on a line of a target of at most 10,000 members of up to 100 digits.

    None of a set of numbers of one length, and where there is but one member, which tells nothing.
    """
    if target.digits > MOST_DIGITS or (isinstance(target, UniformTarget) and target.fixed):
        return None
    size = target.count("")
    if size is None or not 1 < size <= LISTED:
        return None
    members = sorted((int(mpz(number)), p) for number, p in map(target.nth_member, range(size)))
    least = members[0][0]
    p = np.array([p for _, p in members])
    return Line(least, np.array([float(number - least) for number, _ in members]), p / p.sum())


def distances(answers: Sequence[str], law: Line, rng: np.random.Generator) -> Iterator[Score]:
    """``ks`` and ``wasserstein`` of answers, with their tests.

    p = (1 + draws at least as far) / (1 + draws), from samples of the law itself: right for discrete laws.
    """
    n, seen = len(answers), law.placed(answers)[None]
    blocks = [(law.kolmogorov(samples), law.wasserstein(samples)) for samples in _samples(law, n, rng)]
    ks, wasserstein = map(np.concatenate, zip(*blocks, strict=True))
    yield _tested("ks", law.kolmogorov(seen)[0], n, ks)
    yield _tested("wasserstein", law.wasserstein(seen)[0], n, wasserstein)


def _tested(metric: str, value: float, n: int, drawn: np.ndarray) -> Score:
    low, high = np.quantile(drawn, (0.025, 0.975))
    p = (1 + np.count_nonzero(drawn >= value - SLACK)) / (1 + len(drawn))
    return Score(metric, value, n=n, floor=drawn.mean(), floor_low=low, floor_high=high, p=p)


def _samples(law: Line, n: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Samples of n, in blocks that fit the memory."""
    times = max(LEAST_REPEATS, min(REPEATS, DRAWN // n))
    block = max(1, DRAWN_AT_ONCE // n)
    for first in range(0, times, block):
        yield law.draws(min(block, times - first), n, rng)
