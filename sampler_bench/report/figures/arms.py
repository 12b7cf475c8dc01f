"""Thinking first beside answering at once."""

import textwrap
from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sampler_bench.report.figures.material import Drawing, Material
from sampler_bench.report.figures.style import (
    FAINT,
    INK,
    Row,
    above_zero,
    mark_infinite,
    marks_of,
    of_row,
    sheet,
)
from sampler_bench.score.metrics import in_words

WIDEST_TASK = 13  # characters of a task's name before it is broken


def drawings(material: Material) -> Iterator[Drawing]:
    tasks = material.tasks_with(material.scores, "skill")
    if material.models and tasks:
        yield "arms", partial(arms, material.scores, tasks, material.models)


def arms(scores: pd.DataFrame, tasks: Sequence[str], rows: Sequence[Row]) -> Figure:
    """Skill of each row at each task, with intervals: thinking first beside answering at once."""
    wide = max(6.0, 0.95 * len(tasks) + 2)
    with sheet(_message(scores, tasks, rows), [""], wide=wide, high=3.6) as (figure, (panel,)):
        step = 0.8 / max(len(rows), 1)
        for index, (row, look) in enumerate(marks_of(rows)):
            mine = of_row(scores[scores["metric"] == "skill"], row).set_index("task").reindex(list(tasks))
            x = np.arange(len(tasks)) + (index - (len(rows) - 1) / 2) * step
            panel.vlines(x, mine["low"], mine["high"], color=look["color"], lw=1.2)
            panel.plot(x, mine["value"], ms=4, **look)
            mark_infinite(panel, x, mine["value"], look["color"])
        panel.axhline(0, color=FAINT, lw=0.8)
        panel.axhline(1, color=INK, lw=0.8)
        panel.set_yscale("symlog", linthresh=1)
        panel.set_ylim(top=1.6)
        panel.yaxis.set_major_formatter("{x:g}")
        panel.set_xticks(range(len(tasks)), [textwrap.fill(task, WIDEST_TASK) for task in tasks])
        panel.set_ylabel(in_words("skill"))
        panel.grid(axis="x", visible=False)
    return figure


def _message(scores: pd.DataFrame, tasks: Sequence[str], rows: Sequence[Row]) -> str:
    skill = scores[(scores["metric"] == "skill") & scores["task"].isin(tasks)]
    above, known = above_zero(pd.concat([of_row(skill, row) for row in rows]))
    ways = len({row[1:] for row in rows})
    asked = f"Asked in {ways} ways" if ways > 1 else "Each model at each task"
    return f"{asked}: skill is above 0 in {above} of {known} cases" if known else asked
