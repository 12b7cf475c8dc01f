"""What was learnt against what was seen, and what is known in the end of sets of all sizes."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sampler_bench.report.figures.style import COLOURS, FAINT, INK, MARKERS, sheet

SEEN = "Learnt where the line comes down to 0: nats missing in the digits, against numbers seen"
KNOWN = "Skill after all training, by how many numbers the constraint leaves"
GUIDES = {"uniform-digits": ":", "feasible-uniform": "--", "propose-and-check-64": "-."}
LONGEST = 14  # letters of a name at a point


def learnability(table: pd.DataFrame) -> Figure:
    """Content against numbers seen, a panel a task, a line a size of model; references are level lines.

    Parameters
    ----------
    table : DataFrame
        As ``sampler_bench.learning.learn`` returns it.
    """
    found = table[table["metric"] == "content"]
    tasks = list(pd.unique(found["task"]))
    with sheet(SEEN, tasks, "numbers seen", "content (nats), with 95 % intervals") as (figure, axes):
        for panel, task in zip(axes, tasks, strict=True):
            mine = found[found["task"] == task]
            _draw_guides(panel, mine)
            for colour, (size, line) in zip(COLOURS, _sizes(mine), strict=False):
                line = line.sort_values("numbers_seen")
                panel.fill_between(
                    line["numbers_seen"], line["low"], line["high"], color=colour, alpha=0.15, lw=0
                )
                panel.plot(
                    line["numbers_seen"],
                    line["value"],
                    "o-",
                    ms=3,
                    color=colour,
                    label=f"{size:,} parameters",
                )
            panel.set_xscale("log")
            panel.set_ylim(bottom=0)
    return figure


def by_size(table: pd.DataFrame) -> Figure:
    """Skill of models that have seen all numbers, with intervals, against ln of how many there are."""
    skill = table[(table["metric"] == "skill") & (table["parameters"] > 0)]
    last = skill[
        skill["numbers_seen"] == skill.groupby(["world", "parameters"])["numbers_seen"].transform("max")
    ]
    size = table[table["metric"] == "ln-size"].groupby("task")["value"].first()
    with sheet(KNOWN, [""], "ln |S|, nats", "skill (1: exact, 0: uniform digits)", wide=8.0, high=4.2) as (
        figure,
        [panel],
    ):
        for colour, marker, (parameters, mine) in zip(COLOURS, MARKERS, _sizes(last), strict=False):
            at = mine["task"].map(size)
            spread = np.clip([mine["value"] - mine["low"], mine["high"] - mine["value"]], 0, None)
            panel.errorbar(
                at,
                mine["value"],
                spread,
                fmt=marker,
                ms=5,
                color=colour,
                lw=1,
                label=f"{parameters:,} parameters",
            )
        largest = last[last["parameters"] == last["parameters"].max()]
        for task, value in zip(largest["task"], largest["value"], strict=True):
            if np.isfinite(size.get(task, np.nan)) and np.isfinite(value):
                panel.annotate(
                    task, (size[task], value), (4, 3), textcoords="offset points", fontsize=6.5, color=FAINT
                )
        panel.axhline(0, color=INK, lw=0.8)
        panel.axhline(1, color=FAINT, lw=0.8, ls=":")
        panel.set_ylim(top=1.08)
    return figure


def _draw_guides(panel: Axes, scores: pd.DataFrame) -> None:
    for name, dashes in GUIDES.items():
        level = scores.loc[scores["model"] == name, "value"]
        if len(level) and np.isfinite(level.iloc[0]):
            panel.axhline(level.iloc[0], color=FAINT, lw=1, ls=dashes, label=name)


def _sizes(scores: pd.DataFrame):
    """The rows of each size of model, from small to large."""
    return iter(scores[scores["parameters"] > 0].groupby("parameters"))
