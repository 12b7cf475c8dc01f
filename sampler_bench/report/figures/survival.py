"""How many answers can still be completed, digit by digit."""

from collections.abc import Iterator, Sequence
from functools import partial

import pandas as pd
from matplotlib.figure import Figure

from sampler_bench.report.figures.material import Drawing, Material
from sampler_bench.report.figures.style import (
    Row,
    draw_line,
    lines_of,
    of_row,
    sheet,
    whole_digits,
)

MESSAGE = "Where a line falls, answers come to dead ends"
MOST_BANDS = 4  # intervals drawn over one another


def drawings(material: Material) -> Iterator[Drawing]:
    tasks = material.tasks_with(material.curves, "survival")
    if tasks:
        yield "survival", partial(survival, material.curves, tasks, material.beside)


def survival(curves: pd.DataFrame, tasks: Sequence[str], rows: Sequence[Row]) -> Figure:
    """The share of answers whose first digits can still be completed; a panel a task.

    With intervals, where there are few rows.
    """
    points = curves[curves["metric"] == "survival"]
    with sheet(MESSAGE, tasks, "digits written", "share that can still be completed") as (figure, axes):
        for panel, task in zip(axes, tasks, strict=True):
            for row, look in lines_of(rows):
                mine = of_row(points[points["task"] == task], row).set_index("at")
                if len(mine):
                    draw_line(panel, mine["value"], first=0, lw=1.3, **look)
                    if len(rows) <= MOST_BANDS:
                        band = mine["low"], mine["high"]
                        panel.fill_between(mine.index, *band, color=look["color"], alpha=0.12, lw=0)
                    whole_digits(panel, len(mine))
            panel.set_ylim(-0.03, 1.05)
    return figure
