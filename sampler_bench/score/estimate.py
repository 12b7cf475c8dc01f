"""Means over numbers drawn from the target, and their sampling error (docs/method.md, "Estimating it")."""

import math
from dataclasses import dataclass

import numpy as np

from sampler_bench.score.calibration import calibrated_weights, misses, unexplained, usable_covariates
from sampler_bench.score.intervals import EXACT, FEWEST, NONE, Reach, reach_of_few, student_factor

RESAMPLES = 1000
GROUPS = 4096  # numbers, or groups of them, to resample at most
BLOCK = 1_000_000  # of those held at once


@dataclass(frozen=True)
class Means:
    """Means of several quantities over the same numbers, their 95 % intervals, and the draws behind these.

    Attributes
    ----------
    value, low, high : ndarray, shape (quantities,)
    draws : ndarray, shape (RESAMPLES, quantities), or None
        None where the numbers are all there are: then there is no sampling error.
    reach : Reach
        How the interval was made of the draws.
    used : tuple of int
        The covariates that the means are calibrated on, by their columns.
    """

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    draws: np.ndarray | None
    reach: Reach = EXACT
    used: tuple[int, ...] = ()

    def all_draws(self, quantity: int) -> np.ndarray:
        """The draws of a quantity; its value again and again where there is no error."""
        return np.full(RESAMPLES, self.value[quantity]) if self.draws is None else self.draws[:, quantity]

    def spread_draws(self, quantity: int) -> np.ndarray:
        """The same, spread as far as the interval reaches; nan where there is none."""
        return self.reach.of(quantity).spread(self.value[quantity], self.all_draws(quantity))


def resampled_sums(rows: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """Sums over bootstrap resamples of ``size`` rows, shape (RESAMPLES, columns); few are held at once."""
    at_once = max(1, BLOCK // (size * rows.shape[1]))
    blocks = (min(at_once, RESAMPLES - done) for done in range(0, RESAMPLES, at_once))
    picks = (rng.integers(len(rows), size=(block, size)) for block in blocks)
    return np.concatenate([rows[picked].sum(axis=1) for picked in picks])


def calibrated_means(values: np.ndarray, weight: np.ndarray, covariates: np.ndarray | None) -> np.ndarray:
    """Calibrated means of quantities over drawn numbers, shape (quantities,); see ``means_over_numbers``."""
    return _means(values, weight[None], _used(covariates, len(values))[1], weight)[0]


def means_over_numbers(
    values: np.ndarray,
    weight: np.ndarray,
    covariates: np.ndarray | None,
    seed: int,
    *,
    strata: np.ndarray | None = None,
    expectation: np.ndarray | float = 0.0,
    least: float = -math.inf,
) -> Means:
    """Calibrated means of quantities over drawn numbers, with their bootstrap over numbers.

    Infinite where any value is: a model that excludes what the truth allows is infinitely far from it.

    Parameters
    ----------
    values : ndarray, shape (numbers, quantities)
    weight : ndarray, shape (numbers,)
        Summing to 1.
    covariates : ndarray, shape (numbers, covariates), or None
        Quantities whose expectations are 0, the most important first; ``usable_covariates`` chooses.
        None says that the numbers are all there are. Where one shows that a part of the target was missed,
        there is no interval.
    seed : int
        The same for the same numbers, so that models are compared on the same resamples.
    strata : ndarray of int, shape (numbers,), optional
        From which stratum each number was drawn: resamples are drawn within them.
    expectation : ndarray, shape (RESAMPLES, covariates), or 0
        Where an expectation is an estimate itself: what it may be instead, resample by resample.
    least : float
        Below which no quantity can be: what falls there is set to it.
    """
    used, taken = _used(covariates, len(values))
    value = np.maximum(_means(values, weight[None], taken, weight)[0], least)
    if covariates is None:
        return Means(value, value, value, None)
    groups = _Groups.of(weight, strata)
    reach = NONE if misses(covariates) else _reach(values, weight, taken, groups.stratum_of_numbers)
    values, resampled = groups.means(values), groups.means(taken)
    expected = np.broadcast_to(expectation, (RESAMPLES, covariates.shape[1]))[:, used]
    rng, rows = np.random.default_rng(seed), max(1, min(RESAMPLES, BLOCK // len(values)))
    blocks = [slice(done, min(done + rows, RESAMPLES)) for done in range(0, RESAMPLES, rows)]
    draws = np.concatenate(
        [
            _means(values, groups.resampled(b.stop - b.start, rng), resampled, groups.weight, expected[b])
            for b in blocks
        ]
    )
    draws = np.maximum(draws, least)
    low, high = (np.maximum(end, least) for end in reach.interval(value, draws))
    return Means(value, low, high, draws, reach, used)


@dataclass(frozen=True)
class _Groups:
    """Numbers as they are resampled: groups of them if they are very many, as independent as the numbers.

    ``weight``, ``stratum``: of each group; ``starts``: the first number of each.
    """

    weight: np.ndarray
    stratum: np.ndarray
    starts: np.ndarray
    stratum_of_numbers: np.ndarray
    number_weight: np.ndarray

    @classmethod
    def of(cls, weight: np.ndarray, strata: np.ndarray | None) -> "_Groups":
        strata = np.zeros(len(weight), int) if strata is None else strata
        starts = np.arange(len(weight))
        if len(weight) > GROUPS:
            first = np.linspace(0, len(weight), GROUPS, endpoint=False).astype(int)
            starts = np.union1d(first, np.flatnonzero(np.diff(strata, prepend=strata[0])))
        return cls(np.add.reduceat(weight, starts), strata[starts], starts, strata, weight)

    def means(self, values: np.ndarray) -> np.ndarray:
        if len(self.starts) == len(values):
            return values
        weighted = np.add.reduceat(values * self.number_weight[:, None], self.starts)
        return weighted / self.weight[:, None]

    def resampled(self, rows: int, rng: np.random.Generator) -> np.ndarray:
        """Weights of bootstrap resamples: each stratum keeps its share, its groups as often as picked."""
        weights = np.zeros((rows, len(self.weight)))
        for stratum in np.unique(self.stratum):
            (inside,) = np.nonzero(self.stratum == stratum)
            size = len(inside)
            picks = rng.integers(size, size=(rows, size)) + size * np.arange(rows)[:, None]
            times = np.bincount(picks.ravel(), minlength=rows * size).reshape(rows, size)
            weights[:, inside] = times * (self.weight[inside].sum() / size)
        return weights


def _used(covariates: np.ndarray | None, numbers: int) -> tuple[tuple[int, ...], np.ndarray]:
    """Which covariates are used, and these."""
    if covariates is None:
        return (), np.empty((numbers, 0))
    used = usable_covariates(covariates)
    return used, covariates[:, used]


def _means(
    values: np.ndarray,
    weight: np.ndarray,
    covariates: np.ndarray,
    whole: np.ndarray,
    expectation: np.ndarray | float = 0.0,
) -> np.ndarray:
    """A row for each row of weights; of a quantity with infinite values, their sum: infinite, or unknown."""
    if covariates.shape[1]:
        weight = calibrated_weights(weight, covariates, whole, expectation)
    finite = np.isfinite(values).all(axis=0)
    if finite.all():
        return weight @ values
    with np.errstate(invalid="ignore"):
        beyond = np.where(np.isfinite(values), 0.0, values).sum(axis=0)
    return np.where(finite, weight @ np.where(finite, values, 0.0), beyond)


def _reach(values: np.ndarray, weight: np.ndarray, covariates: np.ndarray, strata: np.ndarray) -> Reach:
    """By how many numbers there are in the strata, and how much of the scatter comes from each.

    In a stratum of n numbers, resamples scatter by (n - 1) / n of what they should. Degrees of freedom are
    Satterthwaite's (Biometrics Bulletin 2, 1946), of what the covariates do not explain; with one stratum
    these are n - 1. Each covariate takes its share of them.
    """
    numbers, taken = len(values), covariates.shape[1]
    names, size = np.unique(strata, return_counts=True)
    if len(names) == 1:
        return reach_of_few(numbers, taken)
    if numbers - len(names) < FEWEST - 1:
        return NONE
    finite = np.isfinite(values).all(axis=0)
    rest = unexplained(np.where(finite, values, 0.0), weight, covariates)
    scatter = np.stack(  # of each stratum's part of the mean: its squared standard error
        [weight[strata == name].sum() ** 2 * rest[strata == name].var(axis=0, ddof=1) for name in names]
    )
    scatter = scatter / size[:, None]
    total = scatter.sum(axis=0)
    steady = total > 0
    freedom = np.full(values.shape[1], float(numbers - len(names)))
    np.divide(total**2, (scatter**2 / (size[:, None] - 1)).sum(axis=0), out=freedom, where=steady)
    missed = np.ones(values.shape[1])
    np.divide(total, (scatter * (1 - 1 / size[:, None])).sum(axis=0), out=missed, where=steady)
    left = (numbers - len(names) - taken) / (numbers - len(names))
    return Reach(student_factor(freedom * left) * np.sqrt(missed / left), student=True)
