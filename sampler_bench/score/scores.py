"""All scores of a run, in long form: one row a figure."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sampler_bench.measure.records import SCORES
from sampler_bench.score.divergence import Profile, mean_profile, profiles_by_paraphrase
from sampler_bench.score.estimate import RESAMPLES, Estimate, mean_over_numbers, wilson_interval

OVERALL = "(overall)"  # in the task column: the whole suite
NOTHING = 1e-9  # nats: a target with no more information is uniform digits itself, and none has skill at it
COSTS = (  # per valid answer: metric, column of the samples, unit
    ("passes", "forward_passes", "forward passes"),
    ("tokens", "completion_tokens", "tokens"),
    ("seconds", "seconds", "s"),
)
ROW = ["model", "arm", "decoder"]  # what makes a row of the leaderboard


@dataclass(frozen=True)
class Truth:
    """What is known of a task's target: I(S) in nats, and how many members it has, if that is known."""

    information: float
    members: int | None


@dataclass(frozen=True)
class Figure:
    """An estimate, and the least and greatest value that the arm's paraphrases give by themselves."""

    estimate: Estimate
    by_paraphrase: Mapping[str, float]


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
    skills: dict[tuple, dict[str, Figure]] = {}
    for task, truth in truths.items():
        for key, records in conditionals[conditionals["task"] == task].groupby(ROW):
            figures = _divergences(records, truth)
            n = records["number_id"].nunique()
            rows += [_row(task, key, metric, *rest, n) for metric, *rest in figures]
            skills.setdefault(key, {})[task] = figures[-1][-1]
        for key, records in samples[samples["task"] == task].groupby(ROW):
            rows += [*_shares(task, key, records), *_costs(task, key, records), *_mass(task, key, records)]
    rows += _overall_skill(skills, [task for task, truth in truths.items() if truth.information > NOTHING])
    for key, records in samples.groupby(ROW):
        if set(records["task"]) == set(truths):
            rows += [*_shares(OVERALL, key, records), *_costs(OVERALL, key, records)]
    table = pd.DataFrame(rows, columns=SCORES.names).assign(suite=suite)
    rank = {task: place for place, task in enumerate([*truths, OVERALL])}
    return table.sort_values(
        ["task", *ROW], key=lambda column: column.map(rank) if column.name == "task" else column,
        kind="stable", ignore_index=True,
    )  # fmt: skip


def unanswered(scores: pd.DataFrame) -> list[str]:
    """A sentence for each model and arm in none of whose responses an answer was found."""
    answered = scores[scores["metric"] == "answered"].groupby(ROW)["value"].max()
    return [
        f"{model}, arm {arm}: no answer was found in any response; see whether the arm's rule fits"
        for model, arm, _ in answered.index[answered == 0]
    ]


def _divergences(records: pd.DataFrame, truth: Truth) -> list[tuple[str, str, Figure]]:
    """(metric, unit, figure) of each divergence; skill comes last."""
    parts = profiles_by_paraphrase(records)
    whole = mean_profile(list(parts.values()))
    enumerated = len(whole.weight) == truth.members
    surplus = None if enumerated else whole.uniform.sum(axis=1) - truth.information
    information = truth.information if truth.information > NOTHING else math.nan

    def figure(values: Callable[[Profile], np.ndarray]) -> Figure:
        def total(part: Profile) -> Estimate:
            return mean_over_numbers(values(part).sum(axis=1), part.weight, surplus)

        return Figure(total(whole), {name: total(part).value for name, part in parts.items()})

    content = figure(lambda part: part.content)
    known = Estimate(truth.information, np.full(RESAMPLES, truth.information))
    skill = Estimate(1 - content.estimate.value / information, 1 - content.estimate.draws / information)
    return [
        ("content", "nats", content),
        ("stopping", "nats", figure(lambda part: part.stopping)),
        ("format", "nats", figure(lambda part: np.where(part.may_end, 0.0, part.stopping))),
        ("stop", "nats", figure(lambda part: np.where(part.may_end, part.stopping, 0.0))),
        ("information", "nats", Figure(known, {})),
        ("bound", "nats", figure(lambda part: part.bound)),
        (
            "skill",
            "1",
            Figure(skill, {name: 1 - value / information for name, value in content.by_paraphrase.items()}),
        ),
    ]


def _shares(task: str, key: tuple, records: pd.DataFrame) -> Iterator[dict]:
    """Validity, and the share of answers that were found: Wilson intervals."""
    for metric, hits in (("validity", records["valid"]), ("answered", records["answer"].notna())):
        low, high = wilson_interval(int(hits.sum()), len(hits))
        by_paraphrase = hits.groupby(records["paraphrase"]).mean()
        yield _cells(task, key, metric, "share", float(hits.mean()), low, high, by_paraphrase, len(hits))


def _costs(task: str, key: tuple, records: pd.DataFrame) -> Iterator[dict]:
    """What a valid answer cost; infinite where there is none."""
    for metric, column, unit in COSTS:
        by_paraphrase = records.groupby("paraphrase")[[column, "valid"]].sum()
        value = _ratio(records[column].sum(), records["valid"].sum())
        spread = [_ratio(cost, valid) for cost, valid in by_paraphrase.itertuples(index=False)]
        yield _cells(task, key, metric, unit, value, math.nan, math.nan, spread, len(records))


def _ratio(cost: float, valid: int) -> float:
    return float(cost / valid) if valid else math.inf


def _mass(task: str, key: tuple, records: pd.DataFrame) -> Iterator[dict]:
    """ln of the mean weight: the model's mass on what its decoder restricts it to (``measure/decoders.py``).

    Bootstrap over what was drawn together, by its common seed.
    """
    weighted = records[records["log_weight"].notna()]
    if weighted.empty:
        return
    peak = weighted["log_weight"].max()
    if peak == -math.inf:
        yield _cells(task, key, "mass", "nats", peak, math.nan, math.nan, [], len(weighted))
        return
    weight = np.exp(weighted["log_weight"] - peak)
    together = weight.groupby(weighted["seed"]).agg(["sum", "size"]).to_numpy()
    picks = np.random.default_rng(2).integers(len(together), size=(RESAMPLES, len(together)))
    sums, sizes = together[picks].sum(axis=1).T
    with np.errstate(divide="ignore"):
        draws = peak + np.log(sums / sizes)
    estimate = Estimate(float(peak + np.log(weight.mean())), draws)
    by_paraphrase = peak + np.log(weight.groupby(weighted["paraphrase"]).mean().clip(lower=1e-300))
    yield _cells(
        task, key, "mass", "nats", estimate.value, estimate.low, estimate.high, by_paraphrase, len(weighted)
    )


def _overall_skill(skills: Mapping[tuple, Mapping[str, Figure]], tasks: Sequence[str]) -> Iterator[dict]:
    """The plain mean of the skills at the tasks, its interval from independent resampling of each task."""
    shuffle = np.random.default_rng(1)
    for key, by_task in skills.items():
        figures = [by_task[task] for task in tasks if task in by_task]
        if figures and len(figures) == len(tasks):
            value = float(np.mean([figure.estimate.value for figure in figures]))
            draws = np.mean([shuffle.permutation(figure.estimate.draws) for figure in figures], axis=0)
            spread = pd.DataFrame([figure.by_paraphrase for figure in figures]).mean(skipna=False)
            yield _row(
                OVERALL, key, "skill", "1", Figure(Estimate(value, draws), spread.to_dict()), len(tasks)
            )


def _row(task: str, key: tuple, metric: str, unit: str, figure: Figure, n: int) -> dict:
    estimate, spread = figure.estimate, list(figure.by_paraphrase.values())
    return _cells(task, key, metric, unit, estimate.value, estimate.low, estimate.high, spread, n)


def _cells(
    task: str,
    key: tuple,
    metric: str,
    unit: str,
    value: float,
    low: float,
    high: float,
    by_paraphrase: Iterable[float],
    n: int,
) -> dict:
    spread = list(by_paraphrase)
    several = len(spread) > 1
    return {
        "task": task,
        **dict(zip(ROW, key, strict=True)),
        "metric": metric,
        "unit": unit,
        "value": value,
        "low": low,
        "high": high,
        "paraphrase_low": min(spread) if several else math.nan,
        "paraphrase_high": max(spread) if several else math.nan,
        "n": n,
    }
