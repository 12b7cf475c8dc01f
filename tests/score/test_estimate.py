"""Estimates and intervals: known values; their coverage is in test_calibration.py."""

import numpy as np
import pytest

from sampler_bench.score.estimate import (
    RESAMPLES,
    calibrated_weights,
    means_over_numbers,
    student_interval,
    wilson_interval,
)


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


def equal(numbers: int) -> np.ndarray:
    return np.full(numbers, 1 / numbers)


def test_calibration_brings_every_covariate_to_its_expectation():
    covariates = np.random.default_rng(0).normal([0.3, -2.0], [1, 5], (40, 2))
    (weights,) = calibrated_weights(equal(40)[None], covariates)
    assert weights.sum() == pytest.approx(1)
    assert weights @ covariates == pytest.approx([0, 0], abs=1e-14)


def test_a_covariate_that_does_not_vary_or_repeats_another_changes_nothing():
    covariate = np.random.default_rng(0).normal(size=(40, 1))
    alone = calibrated_weights(equal(40)[None], covariate)
    for other in (np.full((40, 1), 0.4), -3 * covariate):
        both = calibrated_weights(equal(40)[None], np.hstack([covariate, other]))
        assert both == pytest.approx(alone)
    assert calibrated_weights(equal(40)[None], np.full((40, 1), 0.4)).tolist() == [equal(40).tolist()]


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
    values = np.array([[1.0, 1.0], [2.0, np.inf], [3.0, 3.0]])
    means = means_over_numbers(values, equal(3), np.empty((3, 0)), seed=0)
    assert means.value.tolist() == [2, np.inf]
    assert (means.low[1], means.high[1]) == (np.inf, np.inf)


def test_numbers_that_are_all_there_are_leave_no_sampling_error():
    means = means_over_numbers(np.array([[1.0], [2.0]]), np.array([0.25, 0.75]), None, seed=0)
    assert (means.value[0], means.low[0], means.high[0], means.draws) == (1.75, 1.75, 1.75, None)


def test_the_interval_of_few_numbers_is_students(monkeypatch):
    """Three numbers 1, 2, 6: mean 3, standard deviation sqrt 7, t of 2 degrees of freedom 4.303."""
    monkeypatch.setattr("sampler_bench.score.estimate.RESAMPLES", 200_000)
    means = means_over_numbers(np.array([[1.0], [2.0], [6.0]]), equal(3), np.empty((3, 0)), seed=0)
    half = 4.303 * np.sqrt(7 / 3)
    assert [means.low[0], means.high[0]] == pytest.approx([3 - half, 3 + half], rel=0.01)
    low, high = student_interval(np.array([1.0, 2.0, 6.0]))
    assert [low, high] == pytest.approx([3 - half, 3 + half], rel=1e-3)
    assert np.isnan(student_interval(np.array([1.0]))).all()


def test_one_number_has_no_interval():
    means = means_over_numbers(np.array([[1.0]]), np.ones(1), np.empty((1, 0)), seed=0)
    assert np.isnan([means.low[0], means.high[0]]).all()
