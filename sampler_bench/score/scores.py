"""All scores of a run, in long form: a row a score, and a row a point of a curve."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd
import pyarrow as pa

from sampler_bench.errors import InputError
from sampler_bench.runs.records import CURVES, OVERALL, SCORES
from sampler_bench.score.answers import digits_written, survival
from sampler_bench.score.components import commitment
from sampler_bench.score.knowledge import CONTROL, Knowledge, with_controls
from sampler_bench.score.laws_in_pieces import Laws
from sampler_bench.score.metrics import Metric, find, table
from sampler_bench.score.overall import Key, Overall, overall_share, ranks
from sampler_bench.score.score import Point, Score
from sampler_bench.score.skill import Share, shares_at_task
from sampler_bench.score.truth import Truth

if TYPE_CHECKING:
    from sampler_bench.executor.executor import Executor

ROW = ["model", "arm", "decoder"]  # what makes a row of the leaderboard
SUMMED_UP, RANKED = ("skill", "uptake"), "skill"  # over a suite; by which models are ranked
DIRECT = ("direct", "few-shot")  # arms that answer at once; gains are over the first that was measured


class Scores(NamedTuple):
    """Two tables, of the SCORES and the CURVES schema (``runs/records.py``)."""

    scores: pd.DataFrame
    curves: pd.DataFrame


@dataclass(frozen=True)
class TaskRecords:
    """What is known of a task, the records of it, and what is to be scored.

    All that a process needs that scores it, the functions of metrics from outside too.
    """

    truth: Truth
    conditionals: Laws
    samples: pd.DataFrame
    metrics: Sequence[Metric]
    references: Set[str]


class TaskScores(NamedTuple):
    """Scores and points of one task with what they are of, and each row's shares of its information."""

    scored: list[tuple[Key, list[Score], list[Point]]]
    shares: dict[Key, dict[str, Share]]


def score(
    suite: str,
    truths: Sequence[Truth],
    conditionals: pd.DataFrame | Iterable[pa.Table],
    samples: pd.DataFrame,
    is_reference: Callable[[str], bool],
    executor: "Executor | None" = None,
) -> Scores:
    """Scores of a run.

    Parameters
    ----------
    suite : str
        Its name.
    truths : sequence of Truth
        Of its tasks, in the suite's order.
    conditionals : DataFrame, or iterable of Tables
        The records (``runs/records.py``). If they are not to be held all at once, in tables as
        ``RunFolder.tables`` gives them: sorted, each of one task.
    samples : DataFrame
        The records of answers.
    is_reference : callable
        Whether a model of that name is a reference sampler, which has no rank.
    executor : Executor, optional
        What scores the tasks, each by itself; by default this process. The scores are the same.

    Returns
    -------
    Scores
        ``task`` is ``(overall)`` for a score of the whole suite, given where every task has been measured.
    """
    if samples["blind"].any():
        samples = samples[~samples["blind"]]  # others are but traces for a control
    materials = _materials(truths, conditionals, samples, is_reference)
    here = ((one, score_task(one)) for one in materials)
    with closing(executor.map(score_task, materials) if executor else here) as scored:
        by_task = {material.truth.task: scores for material, scores in scored}
    collected = _Collected()
    shares: dict[Key, dict[str, dict[str, Share]]] = defaultdict(dict)
    for truth in truths:
        for key, scores, points in by_task[truth.task].scored:
            collected.add(truth.task, key, scores, points)
        for key, each in by_task[truth.task].shares.items():
            shares[key][truth.task] = each
    _add_overall(collected, truths, shares, samples, is_reference)
    return collected.tables(suite, [truth.task for truth in truths])


def _materials(
    truths: Sequence[Truth],
    conditionals: pd.DataFrame | Iterable[pa.Table],
    samples: pd.DataFrame,
    is_reference: Callable[[str], bool],
) -> Iterator[TaskRecords]:
    """Of each task: made as it is scored, in the order of the conditionals."""
    left = {truth.task: truth for truth in truths}

    def material(truth: Truth, models: Iterable[str], laws: Laws) -> TaskRecords:
        answers = samples[samples["task"] == truth.task]
        references = {*filter(is_reference, {*models, *answers["model"].unique()})}
        return TaskRecords(truth, laws, answers, table(), references)

    for task, models, laws in _by_task(conditionals):
        if truth := left.pop(task, None):
            yield material(truth, models, laws)
    for truth in left.values():
        yield material(truth, (), Laws())


def _by_task(
    conditionals: pd.DataFrame | Iterable[pa.Table],
) -> Iterator[tuple[str, Iterable[str], Laws]]:
    """A task, the models that were asked, and their laws."""
    if isinstance(conditionals, pd.DataFrame):
        for task, rows in conditionals.groupby("task"):
            yield str(task), rows["model"].unique(), Laws([rows])
        return
    for task, tables in groupby(conditionals, key=lambda rows: rows["task"][0].as_py()):
        models: set[str] = set()
        yield task, models, Laws.packed(_noted(models, tables))


def _noted(models: set[str], tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The tables, whose models are added to those that are known."""
    for rows in tables:
        models.update(rows["model"].unique().to_pylist())
        yield rows


def _by_row(records: pd.DataFrame) -> Iterator[tuple[Key, pd.DataFrame]]:
    for (model, arm, decoder), rows in records.groupby(ROW):
        yield (str(model), str(arm), str(decoder)), rows


def score_task(records: TaskRecords) -> TaskScores:
    """All that can be said of one task alone."""
    truth, scored, shares = records.truth, [], {}
    for key, rows in _by_row(records.samples):
        scores = [*_scores_of_samples(records.metrics, rows, truth)]
        scored.append((key, scores, _curves_of_samples(rows, truth)))
    functions = dict.fromkeys(each.function for each in records.metrics if each.of == "conditionals")
    for key, knowledge in _known(records):
        scores = [score for function in functions if function for score in function(knowledge)]
        scored.append((key, scores, list(knowledge.points())))
        shares[key] = shares_at_task(knowledge)
    return TaskScores(scored, shares)


def _known(records: TaskRecords) -> Iterator[tuple[Key, Knowledge]]:
    """What each row's laws say. What is computed of them is held for one model at a time."""
    kinds: dict[Key, dict[tuple, Laws]] = defaultdict(dict)
    for (model, arm, decoder, *control), laws in records.conditionals.apart([*ROW, *CONTROL]).items():
        kinds[str(model), str(arm), str(decoder)][tuple(control)] = laws
    for model, keys in groupby(kinds, key=lambda key: key[0]):
        found = {key: with_controls(records.truth, kinds[key], model in records.references) for key in keys}
        alone = {key: known for key, known in found.items() if known}
        for key in alone:
            yield key, _beside(key, alone)


def unanswered(scores: pd.DataFrame) -> list[str]:
    """A sentence for each model and arm in none of whose responses an answer was found."""
    answered = scores[scores["metric"] == "answered"].groupby(ROW)["value"].max()
    return [
        f"{model}, arm {arm}: no answer was found in any response; see whether the arm's rule fits"
        for model, arm, _ in answered.index[answered == 0]
    ]


def _unit(score: Score) -> str:
    """Raises InputError if the table of metrics has no row of that name."""
    row = find(score.metric)
    if row is None:
        raise InputError(f"a score of {score.metric!r}: no metric has that name; add one (score/metrics.py)")
    return row.unit


class _Collected:
    """Scores and points, with what they are of."""

    def __init__(self) -> None:
        self._scores: list[dict] = []
        self._points: list[dict] = []

    def add(self, task: str, key: Key, scores: Iterable[Score], points: Iterable[Point] = ()) -> None:
        of = {"task": task, **dict(zip(ROW, key, strict=True))}
        self._scores += [of | {"unit": _unit(score)} | score.cells() for score in scores]
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
                for rows, schema in ((self._scores, SCORES), (self._points, CURVES))
            )
        )


def _scores_of_samples(
    metrics: Sequence[Metric], records: pd.DataFrame, truth: Truth | None
) -> Iterator[Score]:
    """Of one task or, without a truth, of the whole suite."""
    for of, function in dict.fromkeys((each.of, each.function) for each in metrics):
        if of == "all samples" and function:
            yield from function(records)
        elif of == "samples" and function and truth:
            yield from function(records, truth)


def _curves_of_samples(records: pd.DataFrame, truth: Truth) -> list[Point]:
    return [*survival(records, truth), *commitment(records, truth), *digits_written(records, truth)]


def _beside(key: Key, known: Mapping[Key, Knowledge]) -> Knowledge:
    """With the same model and decoder under the arm that answers at once, unless it is that arm itself."""
    model, arm, decoder = key
    for direct in DIRECT:
        if arm == direct:
            break
        if (model, direct, decoder) in known:
            return replace(known[key], direct=known[model, direct, decoder])
    return known[key]


def _add_overall(
    collected: _Collected,
    truths: Sequence[Truth],
    shares: Mapping[Key, Mapping[str, Mapping[str, Share]]],
    samples: pd.DataFrame,
    is_reference: Callable[[str], bool],
) -> None:
    """``shares``: of each row, by task and metric."""
    ranked: dict[Key, Overall] = {}
    for metric in SUMMED_UP:
        by_row = {
            key: {task: found[metric] for task, found in by_task.items() if metric in found}
            for key, by_task in shares.items()
        }
        wanted = _wanted(truths, shares, metric)
        for key, by_task in by_row.items():
            overall = overall_share(metric, by_task, wanted)
            if overall:
                collected.add(OVERALL, key, [overall.mean, overall.median])
                if metric == RANKED and not is_reference(key[0]):
                    ranked[key] = overall
    for key, score in ranks(ranked):
        collected.add(OVERALL, key, [score])
    for key, records in _by_row(samples):
        if {truth.task for truth in truths} <= set(records["task"]):
            collected.add(OVERALL, key, _scores_of_samples(table(), records, None))


def _wanted(
    truths: Sequence[Truth], shares: Mapping[Key, Mapping[str, Mapping[str, Share]]], metric: str
) -> list[str]:
    """The tasks that constrain anything; of those, none that was measured and gave this share to no row."""
    constrain = [truth.task for truth in truths if truth.constrains]
    measured = {task for by_task in shares.values() for task in by_task}
    given = {task for by_task in shares.values() for task, found in by_task.items() if metric in found}
    return [task for task in constrain if task in given or task not in measured]
