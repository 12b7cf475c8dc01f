"""Over a whole suite: mean and median skill and uptake, and how firmly models are ranked by skill."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sampler_bench.score.intervals import middle
from sampler_bench.score.score import Score, certain
from sampler_bench.score.skill import Share

Key = tuple[str, str, str]  # model, arm, decoder


LEAST, MOST = -1.0, 1.0  # to which a share is clipped before it enters the mean


@dataclass(frozen=True)
class Overall:
    """A row's skill, or uptake, over the tasks of a suite.

    ``mean``: of the shares, each clipped to -1 .. 1, so that a task of little information does not rule it.
    ``median``: of the shares as they are. ``draws``: of the mean's bootstrap.
    """

    mean: Score
    median: Score
    draws: np.ndarray


def overall_share(metric: str, by_task: Mapping[str, Share], wanted: Sequence[str]) -> Overall | None:
    """Over the tasks that are wanted; None if one of them was not measured.

    Draws are from independent resamples of the tasks' numbers, each spread as far as the task's interval
    reaches; nan where a task has none.
    """
    if not wanted or not set(wanted) <= set(by_task):
        return None
    shares = [by_task[task] for task in wanted]
    wordings = pd.concat(
        [pd.Series(list(one.score.by_paraphrase), one.paraphrases) for one in shares], axis=1
    )
    values, draws = np.array([one.score.value for one in shares]), np.array([one.draws for one in shares])
    clipped = np.clip(draws, LEAST, MOST).mean(axis=0)
    spread = wordings.clip(LEAST, MOST).mean(axis=1, skipna=False)
    n, perfect = len(wanted), certain(float(np.mean([one.score.floor for one in shares])))
    mean = Score(metric, float(np.clip(values, LEAST, MOST).mean()), *middle(clipped), spread, n, **perfect)
    spread = wordings.median(axis=1, skipna=False)
    median = Score(
        f"{metric}-median", float(np.median(values)), *middle(np.median(draws, axis=0)), spread, n, **perfect
    )
    return Overall(mean, median, clipped)


def ranks(overall: Mapping[Key, Overall]) -> Iterator[tuple[Key, Score]]:
    """The rank by overall skill, 1 the best, its range in the bootstrap, and the share of draws that keep it.

    Rows that read the same numbers are resampled alike, so that a draw compares them on the same numbers.
    One whose skill has no interval, for want of numbers at a task, has no rank.
    """
    overall = {key: each for key, each in overall.items() if not np.isnan(each.draws).any()}
    if not overall:
        return
    values = np.array([each.mean.value for each in overall.values()])
    draws = np.stack([each.draws for each in overall.values()])
    rank, drawn = _ranks(values[:, None])[:, 0], _ranks(draws)
    for key, place, places in zip(overall, rank, drawn, strict=True):
        low, high = np.quantile(places, (0.025, 0.975), method="inverted_cdf")
        yield key, Score("rank", place, low, high, n=len(overall))
        yield key, Score("rank-kept", np.mean(places == place), n=len(overall))


def _ranks(values: np.ndarray) -> np.ndarray:
    """Of each column, 1 for the greatest; ties share the better rank."""
    return 1 + np.sum(values[None, :, :] > values[:, None, :], axis=1)
