"""One number a task: difficulty against size, the sieve ladder, thinking first against answering at once."""

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sampler_bench.report.figures.style import (
    COLOURS,
    FAINT,
    INK,
    LINES,
    MARKERS,
    Row,
    house_style,
    labels,
    legend_above,
    mark_infinite,
    of_row,
    panels,
)

WIDEST_TASK = 13  # characters of a task's name before it is broken


def difficulty(scores: pd.DataFrame, tasks: Sequence[str], rows: Sequence[Row]) -> Figure:
    """Content and skill against ln|S|, from few solutions to anything goes: the essay's claim."""
    with house_style():
        figure, (content, skill) = panels(
            ["what the sampler does not know", "what it does know"], across=2, wide=5, high=4
        )
        sizes = (
            scores[(scores["metric"] == "ln-size") & scores["task"].isin(tasks)]
            .groupby("task")["value"]
            .first()
        )
        for panel, metric in ((content, "content"), (skill, "skill")):
            found = scores[(scores["metric"] == metric) & scores["task"].isin(sizes.index)]
            for (dashes, colour), marker, label, row in zip(
                LINES * 2, MARKERS * 5, labels(rows), rows, strict=False
            ):
                mine = of_row(found, row).set_index("task")
                mine = mine.loc[sizes.index.intersection(mine.index)].assign(size=sizes).sort_values("size")
                if len(mine):
                    panel.plot(
                        mine["size"],
                        mine["value"],
                        color=colour,
                        ls=dashes,
                        lw=0.8,
                        marker=marker,
                        ms=4,
                        label=label,
                    )
                    panel.vlines(mine["size"], mine["low"], mine["high"], color=colour, lw=0.8, alpha=0.6)
                    mark_infinite(panel, mine["size"], mine["value"], colour)
            panel.set_xlabel("ln |S|: few solutions … anything goes (nats)")
        content.set_yscale("symlog", linthresh=0.1)
        content.yaxis.set_major_formatter("{x:g}")
        content.set_ylabel("content, nats (0: exact)")
        skill.set_ylim(-1.05, 1.05)
        skill.set_ylabel("skill (1: exact, 0: uniform digits)")
        legend_above(figure)
    return figure


def ladder(
    scores: pd.DataFrame,
    tasks: Sequence[str],
    rows: Sequence[Row],
    rungs: Mapping[str, Sequence[tuple[float, float]]],
) -> Figure:
    """The sieve ladder of each prime task, its (y, nats), and where the rows stand on it."""
    with house_style():
        figure, axes = panels(tasks)
        for panel, task in zip(axes, tasks, strict=True):
            y, nats = np.array(rungs[task]).T
            scale = np.log(np.log(y))  # on which levels are interpolated
            between = np.linspace(scale[0], scale[-1], 200)
            curve = np.exp(np.exp(between)), np.interp(between, scale, nats)
            panel.plot(*curve, color=INK, lw=1.5, label="sieve by the primes up to y", zorder=3)
            panel.plot(y, nats, ".", color=INK, ms=5, zorder=3)
            for colour, marker, label, row in zip(COLOURS * 4, MARKERS * 4, labels(rows), rows, strict=False):
                mine = of_row(scores[scores["task"] == task], row).set_index("metric")["value"]
                if {"level", "content"} <= set(mine.index):
                    panel.plot(
                        mine["level"], mine["content"], marker, color=colour, ms=6, label=label, zorder=4
                    )
                    mark_infinite(panel, mine["level"], mine["content"], colour)
            panel.set_xscale("log")
        figure.supxlabel("y")
        figure.supylabel("nats from the truth")
        legend_above(figure)
    return figure


def arms(scores: pd.DataFrame, tasks: Sequence[str], rows: Sequence[Row]) -> Figure:
    """Skill of each row at each task, with intervals: thinking first beside answering at once."""
    with house_style():
        figure, (panel,) = panels([""], across=1, wide=max(6.0, 0.95 * len(tasks) + 2), high=3.6)
        step = 0.8 / max(len(rows), 1)
        for index, (label, row) in enumerate(zip(labels(rows), rows, strict=True)):
            colour, marker = (COLOURS * 4)[index], (MARKERS * 4)[index]
            mine = of_row(scores[scores["metric"] == "skill"], row).set_index("task").reindex(tasks)
            x = np.arange(len(tasks)) + (index - (len(rows) - 1) / 2) * step
            panel.vlines(x, mine["low"], mine["high"], color=colour, lw=1.2)
            panel.plot(x, mine["value"], marker, color=colour, ms=4, label=label)
            mark_infinite(panel, x, mine["value"], colour)
        panel.axhline(0, color=FAINT, lw=0.8)
        panel.axhline(1, color=INK, lw=0.8)
        panel.set_yscale("symlog", linthresh=1)
        panel.set_ylim(top=1.6)
        panel.yaxis.set_major_formatter("{x:g}")
        panel.set_xticks(range(len(tasks)), [textwrap.fill(task, WIDEST_TASK) for task in tasks])
        panel.set_ylabel("skill (1: exact, 0: uniform digits)")
        panel.grid(axis="x", visible=False)
        legend_above(figure)
    return figure


def digit_bars(curves: pd.DataFrame, tasks: Sequence[str], row: Row) -> Figure:
    """Leading and last digits of a row's answers against the truth, with a perfect sampler's range."""
    axes_of = ("leading-digit", "last-digit")
    with house_style():
        titles = [f"{task}: {axis.replace('-', ' ')}" for task in tasks for axis in axes_of]
        figure, axes = panels(titles)
        mine = of_row(curves, row)
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
        figure.supxlabel("digit")
        figure.supylabel("share of the answers")
        legend_above(figure)
    return figure
