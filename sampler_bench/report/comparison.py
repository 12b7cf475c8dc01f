"""Two runs beside each other: what changed, and whether it is more than noise."""

import math

import pandas as pd
from rich.table import Table

from sampler_bench.score.scores import ROW

COMPARED = ("skill", "validity")
CHANGED = "*"


def comparison(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Skill and validity of all that two runs have in common.

    Parameters
    ----------
    before, after : DataFrame
        Of the SCORES schema.

    Returns
    -------
    DataFrame
        Columns suite, task, model, arm, decoder, metric, before, after, change, low, high: the change with
        a 95 % interval that takes the runs as independent (half widths added in quadrature), and
        ``changed``: whether that leaves out 0.
    """
    keys = ["suite", "task", *ROW, "metric"]
    first, second = (table[table["metric"].isin(COMPARED)] for table in (before, after))
    both = first.merge(second, on=keys, suffixes=("_before", "_after"))
    change = both["value_after"] - both["value_before"]
    down = (both["value_after"] - both["low_after"]) ** 2 + (both["high_before"] - both["value_before"]) ** 2
    up = (both["high_after"] - both["value_after"]) ** 2 + (both["value_before"] - both["low_before"]) ** 2
    low, high = change - down**0.5, change + up**0.5
    return both[keys].assign(
        before=both["value_before"],
        after=both["value_after"],
        change=change,
        low=low,
        high=high,
        changed=(low > 0) | (high < 0),
    )


def comparison_table(found: pd.DataFrame) -> Table:
    """For the terminal: a line a task and row, skill then validity."""
    table = Table(box=None, padding=(0, 1, 0, 0))
    for heading in ("task", "model", "arm", "metric"):
        table.add_column(heading, overflow="fold")
    for heading in ("before", "after", "change"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("")
    for row in found.itertuples(index=False):
        cells = [_shown(value) for value in (row.before, row.after, row.change)]
        table.add_row(row.task, row.model, row.arm, row.metric, *cells, CHANGED if row.changed else "")
    return table


def _shown(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.2f}".replace("-0.00", "0.00")
