"""Estimates and intervals: known values; their coverage is in test_calibration.py."""

import numpy as np
import pytest
from scipy import stats

from sampler_bench.score.calibration import calibrated_weights, misses, usable_covariates
from sampler_bench.score.estimate import RESAMPLES, means_over_numbers, resampled_sums
from sampler_bench.score.intervals import binomial_range, student_interval, wilson_interval


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),  # Newcombe, Statistics in Medicine 17 (1998), table I
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_intervals_equal_published_ones(successes, trials, low, high):
    assert wilson_interval(successes, trials) == pytest.approx((low, high), abs=5e-5)


def test_wilson_intervals_of_nothing_and_of_all_reach_the_end():
    assert wilson_interval(0, 24)[0] == 0
    assert wilson_interval(24, 24)[1] == 1


@pytest.mark.parametrize("trials", [1, 2, 7, 24, 240, 10_000])
def test_the_range_of_a_binomial_law_is_that_of_scipy(trials):
    seldom = [0.0, 1e-300, 1e-20, 1e-12, 0.01 / trials]
    chances = np.random.default_rng(trials).beta(0.3, 0.3, 300)
    chance = np.array([*seldom, *(1 - np.array(seldom)), *np.arange(1, 20) / 20, *chances])
    assert np.array_equal(binomial_range(trials, chance), stats.binom.interval(0.95, trials, chance))


def equal(numbers: int) -> np.ndarray:
    return np.full(numbers, 1 / numbers)


def test_calibration_brings_every_covariate_to_its_expectation():
    covariates = np.random.default_rng(0).normal([0.3, -2.0], [1, 5], (40, 2))
    (weights,) = calibrated_weights(equal(40)[None], covariates, equal(40))
    assert weights.sum() == pytest.approx(1)
    assert weights @ covariates == pytest.approx([0, 0], abs=1e-14)


def test_covariates_that_do_not_vary_or_that_others_make_up_are_left_out_the_later_first():
    first, second = np.random.default_rng(0).normal(size=(2, 40))
    constant = np.full(40, 0.4)
    for columns, taken in (
        ((first, second), (0, 1)),
        ((first, -3 * first), (0,)),
        ((constant, second), (1,)),
        ((first, 2 * first + 1), (0,)),  # of which 0 is no longer the expectation; but the first explains it
        ((first, second, first - second, first + second**2), (0, 1, 3)),
    ):
        assert usable_covariates(np.column_stack(columns)) == taken


def test_a_covariate_whose_expectation_lies_outside_of_the_sample_is_left_out_and_leaves_no_interval():
    """Nothing is extrapolated: the value is the plain mean, whatever the regression would say."""
    luck = np.random.default_rng(1).uniform(0.1, 0.3, size=(24, 1))
    values = 2.5 - 3 * luck
    assert usable_covariates(luck) == ()
    means = means_over_numbers(values, equal(24), luck, seed=0)
    assert means.value == pytest.approx([values.mean()])
    assert means.used == ()
    assert np.isnan([means.low[0], means.high[0]]).all()
    assert not misses(luck - 0.2)
    around = means_over_numbers(values, equal(24), luck - 0.2, seed=0)
    assert (around.value[0], around.low[0], around.high[0]) == pytest.approx((1.9,) * 3)


def test_a_resample_on_one_side_of_the_expectation_is_not_extrapolated():
    """There the slope of all numbers is taken: with an exact line, still the exact value."""
    luck = np.array([-3.0, 1.0, 1.1, 0.9, 1.2, 0.8, 1.0, -2.0])[:, None]
    one_sided = np.array([0, 3, 2, 1, 1, 1, 0, 0]) / 8
    (weights,) = calibrated_weights(one_sided[None], luck, equal(8))
    assert weights.sum() == pytest.approx(1)
    assert weights @ (2.5 - 3 * luck) == pytest.approx([2.5])
    noisy = np.array([9.0, 5.0, 0.0, 5.0, 0.0, 5.0, 0.0, 9.0])
    own_slope = np.polyfit(
        np.repeat(luck[:, 0], [0, 3, 2, 1, 1, 1, 0, 0]), np.repeat(noisy, [0, 3, 2, 1, 1, 1, 0, 0]), 1
    )
    assert abs(own_slope[1]) > 10  # what its own regression would say
    assert abs(weights @ noisy - noisy @ one_sided) < 5


@pytest.mark.parametrize(("numbers", "exact"), [(7, 0), (8, 1), (15, 1), (16, 2)])
def test_a_covariate_is_used_for_every_eight_numbers(numbers, exact):
    """A value that follows the covariates used, its expectation 2.5, is met exactly."""
    covariates = np.random.default_rng(1).normal(size=(numbers, 2))
    values = 2.5 - 3 * covariates.cumsum(axis=1)  # the first needs one covariate, the second both
    means = means_over_numbers(values, equal(numbers), covariates, seed=0)
    known = np.abs(means.value - 2.5) < 1e-12
    assert known.tolist() == [exact >= 1, exact >= 2]


def test_resamples_do_not_hang_on_how_many_are_held_at_once(monkeypatch):
    values = np.random.default_rng(2).normal(size=(50, 3))
    whole = means_over_numbers(values, equal(50), values[:, :1], seed=5)
    monkeypatch.setattr("sampler_bench.score.estimate.BLOCK", 333)
    in_blocks = means_over_numbers(values, equal(50), values[:, :1], seed=5)
    assert whole.draws.shape == (RESAMPLES, 3)
    assert in_blocks.draws == pytest.approx(whole.draws, abs=1e-13)


def test_sums_over_resamples_are_those_of_all_resamples_at_once(monkeypatch):
    rows = np.random.default_rng(3).normal(size=(40, 2))
    at_once = rows[np.random.default_rng(1).integers(40, size=(RESAMPLES, 71))].sum(axis=1)
    for block in (10**9, 999, 1):
        monkeypatch.setattr("sampler_bench.score.estimate.BLOCK", block)
        assert np.array_equal(resampled_sums(rows, 71, np.random.default_rng(1)), at_once)


def test_the_bootstrap_of_a_mean_scatters_by_its_standard_error():
    values = np.random.default_rng(3).normal(size=(400, 1))
    means = means_over_numbers(values, equal(400), np.empty((400, 0)), seed=0)
    assert means.draws.std() == pytest.approx(values.std() / 20, rel=0.1)


def test_very_many_numbers_are_resampled_in_groups_to_the_same_interval(monkeypatch):
    rng = np.random.default_rng(4)
    luck = rng.exponential(size=(3001, 1)) - 1
    values = np.hstack([2.5 - 3 * luck, luck + rng.normal(size=(3001, 1))])
    whole = means_over_numbers(values, equal(3001), luck, seed=5)
    monkeypatch.setattr("sampler_bench.score.estimate.GROUPS", 500)
    grouped = means_over_numbers(values, equal(3001), luck, seed=5)
    assert grouped.value.tolist() == whole.value.tolist()
    assert grouped.draws[:, 0] == pytest.approx(np.full(RESAMPLES, 2.5), abs=1e-3)
    assert grouped.draws[:, 1].std() == pytest.approx(whole.draws[:, 1].std(), rel=0.15)


def test_one_infinite_value_makes_its_mean_infinite_and_no_other():
    for numbers in (4, 8, 40):
        values = np.ones((numbers, 4))
        values[1, 1:] = np.inf, -np.inf, np.nan
        with np.errstate(all="raise"):
            means = means_over_numbers(values, equal(numbers), np.empty((numbers, 0)), seed=0)
        expected = [1, np.inf, -np.inf, np.nan]
        for found in (means.value, means.low, means.high):
            assert found == pytest.approx(expected, nan_ok=True)


def test_numbers_that_are_all_there_are_leave_no_sampling_error():
    means = means_over_numbers(np.array([[1.0], [2.0]]), np.array([0.25, 0.75]), None, seed=0)
    assert (means.value[0], means.low[0], means.high[0], means.draws) == (1.75, 1.75, 1.75, None)


def test_the_interval_of_few_numbers_is_students(monkeypatch):
    """Four numbers 1, 2, 3, 6: mean 3, standard deviation sqrt(14 / 3), t of 3 degrees of freedom 3.182."""
    monkeypatch.setattr("sampler_bench.score.estimate.RESAMPLES", 200_000)
    values = np.array([1.0, 2.0, 3.0, 6.0])
    means = means_over_numbers(values[:, None], equal(4), np.empty((4, 0)), seed=0)
    half = 3.18245 * np.sqrt(14 / 3 / 4)
    assert [means.low[0], means.high[0]] == pytest.approx([3 - half, 3 + half], rel=0.01)
    low, high = student_interval(values)
    assert [low, high] == pytest.approx([3 - half, 3 + half], rel=1e-3)


@pytest.mark.parametrize("numbers", [1, 2, 3])
def test_fewer_than_four_numbers_have_no_interval(numbers):
    values = np.arange(1.0, numbers + 1)[:, None]
    means = means_over_numbers(values, equal(numbers), np.empty((numbers, 0)), seed=0)
    assert means.value == pytest.approx([(numbers + 1) / 2])
    assert np.isnan([means.low[0], means.high[0], *student_interval(values[:, 0])]).all()
    assert np.isnan(means.spread_draws(0)).all()


def test_the_interval_of_strata_is_students_with_satterthwaites_degrees_of_freedom(monkeypatch):
    """Shares 0.2 and 0.8, numbers 1, 3 and 10, 11, 12, 15: by hand.

    Variances 2 and 14 / 3; squared standard errors of the parts 0.04 2 / 2 = 0.04 and 0.64 (14 / 3) / 4 =
    0.7467; degrees of freedom 0.7867^2 / (0.04^2 / 1 + 0.7467^2 / 3) = 3.30; t = 3.02.
    """
    monkeypatch.setattr("sampler_bench.score.estimate.RESAMPLES", 100_000)
    values = np.array([1.0, 3.0, 10.0, 11.0, 12.0, 15.0])[:, None]
    weight, strata = np.array([0.1, 0.1, 0.2, 0.2, 0.2, 0.2]), np.array([0, 0, 1, 1, 1, 1])
    means = means_over_numbers(values, weight, np.empty((6, 0)), seed=0, strata=strata)
    half = stats.t.ppf(0.975, 0.78667**2 / (0.04**2 + 0.74667**2 / 3)) * np.sqrt(0.78667)
    assert means.value[0] == pytest.approx(0.2 * 2 + 0.8 * 12)
    assert [means.low[0], means.high[0]] == pytest.approx([10 - half, 10 + half], rel=0.01)


def test_strata_with_too_few_numbers_have_no_interval():
    values, strata = np.arange(4.0)[:, None], np.array([0, 0, 1, 1])
    means = means_over_numbers(values, equal(4), np.empty((4, 0)), seed=0, strata=strata)
    assert np.isnan([means.low[0], means.high[0]]).all()


def test_what_cannot_be_is_set_to_its_edge():
    """A mean of 0.1 with a standard deviation of 0.4: the interval would reach far below 0."""
    values = np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.9])[:, None]
    free = means_over_numbers(values, equal(6), np.empty((6, 0)), seed=0)
    bounded = means_over_numbers(values, equal(6), np.empty((6, 0)), seed=0, least=0.0)
    assert free.low[0] < 0 == bounded.low[0]
    assert free.high[0] == bounded.high[0]


def test_what_an_expectation_may_be_instead_moves_the_draws_along():
    """A value of slope 1 on luck: as luck may have another expectation by 0.5, so may the value."""
    luck = np.random.default_rng(5).normal(size=(16, 1))
    slips = 0.5 * np.random.default_rng(6).normal(size=(RESAMPLES, 1))
    means = means_over_numbers(3 + luck, equal(16), luck, seed=0, expectation=slips)
    assert means.draws == pytest.approx(3 + slips)
    assert means.value == pytest.approx([3])
    assert means.high[0] - means.low[0] > 1.9
