"""When a sampler decides which component of a mixture it is writing."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import cycle

import pandas as pd
from matplotlib.figure import Figure

from sampler_bench.report.figures.material import Drawing, Material
from sampler_bench.report.figures.style import (
    LINES,
    Row,
    house_style,
    labels,
    legend_above,
    of_row,
    panels,
)


def drawings(material: Material) -> Iterator[Drawing]:
    tasks = material.tasks_with(material.curves, "component-1")
    if tasks:
        yield "commitment", partial(commitment, material.curves, tasks, material.rows)


def commitment(curves: pd.DataFrame, tasks: Sequence[str], rows: Sequence[Row]) -> Figure:
    """The mean posterior of a mixture's first component by digits written; a panel a mixture."""
    points = curves[curves["metric"] == "component-1"]
    with house_style():
        figure, axes = panels(tasks, across=2, wide=5)
        for panel, task in zip(axes, tasks, strict=True):
            for (dashes, colour), label, row in zip(cycle(LINES), labels(rows), rows, strict=False):
                mine = of_row(points[points["task"] == task], row).set_index("at")
                if len(mine):
                    panel.plot(mine.index, mine["value"], color=colour, ls=dashes, lw=1.3, label=label)
            panel.set_ylim(bottom=0)
        figure.supxlabel("digits written")
        figure.supylabel("posterior of the first component")
        legend_above(figure)
    return figure
