"""Thinking first beside answering at once."""

import textwrap
from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sampler_bench.report.figures.material import Drawing, Material
from sampler_bench.report.figures.style import (
    COLOURS,
    FAINT,
    INK,
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

WIDEST_TASK = 13  # characters of a task's name before it is broken


def drawings(material: Material) -> Iterator[Drawing]:
    tasks = material.tasks_with(material.scores, "skill")
    if material.models and tasks:
        yield "arms", partial(arms, material.scores, tasks, material.models)


def arms(scores: pd.DataFrame, tasks: Sequence[str], rows: Sequence[Row]) -> Figure:
    """Skill of each row at each task, with intervals: thinking first beside answering at once."""
    with house_style():
        figure, (panel,) = panels([""], across=1, wide=max(6.0, 0.95 * len(tasks) + 2), high=3.6)
        step = 0.8 / max(len(rows), 1)
        for index, (label, row) in enumerate(zip(labels(rows), rows, strict=True)):
            colour, marker = (COLOURS * 4)[index], (MARKERS * 4)[index]
            mine = of_row(scores[scores["metric"] == "skill"], row).set_index("task").reindex(list(tasks))
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
        panel.set_ylabel(in_words("skill"))
        panel.grid(axis="x", visible=False)
        legend_above(figure)
    return figure
