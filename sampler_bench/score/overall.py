"""Over a whole suite: the mean skill, and how firmly models are ranked by it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sampler_bench.score.intervals import middle
from sampler_bench.score.knowledge import TaskSkill
from sampler_bench.score.score import Score, certain
from sampler_bench.score.truth import Truth

Key = tuple[str, str, str]  # model, arm, decoder


@dataclass(frozen=True)
class Overall:
    """The plain mean of a row's skills at the suite's tasks, with its bootstrap draws."""

    skill: Score
    draws: np.ndarray


def overall_skill(by_task: Mapping[str, TaskSkill], truths: Sequence[Truth]) -> Overall | None:
    """The plain mean over all tasks that constrain anything; None if one of them was not measured.

    Its draws are from independent resamples of the tasks' numbers, each spread as far as the task's interval
    reaches; nan where a task has none.
    """
    wanted = [truth.task for truth in truths if truth.constrains]
    if not wanted or not set(wanted) <= set(by_task):
        return None
    measured = [by_task[task] for task in wanted]
    wordings = [pd.Series(list(one.score.by_paraphrase), one.paraphrases) for one in measured]
    spread = pd.concat(wordings, axis=1).mean(axis=1, skipna=False)
    value = float(np.mean([one.score.value for one in measured]))
    draws = np.mean([one.draws for one in measured], axis=0)
    low, high = middle(draws)
    return Overall(Score("skill", value, low, high, spread, len(wanted), **certain(1.0)), draws)


def ranks(overall: Mapping[Key, Overall]) -> Iterator[tuple[Key, Score]]:
    """The rank by overall skill, 1 the best, its range in the bootstrap, and the share of draws that keep it.

    Rows that read the same numbers are resampled alike, so that a draw compares them on the same numbers.
    One whose skill has no interval, for want of numbers at a task, has no rank.
    """
    overall = {key: each for key, each in overall.items() if not np.isnan(each.draws).any()}
    if not overall:
        return
    values = np.array([each.skill.value for each in overall.values()])
    draws = np.stack([each.draws for each in overall.values()])
    rank, drawn = _ranks(values[:, None])[:, 0], _ranks(draws)
    for key, place, places in zip(overall, rank, drawn, strict=True):
        low, high = np.quantile(places, (0.025, 0.975), method="inverted_cdf")
        yield key, Score("rank", place, low, high, n=len(overall))
        yield key, Score("rank-kept", np.mean(places == place), n=len(overall))


def _ranks(values: np.ndarray) -> np.ndarray:
    """Of each column, 1 for the greatest; ties share the better rank."""
    return 1 + np.sum(values[None, :, :] > values[:, None, :], axis=1)
