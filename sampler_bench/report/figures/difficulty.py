"""Difficulty against size: from few solutions to anything goes."""

from collections.abc import Iterator, Sequence
from functools import partial

import pandas as pd
from matplotlib.figure import Figure

from sampler_bench.report.figures.material import Drawing, Material
from sampler_bench.report.figures.style import (
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
from sampler_bench.score.metrics import in_words

FEWEST_SIZES = 5  # tasks of different size that make a picture of difficulty


def drawings(material: Material) -> Iterator[Drawing]:
    tasks = _of_one_length(material.scores)
    if len(tasks) >= FEWEST_SIZES:
        inexact = [row for row in material.rows if row[0] != "oracle"]
        yield "difficulty", partial(difficulty, material.scores, tasks, inexact)


def _of_one_length(scores: pd.DataFrame) -> list[str]:
    """The tasks with numbers of one length, of the length that most have: ln|S| + I is ln of all numbers."""
    wide = scores[scores["metric"].isin(["ln-size", "information"])].pivot_table(
        index="task", columns="metric", values="value", sort=False
    )
    if "ln-size" not in wide:
        return []
    everything = (wide["ln-size"] + wide["information"]).dropna().round(6)
    return everything.index[everything == everything.mode().iloc[0]].tolist()


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
        content.set_ylabel(in_words("content"))
        skill.set_ylim(-1.05, 1.05)
        skill.set_ylabel(in_words("skill"))
        legend_above(figure)
    return figure
