"""Mixtures: which component a sampler's answers come from, and how early that shows."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from sampler_bench.score.estimate import resampled_sums
from sampler_bench.score.intervals import interval_of_draws, student_interval
from sampler_bench.score.score import Point, Score
from sampler_bench.score.truth import Truth
from sampler_bench.targets import Mixture


def component_shares(records: pd.DataFrame, truth: Truth) -> Iterator[Score]:
    """The realised share of each component: the mean posterior over the valid answers.

    Its expectation for a perfect sampler is the nominal weight, the floor. Bootstrap over answers.
    """
    answers = records[records["valid"]]["answer"].tolist()
    if not isinstance(truth.target, Mixture) or not answers:
        return
    n, rng = len(answers), np.random.default_rng(truth.seed("components"))
    posteriors = np.array([truth.target.posterior(answer) for answer in answers])
    draws = resampled_sums(posteriors, n, rng) / n
    lows, highs = np.clip(interval_of_draws(posteriors.mean(axis=0), draws, n), 0.0, 1.0)
    perfect = np.array([truth.target.posterior(number) for number in truth.draws])
    scatter = resampled_sums(perfect, n, rng) / n
    floor_lows, floor_highs = np.quantile(scatter, (0.025, 0.975), axis=0)
    for index, share in enumerate(truth.target.shares):
        yield Score(
            f"component-{index + 1}", posteriors[:, index].mean(), lows[index], highs[index], n=n,
            floor=share, floor_low=floor_lows[index], floor_high=floor_highs[index],
        )  # fmt: skip


def commitment(records: pd.DataFrame, truth: Truth) -> Iterator[Point]:
    """The mean posterior of each component by digits written, over the answers that are still alive there.

    Lengths at which the truth takes long to find are left out.
    """
    if not isinstance(truth.target, Mixture):
        return
    along: dict[int, list[np.ndarray]] = {}
    for answer in records["answer"].dropna():
        for k in {*range(truth.target.live_digits(answer) + 1)} - {*truth.target.slow_lengths}:
            along.setdefault(k, []).append(truth.target.posterior(answer[:k]))
    for k, posteriors in sorted(along.items()):
        lows, highs = np.clip(student_interval(np.array(posteriors)), 0.0, 1.0)
        for index, (*by_answer,) in enumerate(zip(*posteriors, strict=True)):
            ends = float(lows[index]), float(highs[index])
            yield Point(
                "position", k, f"component-{index + 1}", float(np.mean(by_answer)), *ends, len(by_answer)
            )
