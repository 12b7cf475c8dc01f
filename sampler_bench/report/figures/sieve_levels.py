"""The sieve ladder, and where samplers stand on it."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter

from sampler_bench.report.figures.material import Drawing, Ladder, Material
from sampler_bench.report.figures.style import (
    INK,
    Row,
    mark_infinite,
    marks_of,
    of_row,
    sheet,
)

MESSAGE = "How far down the ladder: a sampler at y knows what division by the primes up to y tells"


def drawings(material: Material) -> Iterator[Drawing]:
    tasks = [task for task in material.tasks if task in material.ladders]
    if tasks:
        yield "ladder", partial(sieve_levels, material.scores, tasks, material.rows, material.ladders)


def sieve_levels(
    scores: pd.DataFrame,
    tasks: Sequence[str],
    rows: Sequence[Row],
    rungs: Mapping[str, Ladder],
) -> Figure:
    """The sieve ladder of each prime task, its (y, nats), and where the rows stand on it."""
    with sheet(MESSAGE, tasks, "y", "nats from the truth") as (figure, axes):
        for panel, task in zip(axes, tasks, strict=True):
            y, nats = np.array(rungs[task]).T
            scale = np.log(np.log(y))  # on which levels are interpolated
            between = np.linspace(scale[0], scale[-1], 200)
            curve = np.exp(np.exp(between)), np.interp(between, scale, nats)
            panel.plot(*curve, color=INK, lw=1.5, label="sieve by the primes up to y", zorder=3)
            panel.plot(y, nats, ".", color=INK, ms=5, zorder=3)
            for row, look in marks_of(rows):
                mine = of_row(scores[scores["task"] == task], row).set_index("metric")["value"]
                if {"level", "content"} <= set(mine.index):
                    panel.plot(mine["level"], mine["content"], ms=6, zorder=4, **look)
                    mark_infinite(panel, mine["level"], mine["content"], look["color"])
            panel.set_xscale("log")
            panel.xaxis.set_major_formatter(LogFormatter())  # the default one writes formulas
            panel.xaxis.set_minor_formatter(LogFormatter(labelOnlyBase=False, minor_thresholds=(1, 0.4)))
    return figure
