"""The statistics' own statistics, by simulation with fixed seeds: p-values, intervals, noise floors."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from sampler_bench import load_task
from sampler_bench.models.reference import find_reference
from sampler_bench.score.divergence import Profile, profile
from sampler_bench.score.estimate import means_over_numbers, wilson_interval
from sampler_bench.score.uniformity import uniformity

REPETITIONS = 1000
SHARES = [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9]
COARSE = {"mod-3", "duplicates"}  # so few values that p-values of 0.05, say, need not occur


@pytest.fixture(scope="module")
def figures_of_the_oracle() -> pd.DataFrame:
    target, rows = load_task("twin-primes-4").target, []
    for repetition in range(REPETITIONS):
        answers = target.sample(100, np.random.default_rng([1, repetition]))
        for figure in uniformity(answers, target, target.information(), repetition):
            within = figure.floor_low <= figure.value <= figure.floor_high
            rows.append((repetition, figure.metric, figure.p, figure.p_adjusted, within))
    return pd.DataFrame(rows, columns=["repetition", "metric", "p", "p_adjusted", "within"])


def test_p_values_of_the_oracle_are_uniform(figures_of_the_oracle):
    """As often below a share as a uniform number is, by exact binomial bounds of 999 in 1000."""
    for metric, rows in figures_of_the_oracle.groupby("metric"):
        for share in SHARES:
            low, high = binom.interval(0.999, REPETITIONS, share)
            below = np.count_nonzero(rows["p"] <= share)
            assert below <= high, (metric, share)
            assert below >= low or metric in COARSE, (metric, share)


def test_a_perfect_sampler_is_rarely_flagged_at_all(figures_of_the_oracle):
    """Holm's correction: at most once in twenty by any of its tests."""
    least = figures_of_the_oracle.groupby("repetition")["p_adjusted"].min()
    assert np.count_nonzero(least < 0.05) <= binom.ppf(0.999, REPETITIONS, 0.05)


def test_the_noise_floor_holds_the_oracle(figures_of_the_oracle):
    for metric, rows in figures_of_the_oracle.groupby("metric"):
        assert rows["within"].sum() >= binom.ppf(0.001, REPETITIONS, 0.95), metric


def all_members(task: str, law) -> Profile:
    """The profile of a law along all members of a task."""
    target, rows = load_task(task).target, []
    for rank in range(target.count("")):
        number, weight = target.nth_member(rank)
        for k in range(len(number) + 1):
            prefix = number[:k]
            rows.append((rank, k, prefix, weight, target.conditional(prefix).p, law(target, prefix)))
    columns = ["number_id", "position", "prefix", "weight", "p", "q"]
    return profile(pd.DataFrame(rows, columns=columns).assign(paraphrase="a", bound=0.0))


def fond_of_one(target, prefix: str) -> np.ndarray:
    """A law that prefers low digits and forgets to stop one time in ten."""
    digits = np.array([0.06, 0.24, 0.18, 0.18, 0.06, 0.06, 0.04, 0.08, 0.05, 0.05])
    return np.append(0.1 * digits, 0.9) if len(prefix) == target.digits else np.append(digits, 0.0)


@pytest.mark.parametrize("law", [find_reference("feasible-uniform").law, fond_of_one])
@pytest.mark.parametrize("numbers", [6, 8, 16, 64])
def test_intervals_of_content_cover_it(law, numbers):
    """4-digit twin primes: the truth is the mean over all members; intervals from few that are drawn."""
    part, information = all_members("twin-primes-4", law), load_task("twin-primes-4").target.information()
    content = part.content.sum(axis=1)
    luck = part.uniform.sum(axis=1) - information
    covariates = np.column_stack([luck, content - part.surprise.sum(axis=1)])
    assert covariates.mean(axis=0) == pytest.approx([0, 0], abs=1e-12)  # over all, there is no luck
    rng, covered = np.random.default_rng(numbers), 0
    for repetition in range(REPETITIONS):
        drawn = rng.integers(len(content), size=numbers)
        weight = np.full(numbers, 1 / numbers)
        means = means_over_numbers(content[drawn, None], weight, covariates[drawn], repetition)
        covered += means.low[0] <= content.mean() <= means.high[0]
    assert 930 <= covered <= 970


@pytest.mark.parametrize(("share", "trials"), [(0.5, 200), (0.15, 200), (0.05, 300), (0.9, 100)])
def test_intervals_of_validity_cover_it(share, trials):
    hits = np.random.default_rng(trials).binomial(trials, share, REPETITIONS)
    lows, highs = wilson_interval(hits, trials)
    assert 930 <= np.count_nonzero((lows <= share) & (share <= highs)) <= 970
