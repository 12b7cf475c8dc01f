"""Means over numbers drawn from the target, and their sampling error (docs/method.md, "Estimating it")."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, stdtrit

RESAMPLES = 1000
NUMBERS_A_COVARIATE = 8  # fewer cannot carry a regression
COVERAGE = 0.95
Z = 1.959963984540054  # normal quantile of that coverage
FEW = 8  # numbers: for fewer, intervals are Student's
NO_SPREAD = 1e-9  # standard deviation, nats, below which a covariate is rounding
COLLINEAR = 1e-10  # relative, of the eigenvalues of a correlation matrix
GROUPS = 4096  # numbers, or groups of them, to resample at most
BLOCK = 4_000_000  # of those held at once


@dataclass(frozen=True)
class Means:
    """Means of several quantities over the same numbers, their 95 % intervals, and the draws behind these.

    Attributes
    ----------
    value, low, high : ndarray, shape (quantities,)
    draws : ndarray, shape (RESAMPLES, quantities), or None
        None where the numbers are all there are: then there is no sampling error.
    """

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    draws: np.ndarray | None

    def all_draws(self, quantity: int) -> np.ndarray:
        """The draws of a quantity; its value again and again where there is no error."""
        return np.full(RESAMPLES, self.value[quantity]) if self.draws is None else self.draws[:, quantity]


def calibrated_weights(weight: np.ndarray, covariates: np.ndarray) -> np.ndarray:
    """Weights that make the weighted means of ``covariates`` zero, their known expectation.

    The regression (calibration) estimator of survey sampling, Deville and Sarndal, JASA 87 (1992):
    a mean under these weights is the plain mean less the part that the regression on the covariates
    explains by the luck of the draw.

    Parameters
    ----------
    weight : ndarray, shape (resamples, numbers)
        Rows summing to 1.
    covariates : ndarray, shape (numbers, covariates)
        Quantities whose expectations are 0. One that does not vary, or that others make up, is left out.

    Returns
    -------
    ndarray, shape (resamples, numbers)
        Rows summing to 1.
    """
    spread = covariates.std(axis=0)
    scaled = covariates / np.where(spread > NO_SPREAD, spread, np.inf)
    mean = weight @ scaled
    products = (scaled[:, :, None] * scaled[:, None, :]).reshape(len(scaled), -1)
    size = scaled.shape[1]
    covariance = (weight @ products).reshape(-1, size, size) - mean[:, :, None] * mean[:, None, :]
    slope = np.einsum("rij,rj->ri", np.linalg.pinv(covariance, rcond=COLLINEAR, hermitian=True), mean)
    return weight * (1 + np.sum(slope * mean, axis=1, keepdims=True) - slope @ scaled.T)


def calibrated_means(values: np.ndarray, weight: np.ndarray, covariates: np.ndarray | None) -> np.ndarray:
    """Calibrated means of quantities over drawn numbers, shape (quantities,); see ``means_over_numbers``."""
    return _means(values, weight[None], _affordable(covariates, len(values)))[0]


def means_over_numbers(
    values: np.ndarray, weight: np.ndarray, covariates: np.ndarray | None, seed: int
) -> Means:
    """Calibrated means of quantities over drawn numbers, with their bootstrap over numbers.

    Infinite where any value is: a model that excludes what the truth allows is infinitely far from it.

    Parameters
    ----------
    values : ndarray, shape (numbers, quantities)
    weight : ndarray, shape (numbers,)
        Summing to 1.
    covariates : ndarray, shape (numbers, covariates), or None
        Quantities whose expectations are 0, the most important first: one is used for every eight numbers.
        None says that the numbers are all there are.
    seed : int
        The same for the same numbers, so that models are compared on the same resamples.
    """
    value = calibrated_means(values, weight, covariates)
    if covariates is None:
        return Means(value, value, value, None)
    numbers, used = len(values), _affordable(covariates, len(values))
    values, resampled = _grouped(values), _grouped(used)
    rng, rows = np.random.default_rng(seed), max(1, min(RESAMPLES, BLOCK // len(values)))
    draws = np.concatenate(
        [
            _means(values, _resampled(len(values), min(rows, RESAMPLES - done), rng), resampled)
            for done in range(0, RESAMPLES, rows)
        ]
    )
    return Means(value, *interval_of_draws(value, draws, numbers, used.shape[1]), draws)


def _grouped(values: np.ndarray) -> np.ndarray:
    """Means of groups of numbers, if they are very many: groups are as independent as the numbers."""
    if len(values) <= GROUPS:
        return values
    starts = np.linspace(0, len(values), GROUPS, endpoint=False).astype(int)
    return np.add.reduceat(values, starts) / np.diff(starts, append=len(values))[:, None]


def _affordable(covariates: np.ndarray | None, numbers: int) -> np.ndarray:
    return np.empty((numbers, 0)) if covariates is None else covariates[:, : numbers // NUMBERS_A_COVARIATE]


def _means(values: np.ndarray, weight: np.ndarray, covariates: np.ndarray) -> np.ndarray:
    """A row for each row of weights."""
    if covariates.shape[1]:
        weight = calibrated_weights(weight, covariates)
    infinite = np.isinf(values).any(axis=0)
    return np.where(infinite, np.inf, weight @ np.where(infinite, 0.0, values))


def _resampled(numbers: int, rows: int, rng: np.random.Generator) -> np.ndarray:
    """Weights of bootstrap resamples: how often each number was picked, over how many there are."""
    picks = rng.integers(numbers, size=(rows, numbers)) + numbers * np.arange(rows)[:, None]
    return np.bincount(picks.ravel(), minlength=rows * numbers).reshape(rows, numbers) / numbers


def interval_of_draws(
    value: np.ndarray | float, draws: np.ndarray, numbers: int, covariates: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """The 95 % interval of ``value`` from its bootstrap draws along axis 0; nan where none can be had.

    Percentiles, widened for few numbers as Student's t is (Hesterberg, The American Statistician 69, 2015:
    "expanded percentile"). Resamples of very few cannot reach far enough: for them Student's t itself, with
    the draws' standard deviation.
    """
    freedom = numbers - 1 - covariates
    if freedom < 1:
        return np.full(draws.shape[1:], math.nan), np.full(draws.shape[1:], math.nan)
    widening = _widening(numbers, freedom)
    if numbers < FEW:
        finite = np.isfinite(draws).all(axis=0)
        half = np.where(finite, widening * Z * np.where(finite, draws, 0.0).std(axis=0), np.inf)
        half = np.where(np.isinf(value), 0.0, half)
        return value - half, value + half
    tail = ndtr(-widening * Z)
    low = np.quantile(draws, tail, axis=0, method="lower")
    return low, np.quantile(draws, 1 - tail, axis=0, method="higher")


def student_interval(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The 95 % interval of the mean along axis 0: Student's t; nan for one value."""
    n, mean = len(values), values.mean(axis=0)
    if n == 1:
        return np.full(mean.shape, math.nan), np.full(mean.shape, math.nan)
    half = -stdtrit(n - 1, (1 - COVERAGE) / 2) * values.std(axis=0, ddof=1) / math.sqrt(n)
    return mean - half, mean + half


def widened(value: float, draws: np.ndarray, numbers: int) -> np.ndarray:
    """Draws spread about ``value`` as far as Student's t is wider than the normal; nan for one number."""
    return value + (_widening(numbers, numbers - 1) if numbers > 1 else math.nan) * (draws - value)


def _widening(numbers: int, freedom: int) -> float:
    """How much farther than resamples of so few numbers an interval must reach."""
    return -stdtrit(freedom, (1 - COVERAGE) / 2) / Z * math.sqrt(numbers / freedom)


def wilson_interval(successes: np.ndarray | int, trials: int) -> tuple[np.ndarray, np.ndarray]:
    """95 % interval of a share: Wilson, JASA 22 (1927), as in Brown, Cai, DasGupta (2001)."""
    share, z2 = np.asarray(successes) / trials, Z**2 / trials
    centre = (share + z2 / 2) / (1 + z2)
    half = Z / (1 + z2) * np.sqrt(share * (1 - share) / trials + z2 / (4 * trials))
    low, high = np.maximum(0.0, centre - half), np.minimum(1.0, centre + half)
    return np.where(share == 0, 0.0, low), np.where(share == 1, 1.0, high)
