"""All scores of a run, in long form: a row a figure, and a row a point of a curve."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

from sampler_bench.cluster import Cluster
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
from sampler_bench.score.knowledge import Knowledge, TaskSkill, gain
from sampler_bench.score.overall import Key, overall_skill, ranks
from sampler_bench.score.truth import Truth

OVERALL = "(overall)"  # in the task column: the whole suite
ROW = ["model", "arm", "decoder"]  # what makes a row of the leaderboard
DIRECT = ("direct", "few-shot")  # arms that answer at once; gains are over the first that was measured


class Scores(NamedTuple):
    """Two tables, of the SCORES and the CURVES schema (``measure/records.py``)."""

    figures: pd.DataFrame
    curves: pd.DataFrame


@dataclass(frozen=True)
class TaskRecords:
    """What is known of a task, and the records of it."""

    truth: Truth
    conditionals: pd.DataFrame
    samples: pd.DataFrame


class TaskScores(NamedTuple):
    """Figures and points of one task with what they are of, and the skill of each row."""

    scored: list[tuple[Key, list[Figure], list[Point]]]
    skills: dict[Key, TaskSkill]


def score(
    suite: str,
    truths: Sequence[Truth],
    conditionals: pd.DataFrame,
    samples: pd.DataFrame,
    cluster: Cluster | None = None,
) -> Scores:
    """Scores of a run.

    Parameters
    ----------
    suite : str
        Its name.
    truths : sequence of Truth
        Of its tasks, in the suite's order.
    conditionals, samples : DataFrame
        The records (``measure/records.py``).
    cluster : Cluster, optional
        Where tasks are scored, each by itself; by default in this process. The scores are the same.

    Returns
    -------
    Scores
        ``task`` is ``(overall)`` for a figure of the whole suite, given where every task has been measured.
    """
    materials = (
        TaskRecords(truth, *(each[each["task"] == truth.task] for each in (conditionals, samples)))
        for truth in truths
    )
    each = cluster.map(score_task, materials) if cluster else ((one, score_task(one)) for one in materials)
    by_task = {material.truth.task: scores for material, scores in each}
    collected = _Collected()
    skills: dict[Key, dict[str, TaskSkill]] = defaultdict(dict)
    for truth in truths:
        for key, figures, points in by_task[truth.task].scored:
            collected.add(truth.task, key, figures, points)
        for key, skill in by_task[truth.task].skills.items():
            skills[key][truth.task] = skill
    _add_overall(collected, truths, skills, samples)
    return collected.tables(suite, [truth.task for truth in truths])


def score_task(records: TaskRecords) -> TaskScores:
    """All that can be said of one task alone."""
    truth, scored = records.truth, []
    for key, rows in records.samples.groupby(ROW):
        scored.append((key, _figures_of_samples(rows, truth), _curves_of_samples(rows, truth)))
    known = {key: Knowledge(truth, rows) for key, rows in records.conditionals.groupby(ROW)}
    for key, knowledge in known.items():
        base = _base(key, known)
        gained = [gain(base, knowledge)] if base else []
        scored.append((key, [*knowledge.figures(), *gained], list(knowledge.points())))
    return TaskScores(scored, {key: knowledge.skill() for key, knowledge in known.items()})


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


def _base(key: Key, known: Mapping[Key, Knowledge]) -> Knowledge | None:
    """The same model and decoder under the arm that answers at once; None for that arm itself."""
    model, arm, decoder = key
    for direct in DIRECT:
        if arm == direct:
            return None
        if (model, direct, decoder) in known:
            return known[model, direct, decoder]
    return None


def _add_overall(
    collected: _Collected,
    truths: Sequence[Truth],
    skills: Mapping[Key, Mapping[str, TaskSkill]],
    samples: pd.DataFrame,
) -> None:
    overall = {key: overall_skill(by_task, truths) for key, by_task in skills.items()}
    for key, each in overall.items():
        if each:
            collected.add(OVERALL, key, [each.skill])
    ranked = {key: each for key, each in overall.items() if each and not find_reference(key[0])}
    for key, figure in ranks(ranked):
        collected.add(OVERALL, key, [figure])
    for key, records in samples.groupby(ROW):
        if {truth.task for truth in truths} <= set(records["task"]):
            collected.add(OVERALL, key, [*shares(records), *costs(records)])
