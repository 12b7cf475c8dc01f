"""Which leading and last digits a model writes."""

from collections.abc import Iterator, Sequence
from functools import partial

import pandas as pd
from matplotlib.figure import Figure

from sampler_bench.plain import file_name
from sampler_bench.report.figures.material import Drawing, Material
from sampler_bench.report.figures.style import (
    COLOURS,
    INK,
    Row,
    named,
    of_row,
    sheet,
)


def drawings(material: Material) -> Iterator[Drawing]:
    for row in material.models:
        tasks = material.tasks_with(of_row(material.curves, row), "answers")
        if tasks:
            yield file_name("answers", *row), partial(digit_bars, material.curves, tasks, row)


def digit_bars(curves: pd.DataFrame, tasks: Sequence[str], row: Row) -> Figure:
    """Leading and last digits of a row's answers against the truth, with a perfect sampler's range."""
    axes_of = ("leading-digit", "last-digit")
    titles = [f"{task}: {axis.replace('-', ' ')}" for task in tasks for axis in axes_of]
    mine = of_row(curves, row)
    message = f"{named(row)}: {_outside(mine, tasks)} of digits lie outside of a perfect sampler's 95 %"
    with sheet(message, titles, "digit", "share of the answers") as (figure, axes):
        for panel, (task, axis) in zip(
            axes, ((task, axis) for task in tasks for axis in axes_of), strict=True
        ):
            points = mine[(mine["task"] == task) & (mine["axis"] == axis)]
            seen = points[points["metric"] == "answers"].set_index("at")
            truth = points[points["metric"] == "truth"].set_index("at")
            panel.bar(seen.index, seen["value"], color=COLOURS[0], width=0.7, label="answers")
            ends = [truth["value"] - truth["low"], truth["high"] - truth["value"]]
            reach = [length.clip(lower=0) for length in ends]  # few draws may all miss what is rare
            panel.errorbar(
                truth.index, truth["value"], reach, fmt="_", color=INK, ms=9, lw=1, capsize=2,
                label="truth, and 95 % of perfect samplers",
            )  # fmt: skip
            panel.set_xticks(range(10))
    return figure


def _outside(curves: pd.DataFrame, tasks: Sequence[str]) -> str:
    """How many shares of digits lie outside of the range of perfect samplers."""
    points = curves[curves["task"].isin(tasks)].set_index(["task", "axis", "at"])
    seen, truth = (points[points["metric"] == metric] for metric in ("answers", "truth"))
    both = truth.join(seen["value"].rename("seen"), how="inner")
    outside = (both["seen"] < both["low"]) | (both["seen"] > both["high"])
    return f"{outside.sum()} of {len(both)} shares"
