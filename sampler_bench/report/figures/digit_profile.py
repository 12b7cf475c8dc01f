"""Entropy of the truth and cross-entropy of the samplers, digit by digit."""

from collections.abc import Iterator, Sequence
from functools import partial

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sampler_bench.report.figures.material import Drawing, Material
from sampler_bench.report.figures.style import (
    INK,
    Row,
    draw_line,
    lines_of,
    mark_infinite,
    of_row,
    sheet,
    whole_digits,
)

MESSAGE = "What a sampler does not know is how far its line lies above the truth's"


def drawings(material: Material) -> Iterator[Drawing]:
    tasks = material.tasks_with(material.curves, "content")
    if tasks:
        yield "digits", partial(digit_profile, material.curves, tasks, material.beside)


def digit_profile(curves: pd.DataFrame, tasks: Sequence[str], rows: Sequence[Row]) -> Figure:
    """True entropy and cross-entropy by digit, one panel a task; the area between is the content.

    Parameters
    ----------
    curves : DataFrame
        Of the CURVES schema.
    tasks : sequence of str
        Panels, in order.
    rows : sequence of (model, arm, decoder)
        Lines, in order.
    """
    positions = curves[curves["axis"] == "position"]
    with sheet(MESSAGE, tasks, "digit", "nats per digit") as (figure, axes):
        for panel, task in zip(axes, tasks, strict=True):
            _draw_profile(panel, positions[positions["task"] == task], rows)
    return figure


def _draw_profile(panel: Axes, points: pd.DataFrame, rows: Sequence[Row]) -> None:
    truth = None
    for row, look in lines_of(rows):
        wide = of_row(points, row).pivot(index="at", columns="metric", values="value")
        if not {"entropy", "content"} <= set(wide):
            continue
        truth, content = wide["entropy"], wide["content"]
        written = truth.index <= truth.index[(truth != 0) | (content != 0)].max()  # not past the last digit
        truth = truth[written]
        cross = truth + content[written]
        draw_line(panel, cross, lw=1.3, **look)
        mark_infinite(panel, cross.index + 1, cross, look["color"])
        if len(rows) == 1:
            panel.fill_between(truth.index + 1, truth, cross, color=look["color"], alpha=0.2, lw=0)
    if truth is not None:
        draw_line(panel, truth, color=INK, lw=1.8, label="truth (entropy)", zorder=3)
        low, high = panel.get_ylim()
        panel.set_ylim(min(0.0, low), high + 0.05 * abs(high))
        whole_digits(panel, len(truth))
