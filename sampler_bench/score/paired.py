"""Two rows beside each other, number by number where they were read along the same ones (docs/method.md)."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.stats import fisher_exact

from sampler_bench.runs.records import OVERALL
from sampler_bench.score.intervals import Z, middle, wilson_interval
from sampler_bench.score.knowledge import CONTROL, Knowledge, with_controls
from sampler_bench.score.laws_in_pieces import Laws
from sampler_bench.score.overall import overall_share
from sampler_bench.score.skill import Share, shares_at_task
from sampler_bench.score.truth import Truth
from sampler_bench.score.uniformity import holm

COMPARED = ("skill", "uptake")  # read from conditionals, and summed up over tasks
COLUMNS = [
    *("task", "metric", "before", "after", "change", "low", "high"),
    *("better", "p", "p_adjusted", "n", "paired"),
]


@dataclass(frozen=True)
class Side:
    """The records of one model, arm and decoder; ``reference``: whether it is a reference sampler's."""

    conditionals: pd.DataFrame
    samples: pd.DataFrame
    reference: bool = False


@dataclass(frozen=True)
class Difference:
    """After less before. ``paired``: whether number by number, or as two independent estimates."""

    before: float
    after: float
    draws: np.ndarray
    student: bool
    n: int
    paired: bool

    def row(self, task: str, metric: str) -> dict:
        with np.errstate(invalid="ignore"):  # infinite less infinite is not known
            change = self.after - self.before
        low, high = self._interval(change)
        known = not np.isnan(self.draws).any()
        tails = [1 + np.count_nonzero(self.draws <= 0), 1 + np.count_nonzero(self.draws >= 0)]
        p = min(1.0, 2 * min(tails) / (1 + len(self.draws))) if known else math.nan
        better = float(np.mean(self.draws > 0)) if known else math.nan
        cells = (
            task,
            metric,
            self.before,
            self.after,
            change,
            low,
            high,
            better,
            p,
            math.nan,
            self.n,
            self.paired,
        )
        return dict(zip(COLUMNS, cells, strict=True))

    def _interval(self, change: float) -> tuple[float, float]:
        if not self.student or not np.isfinite(self.draws).all():
            return middle(self.draws)
        half = Z * float(self.draws.std())
        return change - half, change + half


def differences(truths: Sequence[Truth], before: Side, after: Side) -> pd.DataFrame:
    """Skill, uptake and validity of one row less those of another, task by task and over all.

    Parameters
    ----------
    truths : sequence of Truth
        Of tasks that are the same on both sides; what one of the two lacks is left out.
    before, after : Side

    Returns
    -------
    DataFrame
        A row a task and metric. ``change``: after less before, with a 95 % interval ``low`` to ``high``.
        ``better``: the share of resamples in which after is above. ``p``: two-sided, of no change: twice the
        smaller share of resamples on one side of 0; of validity, Fisher's exact test. ``p_adjusted``: Holm's,
        over the tasks of a metric. ``paired``: whether each number (of the overall, of each task) is compared
        with itself.
    """
    rows: list[dict] = []
    shares: dict[str, dict[str, tuple[Share, Share, bool]]] = {metric: {} for metric in COMPARED}
    for truth in truths:
        one, other = (_known(truth, side) for side in (before, after))
        if one and other:
            for metric, found in _shares(one, other).items():
                shares[metric][truth.task] = found
    wanted = [truth.task for truth in truths if truth.constrains]
    for metric, by_task in shares.items():
        rows += [difference(*found).row(task, metric) for task, found in by_task.items()]
        rows += _overall(metric, by_task, wanted)
    for truth in truths:
        rows += _validity(truth.task, before.samples, after.samples)
    table = pd.DataFrame(rows, columns=COLUMNS)
    table["p_adjusted"] = table["p"]
    for _, tests in table[table["task"] != OVERALL].dropna(subset="p").groupby("metric"):
        table.loc[tests.index, "p_adjusted"] = holm(tests["p"].tolist())
    return table


def _known(truth: Truth, side: Side) -> Knowledge | None:
    records = side.conditionals[side.conditionals["task"] == truth.task]
    return with_controls(truth, Laws([records]).apart(CONTROL), side.reference)


def _shares(before: Knowledge, after: Knowledge) -> dict[str, tuple[Share, Share, bool]]:
    """Of metrics that both have; and whether they are read along the same numbers."""
    before, after = _in_common_wordings(before, after)
    before, after = _along(before, after), _along(after, before)
    shares = [shares_at_task(known) for known in (before, after)]
    paired = before.numbers == after.numbers
    return {
        metric: (shares[0][metric], shares[1][metric], paired)
        for metric in COMPARED
        if metric in shares[0] and metric in shares[1]
    }


def _in_common_wordings(before: Knowledge, after: Knowledge) -> tuple[Knowledge, Knowledge]:
    """Of one arm; other arms have wordings of their own, of which the means are compared."""
    common = set(before.parts) & set(after.parts)
    one_arm = set(before.rows["arm"]) == set(after.rows["arm"])
    if not one_arm or not common or set(before.parts) == set(after.parts):
        return before, after
    one, other = (_of(known, lambda rows: rows[rows["paraphrase"].isin(common)]) for known in (before, after))
    return one, other


def _along(known: Knowledge, other: Knowledge) -> Knowledge:
    """Along the numbers of the other alone, if it has fewer and all of them are among these."""
    ids: dict[str, list[int]] = {}
    for number_id, number in zip(sorted(known.rows["number_id"].unique()), known.numbers, strict=True):
        ids.setdefault(number, []).insert(0, number_id)
    few = other.numbers
    if len(few) >= len(known.numbers) or any(
        few.count(number) > len(ids.get(number, ())) for number in set(few)
    ):
        return known
    new_id = {ids[number].pop(): place for place, number in enumerate(few)}

    def chosen(rows: pd.DataFrame) -> pd.DataFrame:
        rows = rows[rows["number_id"].isin(new_id)]
        rows = rows.assign(number_id=rows["number_id"].map(new_id))
        return rows.assign(weight=other.whole.weight[rows["number_id"]])

    return _of(known, chosen)


def _of(known: Knowledge, choose: Callable[[pd.DataFrame], pd.DataFrame]) -> Knowledge:
    """What some of the records say."""
    blind = known.blind and replace(known.blind, laws=Laws([choose(known.blind.rows)]))
    return replace(known, laws=Laws([choose(known.rows)]), blind=blind)


def difference(before: Share, after: Share, paired: bool) -> Difference:
    others = after.draws if paired else np.random.default_rng(0).permutation(after.draws)
    with np.errstate(invalid="ignore"):
        draws = others - before.draws
    n = min(before.score.n, after.score.n)
    return Difference(
        before.score.value, after.score.value, draws, before.student or after.student, n, paired
    )


def _overall(
    metric: str, by_task: dict[str, tuple[Share, Share, bool]], wanted: Sequence[str]
) -> Iterator[dict]:
    """The change of the mean over tasks, from resamples of each task's numbers by themselves."""
    wanted = [task for task in wanted if task in by_task]
    sides = [
        overall_share(metric, of_side, wanted)
        for of_side in (
            {task: before for task, (before, _, _) in by_task.items()},
            {task: after for task, (_, after, _) in by_task.items()},
        )
    ]
    if len(wanted) > 1 and sides[0] and sides[1]:
        paired = all(by_task[task][2] for task in wanted)
        draws = [sides[0].draws, sides[1].draws]
        if not paired:
            draws[1] = np.random.default_rng(0).permutation(draws[1])
        values = sides[0].mean.value, sides[1].mean.value
        yield Difference(*values, draws[1] - draws[0], False, len(wanted), paired).row(OVERALL, metric)


def _validity(task: str, before: pd.DataFrame, after: pd.DataFrame) -> Iterator[dict]:
    """Of independent answers: Newcombe's hybrid interval (Statistics in Medicine 17, 1998), Fisher's test."""
    valid = [rows[rows["task"] == task]["valid"] for rows in (before, after)]
    if valid[0].empty or valid[1].empty:
        return
    n, hits = [len(each) for each in valid], [int(each.sum()) for each in valid]
    first, second = (hit / size for hit, size in zip(hits, n, strict=True))
    (low_1, high_1), (low_2, high_2) = (
        map(float, wilson_interval(hit, size)) for hit, size in zip(hits, n, strict=True)
    )
    change = second - first
    low = change - math.hypot(second - low_2, high_1 - first)
    high = change + math.hypot(high_2 - second, first - low_1)
    _, p = np.asarray(fisher_exact([[hits[0], n[0] - hits[0]], [hits[1], n[1] - hits[1]]]))
    cells = (task, "validity", first, second, change, low, high, math.nan, float(p), math.nan, min(n), False)
    yield dict(zip(COLUMNS, cells, strict=True))
