"""Two runs beside each other: what changed, and whether it is more than noise."""

import math

import pandas as pd
from rich.table import Table

from sampler_bench.report.columns import Column, fit, fitted
from sampler_bench.report.leaderboard import sampler, way
from sampler_bench.score.metrics import Metric, shown
from sampler_bench.score.scores import ROW

CHANGED = "*"


def comparison(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """What two runs have in common, metric by metric, of those that the table of metrics has compared.

    Parameters
    ----------
    before, after : DataFrame
        Of the SCORES schema.

    Returns
    -------
    DataFrame
        Columns suite, task, model, arm, decoder, metric, before, after, change, low, high: the change with
        a 95 % interval that takes the runs as independent (half widths added in quadrature), ``changed``:
        whether that leaves out 0, and ``verdict``: ``better`` or ``worse`` if it does, else empty, as where
        neither more nor less is better.
    """
    keys = ["suite", "task", *ROW, "metric"]
    metrics = shown("compare", pd.unique(before["metric"]))
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
