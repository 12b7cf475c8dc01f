"""Figures. Colours: Okabe and Ito, distinguishable with every kind of colour vision."""

import math
from collections.abc import Sequence
from itertools import cycle, product
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sampler_bench.score.divergence import profile
from sampler_bench.targets import END

COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]
LINES = list(product(["-", "--", ":"], COLOURS))
COLUMNS = 4
LEGEND_COLUMNS = 5
MOST_MARKERS = 12
STYLE = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "legend.frameon": False,
}


def digit_profile(
    conditionals: pd.DataFrame, tasks: Sequence[str], rows: Sequence[tuple[str, str, str]]
) -> Figure:
    """True entropy and cross-entropy by digit, one panel a task; the area between is the content.

    Parameters
    ----------
    conditionals : DataFrame
        Records.
    tasks : sequence of str
        Panels, in order.
    rows : sequence of (model, arm, decoder)
        Lines, in order.
    """
    with mpl.rc_context(STYLE):
        down = math.ceil(len(tasks) / COLUMNS)
        across = min(COLUMNS, len(tasks))
        figure = Figure(figsize=(3.1 * across + 0.4, 2.5 * down + 0.9), layout="constrained")
        panels = figure.subplots(down, across, squeeze=False).ravel()
        for panel, task in zip(panels, tasks, strict=False):
            _draw_panel(panel, conditionals[conditionals["task"] == task], rows)
            panel.set_title(task)
        for panel in panels[len(tasks) :]:
            panel.set_axis_off()
        handles = {line.get_label(): line for panel in panels for line in panel.get_lines()}
        figure.supxlabel("digit")
        figure.supylabel("nats per digit")
        figure.legend(
            handles.values(),
            handles.keys(),
            loc="outside upper center",
            ncols=min(len(handles), LEGEND_COLUMNS),
        )
    return figure


def save_png(figure: Figure, path: Path) -> None:
    """Write a figure as PNG; the same figure gives the same bytes."""
    figure.savefig(path, dpi=150, format="png", metadata={"Software": None})


def _draw_panel(panel: Axes, records: pd.DataFrame, rows: Sequence[tuple[str, str, str]]) -> None:
    truth = None
    for (dashes, colour), label, (model, arm, decoder) in zip(
        cycle(LINES), _labels(rows), rows, strict=False
    ):
        mine = (records["model"] == model) & (records["arm"] == arm) & (records["decoder"] == decoder)
        if not mine.any():
            continue
        truth, content = _by_digit(records[mine])
        _draw_line(panel, truth + content, color=colour, ls=dashes, lw=1.3, label=label)
    if truth is not None:
        _draw_line(panel, truth, color="black", lw=1.8, label="truth (entropy)", zorder=3)
        low, high = panel.get_ylim()
        panel.set_ylim(min(0.0, low), high + 0.05 * abs(high))
        panel.xaxis.get_major_locator().set_params(integer=True)
        if len(truth) == 1:
            panel.set_xticks([1])


def _labels(rows: Sequence[tuple[str, str, str]]) -> list[str]:
    """The model; with arm and decoder if it has several."""
    models = [model for model, _, _ in rows]
    return [
        model
        if models.count(model) == 1
        else f"{model} {arm}" + (f", {decoder}" if decoder != "ancestral" else "")
        for model, arm, decoder in rows
    ]


def _draw_line(panel: Axes, by_digit: np.ndarray, **style) -> None:
    marker = "o" if len(by_digit) <= MOST_MARKERS else None
    panel.plot(np.arange(1, len(by_digit) + 1), by_digit, marker=marker, ms=3, **style)


def _by_digit(records: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Mean entropy of the truth and mean content at each digit, nats, under the same weights."""
    divergence = profile(records)
    goes_on = np.stack(records["p"])[:, :END].sum(axis=1) > 0
    digits = records["position"][goes_on].max() + 1
    weight = divergence.weight
    return weight @ divergence.entropy[:, :digits], weight @ divergence.content[:, :digits]
