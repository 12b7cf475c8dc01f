"""All scores of a run, in long form: one row a figure."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sampler_bench.measure.records import SCORES
from sampler_bench.score.divergence import profile
from sampler_bench.score.estimate import RESAMPLES, Estimate, mean_over_numbers, wilson_interval

OVERALL = "(overall)"  # in the task column: the whole suite
NOTHING = 1e-9  # nats: a target with no more information is uniform digits itself, and none has skill at it
ROW = ["model", "arm", "decoder"]  # what makes a row of the leaderboard


@dataclass(frozen=True)
class Truth:
    """What is known of a task's target: I(S) in nats, and whether every member was measured along."""

    information: float
    enumerated: bool


def score(
    suite: str, truths: Mapping[str, Truth], conditionals: pd.DataFrame, samples: pd.DataFrame
) -> pd.DataFrame:
    """Scores of a run.

    Parameters
    ----------
    suite : str
        Its name.
    truths : mapping of str to Truth
        By task, in the suite's order.
    conditionals, samples : DataFrame
        The records (``measure/records.py``).

    Returns
    -------
    DataFrame
        Columns of the SCORES schema. ``task`` is ``(overall)`` for a mean over the suite's tasks, given
        where every task has been measured.
    """
    rows: list[dict] = []
    skills: dict[tuple, dict[str, Estimate]] = {}
    for task, truth in truths.items():
        for key, records in conditionals[conditionals["task"] == task].groupby(ROW):
            estimates = _divergences(records, truth)
            n = records["number_id"].nunique()
            rows += [_row(task, key, metric, *rest, n) for metric, *rest in estimates]
            skills.setdefault(key, {})[task] = estimates[-1][-1]
        for key, records in samples[samples["task"] == task].groupby(ROW):
            rows += _shares(task, key, records)
    rows += _overall_skill(skills, [task for task, truth in truths.items() if truth.information > NOTHING])
    for key, records in samples.groupby(ROW):
        if set(records["task"]) == set(truths):
            rows += _shares(OVERALL, key, records)
    table = pd.DataFrame(rows, columns=SCORES.names).assign(suite=suite)
    rank = {task: place for place, task in enumerate([*truths, OVERALL])}
    return table.sort_values(
        ["task", *ROW], key=lambda column: column.map(rank) if column.name == "task" else column,
        kind="stable", ignore_index=True,
    )  # fmt: skip


def _divergences(records: pd.DataFrame, truth: Truth) -> list[tuple[str, str, Estimate]]:
    """(metric, unit, estimate) of each divergence; skill comes last."""
    divergence = profile(records)
    surplus = None if truth.enumerated else divergence.uniform.sum(axis=1) - truth.information

    def total(values: np.ndarray) -> Estimate:
        return mean_over_numbers(values.sum(axis=1), divergence.weight, surplus)

    content = total(divergence.content)
    information = truth.information if truth.information > NOTHING else math.nan
    return [
        ("content", "nats", content),
        ("stopping", "nats", total(divergence.stopping)),
        ("format", "nats", total(np.where(divergence.may_end, 0.0, divergence.stopping))),
        ("stop", "nats", total(np.where(divergence.may_end, divergence.stopping, 0.0))),
        ("information", "nats", Estimate(truth.information, np.full(RESAMPLES, truth.information))),
        ("bound", "nats", total(divergence.bound)),
        ("skill", "1", Estimate(1 - content.value / information, 1 - content.draws / information)),
    ]


def _shares(task: str, key: tuple, records: pd.DataFrame) -> Iterator[dict]:
    """Validity, and the share of responses in which an answer was found: Wilson intervals."""
    for metric, hits in (("validity", records["valid"]), ("answered", records["answer"].notna())):
        low, high = wilson_interval(int(hits.sum()), len(hits))
        yield _cells(task, key, metric, "share", float(hits.mean()), low, high, len(hits))


def _overall_skill(skills: Mapping[tuple, Mapping[str, Estimate]], tasks: Sequence[str]) -> Iterator[dict]:
    """The plain mean of the skills at the tasks, its interval from independent resampling of each task."""
    shuffle = np.random.default_rng(1)
    for key, by_task in skills.items():
        estimates = [by_task[task] for task in tasks if task in by_task]
        if estimates and len(estimates) == len(tasks):
            value = float(np.mean([estimate.value for estimate in estimates]))
            draws = np.mean([shuffle.permutation(estimate.draws) for estimate in estimates], axis=0)
            yield _row(OVERALL, key, "skill", "1", Estimate(value, draws), len(tasks))


def _row(task: str, key: tuple, metric: str, unit: str, estimate: Estimate, n: int) -> dict:
    return _cells(task, key, metric, unit, estimate.value, estimate.low, estimate.high, n)


def _cells(
    task: str, key: tuple, metric: str, unit: str, value: float, low: float, high: float, n: int
) -> dict:
    row = dict(zip(ROW, key, strict=True))
    return {
        "task": task,
        **row,
        "metric": metric,
        "unit": unit,
        "value": value,
        "low": low,
        "high": high,
        "n": n,
    }
