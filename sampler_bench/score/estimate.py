"""Means over numbers drawn from the target, and their sampling error (docs/method.md, "Estimating it")."""

from dataclasses import dataclass

import numpy as np

RESAMPLES = 1000
LEAST_NUMBERS = 5  # fewer cannot carry a regression
COVERAGE = 0.95
Z = 1.959963984540054  # normal quantile of that coverage


@dataclass(frozen=True)
class Estimate:
    """A value, its 95 % interval, and the draws that the interval was read from."""

    value: float
    draws: np.ndarray

    @property
    def low(self) -> float:
        return float(np.quantile(self.draws, (1 - COVERAGE) / 2, method="lower"))

    @property
    def high(self) -> float:
        return float(np.quantile(self.draws, (1 + COVERAGE) / 2, method="higher"))


def calibrated_weights(weight: np.ndarray, surplus: np.ndarray) -> np.ndarray:
    """Weights that make the weighted mean of ``surplus`` zero, its known expectation.

    The regression (calibration) estimator of survey sampling, Deville and Sarndal, JASA 87 (1992):
    a mean under these weights is the plain mean less the part that the regression on ``surplus``
    explains by the luck of the draw.

    Parameters
    ----------
    weight, surplus : ndarray, shape (..., numbers)
        Weights summing to 1, and a quantity whose expectation is 0.

    Returns
    -------
    ndarray, shape (..., numbers)
        Summing to 1. ``weight`` itself where ``surplus`` does not vary or the numbers are too few.
    """
    mean = np.sum(weight * surplus, axis=-1, keepdims=True)
    centred = surplus - mean
    spread = np.sum(weight * centred**2, axis=-1, keepdims=True)
    varies = (spread > 1e-18) & (surplus.shape[-1] >= LEAST_NUMBERS)
    slope = np.divide(mean, spread, out=np.zeros_like(mean), where=varies)
    return weight * (1 - slope * centred)


def mean_over_numbers(values: np.ndarray, weight: np.ndarray, surplus: np.ndarray | None) -> Estimate:
    """Calibrated mean of a quantity over drawn numbers, with its bootstrap over numbers.

    Infinite if any value is: a model that excludes what the truth allows is infinitely far from it.

    Parameters
    ----------
    values : ndarray, shape (numbers,)
    weight : ndarray, shape (numbers,)
    surplus : ndarray, shape (numbers,), or None
        None says that the numbers are all there are: no sampling error.
    """
    if surplus is None or np.isinf(values).any():
        value = float(np.sum(weight * values))
        return Estimate(value, np.full(RESAMPLES, value))
    value = float(np.sum(calibrated_weights(weight, surplus) * values))
    picks = np.random.default_rng(0).integers(len(values), size=(RESAMPLES, len(values)))
    equal = np.full(picks.shape, 1 / len(values))
    draws = np.sum(calibrated_weights(equal, surplus[picks]) * values[picks], axis=1)
    return Estimate(value, draws)


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """95 % interval of a share: Wilson, JASA 22 (1927), as in Brown, Cai, DasGupta (2001)."""
    share, z2 = successes / trials, Z**2 / trials
    centre = (share + z2 / 2) / (1 + z2)
    half = Z / (1 + z2) * np.sqrt(share * (1 - share) / trials + z2 / (4 * trials))
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))
