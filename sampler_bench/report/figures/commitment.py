"""When a sampler decides which component of a mixture it is writing."""

from collections.abc import Iterator, Sequence
from functools import partial

import pandas as pd
from matplotlib.figure import Figure

from sampler_bench.report.figures.material import Drawing, Material
from sampler_bench.report.figures.style import (
    Row,
    lines_of,
    of_row,
    sheet,
)

MESSAGE = "A perfect sampler's line is level: a slope shows an intent that is decided while writing"


def drawings(material: Material) -> Iterator[Drawing]:
    tasks = material.tasks_with(material.curves, "component-1")
    if tasks:
        yield "commitment", partial(commitment, material.curves, tasks, material.rows)


def commitment(curves: pd.DataFrame, tasks: Sequence[str], rows: Sequence[Row]) -> Figure:
    """The mean posterior of a mixture's first component by digits written; a panel a mixture."""
    points = curves[curves["metric"] == "component-1"]
    y = "posterior of the first component"
    with sheet(MESSAGE, tasks, "digits written", y, across=2, wide=5) as (figure, axes):
        for panel, task in zip(axes, tasks, strict=True):
            for row, look in lines_of(rows):
                mine = of_row(points[points["task"] == task], row).set_index("at")
                if len(mine):
                    panel.plot(mine.index, mine["value"], lw=1.3, **look)
            panel.set_ylim(bottom=0)
    return figure
