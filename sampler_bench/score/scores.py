"""All scores of a run, in long form: a row a figure, and a row a point of a curve."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from sampler_bench.measure.records import CURVES, SCORES
from sampler_bench.models.reference import find_reference
from sampler_bench.score.answers import (
    costs,
    digits_written,
    evenness,
    level_of_validity,
    mass,
    shares,
    survival,
)
from sampler_bench.score.components import commitment, component_shares
from sampler_bench.score.figure import Figure, Point
from sampler_bench.score.knowledge import Knowledge, gain
from sampler_bench.score.overall import Key, overall_skill, ranks
from sampler_bench.score.truth import Truth

OVERALL = "(overall)"  # in the task column: the whole suite
ROW = ["model", "arm", "decoder"]  # what makes a row of the leaderboard
DIRECT = ("direct", "few-shot")  # arms that answer at once; gains are over the first that was measured


class Scores(NamedTuple):
    """Two tables, of the SCORES and the CURVES schema (``measure/records.py``)."""

    figures: pd.DataFrame
    curves: pd.DataFrame


def score(suite: str, truths: Sequence[Truth], conditionals: pd.DataFrame, samples: pd.DataFrame) -> Scores:
    """Scores of a run.

    Parameters
    ----------
    suite : str
        Its name.
    truths : sequence of Truth
        Of its tasks, in the suite's order.
    conditionals, samples : DataFrame
        The records (``measure/records.py``).

    Returns
    -------
    Scores
        ``task`` is ``(overall)`` for a figure of the whole suite, given where every task has been measured.
    """
    collected = _Collected()
    known: dict[Key, dict[str, Knowledge]] = defaultdict(dict)
    for truth in truths:
        for key, records in conditionals[conditionals["task"] == truth.task].groupby(ROW):
            known[key][truth.task] = Knowledge(truth, records)
        for key, records in samples[samples["task"] == truth.task].groupby(ROW):
            collected.add(
                truth.task, key, _figures_of_samples(records, truth), _curves_of_samples(records, truth)
            )
    for key, by_task in known.items():
        for task, knowledge in by_task.items():
            collected.add(task, key, knowledge.figures(), knowledge.points())
            base = _base(key, task, known)
            if base:
                collected.add(task, key, [gain(base, knowledge)])
    _add_overall(collected, truths, known, samples)
    return collected.tables(suite, [truth.task for truth in truths])


def unanswered(figures: pd.DataFrame) -> list[str]:
    """A sentence for each model and arm in none of whose responses an answer was found."""
    answered = figures[figures["metric"] == "answered"].groupby(ROW)["value"].max()
    return [
        f"{model}, arm {arm}: no answer was found in any response; see whether the arm's rule fits"
        for model, arm, _ in answered.index[answered == 0]
    ]


class _Collected:
    """Figures and points, with what they are of."""

    def __init__(self) -> None:
        self._figures: list[dict] = []
        self._points: list[dict] = []

    def add(self, task: str, key: Key, figures: Iterable[Figure], points: Iterable[Point] = ()) -> None:
        of = {"task": task, **dict(zip(ROW, key, strict=True))}
        self._figures += [of | figure.cells() for figure in figures]
        self._points += [of | vars(point) for point in points]

    def tables(self, suite: str, tasks: Sequence[str]) -> Scores:
        """Sorted by task, in the suite's order with the whole suite last, and by row."""
        rank = {task: place for place, task in enumerate([*tasks, OVERALL])}
        return Scores(
            *(
                pd.DataFrame(rows, columns=schema.names)
                .assign(suite=suite)
                .sort_values(
                    ["task", *ROW],
                    key=lambda column: column.map(rank) if column.name == "task" else column,
                    kind="stable",
                    ignore_index=True,
                )
                for rows, schema in ((self._figures, SCORES), (self._points, CURVES))
            )
        )


def _figures_of_samples(records: pd.DataFrame, truth: Truth) -> list[Figure]:
    return [
        *shares(records),
        *level_of_validity(records, truth),
        *costs(records),
        *mass(records),
        *evenness(records, truth),
        *component_shares(records, truth),
    ]


def _curves_of_samples(records: pd.DataFrame, truth: Truth) -> list[Point]:
    return [*survival(records, truth), *commitment(records, truth), *digits_written(records, truth)]


def _base(key: Key, task: str, known: Mapping[Key, Mapping[str, Knowledge]]) -> Knowledge | None:
    """The same model and decoder under the arm that answers at once; None for that arm itself."""
    model, arm, decoder = key
    for direct in DIRECT:
        if arm == direct:
            return None
        if task in known.get((model, direct, decoder), {}):
            return known[model, direct, decoder][task]
    return None


def _add_overall(
    collected: _Collected,
    truths: Sequence[Truth],
    known: Mapping[Key, Mapping[str, Knowledge]],
    samples: pd.DataFrame,
) -> None:
    overall = {key: overall_skill(by_task, truths) for key, by_task in known.items()}
    for key, each in overall.items():
        if each:
            collected.add(OVERALL, key, [each.skill])
    ranked = {key: each for key, each in overall.items() if each and not find_reference(key[0])}
    for key, figure in ranks(ranked):
        collected.add(OVERALL, key, [figure])
    for key, records in samples.groupby(ROW):
        if {truth.task for truth in truths} <= set(records["task"]):
            collected.add(OVERALL, key, [*shares(records), *costs(records)])
