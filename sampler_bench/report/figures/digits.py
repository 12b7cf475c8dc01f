"""What happens digit by digit: profile, survival, commitment."""

from collections.abc import Sequence
from itertools import cycle

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator

from sampler_bench.report.figures.style import (
    INK,
    LINES,
    Row,
    house_style,
    labels,
    legend_above,
    mark_infinite,
    of_row,
    panels,
)

MOST_MARKERS = 12
MOST_BANDS = 4  # intervals drawn over one another


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
        _draw_line(panel, cross, color=colour, ls=dashes, lw=1.3, label=label)
        mark_infinite(panel, cross.index + 1, cross, colour)
        if len(rows) == 1:
            panel.fill_between(truth.index + 1, truth, cross, color=colour, alpha=0.2, lw=0)
    if truth is not None:
        _draw_line(panel, truth, color=INK, lw=1.8, label="truth (entropy)", zorder=3)
        low, high = panel.get_ylim()
        panel.set_ylim(min(0.0, low), high + 0.05 * abs(high))
        _whole_digits(panel, len(truth))


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
                    _draw_line(panel, mine["value"], first=0, color=colour, ls=dashes, lw=1.3, label=label)
                    if len(rows) <= MOST_BANDS:
                        band = mine["low"], mine["high"]
                        panel.fill_between(mine.index, *band, color=colour, alpha=0.12, lw=0)
                    _whole_digits(panel, len(mine))
            panel.set_ylim(-0.03, 1.05)
        figure.supxlabel("digits written")
        figure.supylabel("share that can still be completed")
        legend_above(figure)
    return figure


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


def _draw_line(panel: Axes, by_digit: pd.Series, first: int = 1, **style) -> None:
    marker = "o" if len(by_digit) <= MOST_MARKERS else None
    panel.plot(by_digit.index + first, by_digit, marker=marker, ms=3, **style)


def _whole_digits(panel: Axes, digits: int) -> None:
    panel.xaxis.set_major_locator(MaxNLocator(integer=True) if digits > 1 else FixedLocator([1]))
