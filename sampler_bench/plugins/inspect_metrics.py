"""Metrics for inspect_ai's logs, made by our own scores of what its samples hold."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import pandas as pd
from inspect_ai.scorer import Metric, SampleScore, Value, metric
from inspect_ai.scorer import stderr as stderr_of_mean

from sampler_bench.plugins.inspect_laws import conditionals_of
from sampler_bench.runs.records import OVERALL, SAMPLES
from sampler_bench.score import answers as scores_of_answers
from sampler_bench.score.score import Score
from sampler_bench.score.scores import score
from sampler_bench.score.truth import Truth
from sampler_bench.targets.registry import make_target

OF_LAWS = ("skill", "uptake", "skill-median", "uptake-median", "content", "opening")


@metric(scores="unreduced")
def validity() -> Metric:
    """The share of answers that are members, with its interval, and of each task."""

    def measured(scores: list[SampleScore]) -> Value:
        return _shares(scores, "validity")

    return measured


@metric(scores="unreduced")
def answered() -> Metric:
    """The share of answers that were found, with its interval, and of each task."""

    def measured(scores: list[SampleScore]) -> Value:
        return _shares(scores, "answered")

    return measured


@metric(name="stderr", scores="unreduced")
def stderr() -> Metric:
    """The standard error of validity, clustered by wording: inspect_ai's own."""
    return stderr_of_mean(cluster="wording")


@metric(scores="unreduced")
def evenness() -> Metric:
    """Tests of each task's answers against the truth: distances, and p-values by Holm."""

    def measured(scores: list[SampleScore]) -> Value:
        values: dict[str, float] = {}
        for task, records in answer_records(scores).items():
            for found in scores_of_answers.evenness(records, truth_of(task, _definition(scores, task))):
                values[f"{found.metric} {task}"] = found.value
                values[f"{found.metric} p {task}"] = found.p_adjusted
        return values

    return measured


@metric(name="by_laws", scores="unreduced")
def by_laws() -> Metric:
    """Skill and uptake of the suite, with intervals, and what else is read from laws of each task."""

    def measured(scores: list[SampleScore]) -> Value:
        told: dict[str, dict[str, str]] = {}
        for each in scores:
            of = each.sample_metadata or {}
            told.setdefault(of["task"], {})[of["wording"]] = (each.score.metadata or {})["laws"]
        truths = [truth_of(task, _definition(scores, task)) for task in told]
        frames = [
            conditionals_of(text, task, wording) for task in told for wording, text in told[task].items()
        ]
        table = _scored(truths, frames)
        values: dict[str, float] = {}
        for row in table[table["metric"].isin(OF_LAWS)].to_dict("records"):
            whole, name = row["task"] == OVERALL, row["metric"]
            values[name if whole else f"{name} {row['task']}"] = float(row["value"])
            if whole and not math.isnan(row["low"]):
                values |= {f"{name} {bound}": float(row[bound]) for bound in ("low", "high")}
        return values

    return measured


def scores_of_laws(told: Mapping[str, str], task: str, definition: str) -> dict[str, float]:
    """The scores of one task's laws, by wording as ``read_laws`` tells them: by metric their values."""
    frames = [conditionals_of(text, task, wording) for wording, text in told.items()]
    table = _scored([truth_of(task, definition)], frames)
    table = table[table["task"] == task]
    return dict(zip(table["metric"], map(float, table["value"]), strict=True))


def _scored(truths: Sequence[Truth], frames: Iterable[pd.DataFrame]) -> pd.DataFrame:
    nothing = SAMPLES.empty_table().to_pandas().astype({"blind": bool})
    return score("", truths, pd.concat(frames, ignore_index=True), nothing, lambda _: False).scores


@lru_cache(maxsize=256)
def truth_of(task: str, definition: str) -> Truth:
    """What scoring knows of a task, from its target's definition as JSON."""
    target = make_target(json.loads(definition))
    return Truth(
        task,
        target,
        target.information(),
        target.count(""),
        target.information_error,
        stratified=target.draws > 1,
    )


def answer_records(scores: Sequence[SampleScore]) -> dict[str, pd.DataFrame]:
    """By task a row an answer, of the columns of samples' records that scores are made of."""
    rows: dict[str, list[dict]] = {}
    for response, each in enumerate(scores):
        of = each.sample_metadata or {}
        for judged in (each.score.metadata or {})["answers"]:
            rows.setdefault(of["task"], []).append(
                {
                    "paraphrase": of["wording"],
                    "response_id": response,
                    "answer": judged["answer"],
                    "valid": judged["valid"],
                    "log_weight": None,
                }
            )
    return {task: pd.DataFrame(found) for task, found in rows.items()}


def _definition(scores: Sequence[SampleScore], task: str) -> str:
    """Of a task's target, as JSON."""
    found = (each.sample_metadata or {} for each in scores)
    return next(json.dumps(of["target"]) for of in found if of["task"] == task)


def _shares(scores: Sequence[SampleScore], wanted: str) -> dict[str, float]:
    by_task = answer_records(scores)
    whole = _share(pd.concat(by_task.values()), wanted)
    values = {wanted: whole.value, f"{wanted} low": whole.low, f"{wanted} high": whole.high}
    return values | {f"{wanted} {task}": _share(records, wanted).value for task, records in by_task.items()}


def _share(records: pd.DataFrame, wanted: str) -> Score:
    return next(each for each in scores_of_answers.shares(records) if each.metric == wanted)
