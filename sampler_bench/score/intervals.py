"""Intervals of 95 %, of draws, of few values, of shares (docs/method.md, "Estimating it")."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import bdtr, bdtrik, ndtr, stdtrit

COVERAGE = 0.95
Z = 1.959963984540054  # normal quantile of that coverage
FEWEST = 4  # numbers: with fewer, no interval is given
NO_TRIAL = 0.01  # successes, or failures, expected: with fewer, there is none in 99 of 100
FEW = 7  # degrees of freedom: with fewer, intervals are Student's


@dataclass(frozen=True)
class Reach:
    """How far an interval must reach beyond the scatter of resamples, because numbers are few.

    Attributes
    ----------
    widening : ndarray, shape (quantities,), or float
        Factor; nan where no interval can be had.
    student : bool
        Whether the interval is Student's, by the draws' standard deviation, or else goes by percentiles.
    """

    widening: np.ndarray | float
    student: bool

    def of(self, quantity: int) -> "Reach":
        """That of one quantity alone."""
        widening = np.asarray(self.widening)
        return Reach(float(widening[quantity]), self.student) if widening.ndim else self

    def interval(self, value: np.ndarray | float, draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The 95 % interval of a value from its draws along axis 0."""
        value, nowhere = np.asarray(value, float), np.isnan(self.widening) | np.isnan(value)
        if self.student:
            finite = np.isfinite(draws).all(axis=0)
            half = self.widening * Z * np.where(finite, draws, 0.0).std(axis=0)
            half = np.where(np.isinf(value), 0.0, np.where(finite, half, np.inf))
            low, high = value - half, value + half
        else:
            place = float(ndtr(-self.widening * Z)) * (len(draws) - 1)
            ordered = np.sort(draws, axis=0)
            low, high = ordered[math.floor(place)], ordered[math.ceil(len(draws) - 1 - place)]
        return np.where(nowhere, math.nan, low), np.where(nowhere, math.nan, high)

    def spread(self, value: float, draws: np.ndarray) -> np.ndarray:
        """Draws of one quantity, spread about its value as far as the interval reaches."""
        if math.isnan(self.widening):
            return np.full(len(draws), math.nan)
        return draws if math.isinf(value) else value + self.widening * (draws - value)


EXACT = Reach(1.0, student=True)  # of what does not scatter at all
NONE = Reach(math.nan, student=True)  # no interval can be had


def reach_of_few(numbers: int, covariates: int = 0) -> Reach:
    """Of numbers that were drawn alike."""
    freedom = numbers - 1 - covariates
    if numbers < FEWEST or freedom < 1:
        return NONE
    return Reach(float(student_factor(freedom)) * math.sqrt(numbers / freedom), student=freedom < FEW)


def student_factor(freedom: np.ndarray | float) -> np.ndarray | float:
    """How much wider Student's t is than the normal law."""
    return -stdtrit(freedom, (1 - COVERAGE) / 2) / Z


def interval_of_draws(
    value: np.ndarray | float, draws: np.ndarray, numbers: int
) -> tuple[np.ndarray, np.ndarray]:
    """The 95 % interval of ``value`` from its bootstrap draws along axis 0; nan where none can be had.

    Percentiles, widened for few numbers as Student's t is (Hesterberg, The American Statistician 69, 2015:
    "expanded percentile"). Resamples of very few cannot reach far enough: for them Student's t itself, with
    the draws' standard deviation; with fewer than four, none.
    """
    return reach_of_few(numbers).interval(value, draws)


def student_interval(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The 95 % interval of the mean along axis 0: Student's t; nan for fewer than four values."""
    n, mean = len(values), values.mean(axis=0)
    if n < FEWEST:
        return np.full(mean.shape, math.nan), np.full(mean.shape, math.nan)
    half = -stdtrit(n - 1, (1 - COVERAGE) / 2) * values.std(axis=0, ddof=1) / math.sqrt(n)
    return mean - half, mean + half


def middle(draws: np.ndarray) -> tuple[float, float]:
    """Between which 95 % of draws lie; nan if one is not known, and where all are infinite, that."""
    if not np.isfinite(draws).all():
        only = float(draws[0]) if (draws == draws[0]).all() else math.nan
        return only, only
    low, high = np.quantile(draws, ((1 - COVERAGE) / 2, (1 + COVERAGE) / 2))
    return float(low), float(high)


def wilson_interval(successes: np.ndarray | int, trials: int) -> tuple[np.ndarray, np.ndarray]:
    """95 % interval of a share: Wilson, JASA 22 (1927), as in Brown, Cai, DasGupta (2001)."""
    share, z2 = np.asarray(successes) / trials, Z**2 / trials
    centre = (share + z2 / 2) / (1 + z2)
    half = Z / (1 + z2) * np.sqrt(share * (1 - share) / trials + z2 / (4 * trials))
    low, high = np.maximum(0.0, centre - half), np.minimum(1.0, centre + half)
    return np.where(share == 0, 0.0, low), np.where(share == 1, 1.0, high)


def binomial_range(trials: int, chance: np.ndarray) -> np.ndarray:
    """Between which successes 95 % of binomial laws lie: their quantiles, as those of ``scipy.stats.binom``.

    By the special functions, which are there at once: ``scipy.stats`` takes a second to load.

    Parameters
    ----------
    trials : int
    chance : ndarray
        Of a success, from 0 to 1.

    Returns
    -------
    ndarray of float64, shape (2, *chance.shape)
        The least and the greatest number of successes.
    """
    ends = np.array([(1 - COVERAGE) / 2, (1 + COVERAGE) / 2]).reshape(2, *(1 for _ in chance.shape))
    never, ever = trials * chance < NO_TRIAL, trials * (1 - chance) < NO_TRIAL
    between = np.where(never | ever, 0.5, chance)
    near = np.ceil(bdtrik(ends, trials, between))
    less = np.maximum(near - 1, 0)
    found = np.where(bdtr(less, trials, between) >= ends, less, near)
    return np.where(never, 0.0, np.where(ever, float(trials), found))
