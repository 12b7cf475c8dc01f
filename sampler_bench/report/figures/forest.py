"""The differences of two rows, task by task and over all: a forest plot."""

import textwrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sampler_bench.plain import one_line
from sampler_bench.report.comparison import pair_in_words
from sampler_bench.report.figures.style import COLOURS, FAINT, INK, house_style, panels
from sampler_bench.score.score import SIGNIFICANT
from sampler_bench.score.scores import OVERALL, ROW

METRIC = "skill"
TITLE = 52  # characters of a line
LINE = 0.26  # inches a task
WIDEST = 2.0  # of the axis, to each side, but for what is further within an interval


def forest(found: pd.DataFrame) -> Figure:
    """Changes of skill with intervals, the overall one last, one panel a pair of rows.

    Parameters
    ----------
    found : DataFrame
        As ``compare.compare`` gives it.
    """
    sides = [*ROW, *(f"with_{name}" for name in ROW)]
    pairs = [(pair, rows) for pair, rows in found[found["metric"] == METRIC].groupby(sides, sort=False)]
    most = max((len(rows) for _, rows in pairs), default=1)
    with house_style():
        figure, axes = panels([""] * len(pairs), 2, wide=5.2, high=1.0 + LINE * most)
        for panel, (pair, rows) in zip(axes, pairs, strict=True):
            panel.set_title(textwrap.fill(_message(pair, rows), TITLE))
            _draw(panel, rows)
    return figure


def _message(pair: tuple, rows: pd.DataFrame) -> str:
    """What is compared, and at how many tasks it differs."""
    tasks = rows[rows["task"] != OVERALL]
    apart = int((tasks["p_adjusted"] < SIGNIFICANT).sum())
    return f"{pair_in_words(pair)}: skill differs at {apart} of {len(tasks)} tasks"


def _draw(panel: Axes, rows: pd.DataFrame) -> None:
    rows = rows.iloc[::-1].reset_index(drop=True)
    places = np.arange(len(rows))
    apart, whole = rows["p_adjusted"] < SIGNIFICANT, rows["task"] == OVERALL
    panel.axvline(0, color=INK, lw=0.8)
    for mask, colour, marker in ((~apart & ~whole, FAINT, "o"), (apart, COLOURS[0], "o"), (whole, INK, "D")):
        panel.hlines(places[mask], rows["low"][mask], rows["high"][mask], color=colour, lw=1.4)
        panel.plot(rows["change"][mask], places[mask], marker, color=colour, ms=5)
    limit = max(
        0.05, *np.minimum(np.nan_to_num(rows[["low", "high", "change"]].abs().to_numpy().max(axis=1)), WIDEST)
    )
    panel.set_xlim(-1.08 * limit, 1.08 * limit)
    beyond = np.where(rows["change"] > limit, np.inf, np.where(rows["change"] < -limit, -np.inf, 0.0))
    for place, value in zip(places[beyond != 0], beyond[beyond != 0], strict=True):
        edge = limit if value > 0 else -limit
        panel.plot(
            [1.06 * np.sign(edge) * limit],
            [place],
            ">" if value > 0 else "<",
            color=COLOURS[1],
            ms=7,
            mfc="none",
        )
    panel.set_yticks(places, ["all tasks" if task == OVERALL else one_line(task) for task in rows["task"]])
    panel.set_ylim(-0.6, len(rows) - 0.4)
    panel.grid(axis="y", visible=False)
    panel.set_xlabel("change of skill, with 95 % interval")
