"""One style for all figures. Colours: Okabe and Ito, distinguishable with every kind of colour vision."""

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator
from numpy.typing import ArrayLike

from sampler_bench.plain import one_line
from sampler_bench.report.leaderboard import natural_order, way

if TYPE_CHECKING:
    from matplotlib.typing import RcKeyType

COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]
INK, FAINT = "black", "0.45"
INFINITE = "infinite"  # in legends
LINES = list(product(["-", "--", ":"], COLOURS))
MARKERS = "osD^vPX*"
COLUMNS = 4
MOST_MARKERS = 12  # digits of a line, each with a marker
LEGEND_COLUMNS = 5
LEGEND_LINES = 3  # that a figure has room for
LEGEND_HANDLE, CHARACTER = 0.6, 0.072  # inches: what stands before a name, and a letter of it
LEGEND_LINE = 0.2  # inches
NARROWEST = 5.4  # inches
DPI = 150
STYLE: "dict[RcKeyType, object]" = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "legend.frameon": False,
    "text.parse_math": False,  # names with dollar signs are no formulas
    "svg.hashsalt": "sampler_bench",  # so that the same figure gives the same bytes
}
Row = tuple[str, str, str]  # model, arm, decoder


@contextmanager
def house_style() -> Iterator[None]:
    """Inside, figures are drawn in the style of the house."""
    with mpl.rc_context(STYLE):
        yield


def save(figure: Figure, kind: str, path: Path) -> None:
    """Write a figure as ``png`` or ``svg``; the same figure gives the same bytes."""
    metadata = {"Software": None} if kind == "png" else {"Date": None, "Creator": None}
    with house_style(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")  # a box stands for it
        figure.savefig(path, dpi=DPI, format=kind, metadata=metadata)


def panels(
    titles: Sequence[str], across: int = COLUMNS, wide: float = 3.1, high: float = 2.5
) -> tuple[Figure, list[Axes]]:
    """A figure with a panel for each title; without any, if there are none."""
    if not titles:
        return Figure(), []
    across = min(across, len(titles))
    down = math.ceil(len(titles) / across)
    size = max(NARROWEST, wide * across + 0.4), high * down + 0.9
    figure = Figure(figsize=size, layout="constrained")
    axes = list(figure.subplots(down, across, squeeze=False).ravel())
    for panel, title in zip(axes, titles, strict=False):
        panel.set_title(one_line(title))
    for panel in axes[len(titles) :]:
        panel.set_axis_off()
    return figure, axes[: len(titles)]


def legend_above(figure: Figure) -> None:
    """One legend for all panels, above them, each label once."""
    handles = {}
    for panel in figure.axes:
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    if INFINITE in handles:  # last, not among the rows
        handles[INFINITE] = handles.pop(INFINITE)
    if handles:
        column = LEGEND_HANDLE + CHARACTER * max(map(len, handles))
        columns = max(1, min(len(handles), LEGEND_COLUMNS, int(figure.get_figwidth() / column)))
        lines = math.ceil(len(handles) / columns)
        figure.set_figheight(figure.get_figheight() + LEGEND_LINE * max(0, lines - LEGEND_LINES))
        figure.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=columns)


def draw_line(panel: Axes, by_digit: pd.Series, first: int = 1, **style) -> None:
    """A line with a marker at each digit, if there are few; ``first``: added to the places."""
    marker = "o" if len(by_digit) <= MOST_MARKERS else None
    panel.plot(by_digit.index + first, by_digit, marker=marker, ms=3, **style)


def whole_digits(panel: Axes, digits: int) -> None:
    """Ticks at whole digits only."""
    panel.xaxis.set_major_locator(MaxNLocator(integer=True) if digits > 1 else FixedLocator([1]))


def mark_infinite(panel: Axes, x: ArrayLike, values: ArrayLike, colour: str) -> None:
    """A triangle at the panel's upper or lower edge wherever a value is infinite; lines leave it out."""
    x, values = np.atleast_1d(x), np.atleast_1d(values)
    for limit, edge, marker in ((np.inf, 1.0, "^"), (-np.inf, 0.0, "v")):
        beyond = x[values == limit]
        if len(beyond):
            panel.plot(
                beyond,
                np.full(len(beyond), edge),
                marker,
                transform=panel.get_xaxis_transform(),
                color=colour,
                mfc="none",
                ms=7,
                clip_on=False,
                zorder=4,
                label=INFINITE,
            )


def labels(rows: Sequence[Row]) -> list[str]:
    """The model; with arm and decoder if it has several."""
    models = [model for model, _, _ in rows]
    names = (
        one_line(model if models.count(model) == 1 else f"{model} {way(*asked)}") for model, *asked in rows
    )
    return [f" {name}" if name.startswith("_") else name for name in names]  # else left out of legends


def rows_of(table: pd.DataFrame, is_reference: Callable[[str], bool]) -> list[Row]:
    """The rows of a table, models before references."""
    found = table[["model", "arm", "decoder"]].drop_duplicates().itertuples(index=False, name=None)
    return sorted(found, key=lambda row: (is_reference(row[0]), *map(natural_order, row)))


def of_row(table: pd.DataFrame, row: Row) -> pd.DataFrame:
    """What a table has of one row."""
    model, arm, decoder = row
    return table[(table["model"] == model) & (table["arm"] == arm) & (table["decoder"] == decoder)]
