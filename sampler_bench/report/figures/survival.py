"""How many answers can still be completed, digit by digit."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import cycle

import pandas as pd
from matplotlib.figure import Figure

from sampler_bench.report.figures.material import Drawing, Material
from sampler_bench.report.figures.style import (
    LINES,
    Row,
    draw_line,
    house_style,
    labels,
    legend_above,
    of_row,
    panels,
    whole_digits,
)

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
    with house_style():
        figure, axes = panels(tasks)
        for panel, task in zip(axes, tasks, strict=True):
            for (dashes, colour), label, row in zip(cycle(LINES), labels(rows), rows, strict=False):
                mine = of_row(points[points["task"] == task], row).set_index("at")
                if len(mine):
                    draw_line(panel, mine["value"], first=0, color=colour, ls=dashes, lw=1.3, label=label)
                    if len(rows) <= MOST_BANDS:
                        band = mine["low"], mine["high"]
                        panel.fill_between(mine.index, *band, color=colour, alpha=0.12, lw=0)
                    whole_digits(panel, len(mine))
            panel.set_ylim(-0.03, 1.05)
        figure.supxlabel("digits written")
        figure.supylabel("share that can still be completed")
        legend_above(figure)
    return figure
