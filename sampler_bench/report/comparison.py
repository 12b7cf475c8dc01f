"""Two rows, or two runs, beside each other: what changed, and whether it is more than noise."""

import math
from collections.abc import Sequence, Set

import pandas as pd
from rich.table import Table

from sampler_bench.plain import one_line
from sampler_bench.report.columns import Column, fit, fitted
from sampler_bench.report.leaderboard import sampler, way
from sampler_bench.score.metrics import Metric, shown
from sampler_bench.score.score import SIGNIFICANT
from sampler_bench.score.scores import ROW

CHANGED = "*"


def comparison(before: pd.DataFrame, after: pd.DataFrame, besides: Set[str] = frozenset()) -> pd.DataFrame:
    """What two runs have in common, metric by metric, of those that the table of metrics has compared.

    Parameters
    ----------
    before, after : DataFrame
        Of the SCORES schema.
    besides : set of str
        Metrics that are left out.

    Returns
    -------
    DataFrame
        Columns suite, task, model, arm, decoder, metric, before, after, change, low, high: the change with
        a 95 % interval that takes the runs as independent (half widths added in quadrature), ``changed``:
        whether that leaves out 0, and ``verdict``: ``better`` or ``worse`` if it does, else empty, as where
        neither more nor less is better.
    """
    keys = ["suite", "task", *ROW, "metric"]
    metrics = shown("compare", [name for name in pd.unique(before["metric"]) if name not in besides])
    first, second = (table[table["metric"].isin([*metrics])] for table in (before, after))
    both = first.merge(second, on=keys, suffixes=("_before", "_after"))
    change = both["value_after"] - both["value_before"]
    down = (both["value_after"] - both["low_after"]) ** 2 + (both["high_before"] - both["value_before"]) ** 2
    up = (both["high_after"] - both["value_after"]) ** 2 + (both["value_before"] - both["low_before"]) ** 2
    low, high = change - down**0.5, change + up**0.5
    changed = (low > 0) | (high < 0)
    verdicts = [_verdict(metrics[metric], much) for metric, much in zip(both["metric"], change, strict=True)]
    return both[keys].assign(
        before=both["value_before"],
        after=both["value_after"],
        change=change,
        low=low,
        high=high,
        changed=changed,
        verdict=pd.Series(verdicts, both.index, dtype=object).where(changed, ""),
    )


def _verdict(metric: Metric, change: float) -> str:
    if not metric.better:
        return ""
    return "better" if (change > 0) == (metric.better == "more") else "worse"


def paired_tables(found: pd.DataFrame, width: int) -> list[Table]:
    """What rows differ by (``compare.compare``), for a terminal of a width: a line a task and metric."""
    tables: list[Table] = []
    for pair, rows in found.groupby([*ROW, *(f"with_{name}" for name in ROW)], sort=False):
        numbers = [
            Column("before", rows["before"].map(_shown).tolist()),
            Column("after", rows["after"].map(_shown).tolist()),
            Column("change  ", [*map(_starred, rows["change"], rows["p_adjusted"])]),
            Column("95 % interval", [*map(_interval, rows["low"], rows["high"])]),
        ]
        keys = [Column(name, rows[name].tolist()) for name in ("task", "metric")]
        tables += fitted(keys, numbers, width, pair_in_words(pair))
    return tables


def pair_in_words(pair: Sequence[object]) -> str:
    """What is compared: (model, arm, decoder) before, and after."""
    model, arm, decoder, with_model, with_arm, with_decoder = map(str, pair)
    one, other = f"{model} {way(arm, decoder)}", f"{with_model} {way(with_arm, with_decoder)}"
    return one_line(f"{other} less {one}" if one != other else one)


def _starred(change: float, p: float) -> str:
    return f"{_shown(change)} {CHANGED if p < SIGNIFICANT else ' '}"


def _interval(low: float, high: float) -> str:
    return "–" if math.isnan(low) else f"{_shown(low)} to {_shown(high)}"


def paired_caption(found: pd.DataFrame) -> str:
    """What the table means, and how it was made, in a few sentences."""
    apart = sorted(set(found["task"][~found["paired"] & (found["metric"] != "validity")]))
    words = [
        f"After less before. {CHANGED}: p below {SIGNIFICANT} after Holm's correction over the tasks.",
        "Skill and uptake: number by number, in the same wordings.",
    ]
    if apart:
        words.append(f"Read along other numbers, so taken as independent: {', '.join(apart)}.")
    return " ".join(words)


def comparison_tables(found: pd.DataFrame, width: int) -> list[Table]:
    """For a terminal of a width: a line for each task, row and metric."""
    values = [found[name].map(_shown).tolist() for name in ("before", "after", "change")]
    values[2] = [
        f"{change} {CHANGED if changed else ' '}"
        for change, changed in zip(values[2], found["changed"], strict=True)
    ]
    numbers = [Column(*column) for column in zip(("before", "after", "change  "), values, strict=True)]
    numbers.append(Column("", found["verdict"].tolist(), justify="left"))
    task, model, metric = (Column(name, found[name].tolist()) for name in ("task", "model", "metric"))
    ways = [*map(way, found["arm"], found["decoder"])]
    keys = [task, model, Column("arm", ways), metric]
    if not fit(keys, numbers, width):
        keys = [task, Column("model\narm", [*map(sampler, found["model"], ways)]), metric]
    return fitted(keys, numbers, width)


def _shown(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.2f}".replace("-0.00", "0.00")
