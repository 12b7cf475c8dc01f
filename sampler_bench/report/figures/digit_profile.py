"""Entropy of the truth and cross-entropy of the samplers, digit by digit."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import cycle

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sampler_bench.report.figures.material import Drawing, Material
from sampler_bench.report.figures.style import (
    INK,
    LINES,
    Row,
    draw_line,
    house_style,
    labels,
    legend_above,
    mark_infinite,
    of_row,
    panels,
    whole_digits,
)


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
    with house_style():
        figure, axes = panels(tasks)
        for panel, task in zip(axes, tasks, strict=True):
            _draw_profile(panel, positions[positions["task"] == task], rows)
        figure.supxlabel("digit")
        figure.supylabel("nats per digit")
        legend_above(figure)
    return figure


def _draw_profile(panel: Axes, points: pd.DataFrame, rows: Sequence[Row]) -> None:
    truth = None
    for (dashes, colour), label, row in zip(cycle(LINES), labels(rows), rows, strict=False):
        wide = of_row(points, row).pivot(index="at", columns="metric", values="value")
        if not {"entropy", "content"} <= set(wide):
            continue
        truth, content = wide["entropy"], wide["content"]
        written = truth.index <= truth.index[(truth != 0) | (content != 0)].max()  # not past the last digit
        truth = truth[written]
        cross = truth + content[written]
        draw_line(panel, cross, color=colour, ls=dashes, lw=1.3, label=label)
        mark_infinite(panel, cross.index + 1, cross, colour)
        if len(rows) == 1:
            panel.fill_between(truth.index + 1, truth, cross, color=colour, alpha=0.2, lw=0)
    if truth is not None:
        draw_line(panel, truth, color=INK, lw=1.8, label="truth (entropy)", zorder=3)
        low, high = panel.get_ylim()
        panel.set_ylim(min(0.0, low), high + 0.05 * abs(high))
        whole_digits(panel, len(truth))
