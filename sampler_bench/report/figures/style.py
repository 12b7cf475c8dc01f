"""One style for all figures. Colours: Okabe and Ito, distinguishable with every kind of colour vision."""

import math
import textwrap
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle, product
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
INFINITE, BEYOND = "infinite", "beyond the axis"  # in legends, last
LINES = list(product(["-", "--", ":"], COLOURS))
MARKERS = "osD^vPX*"
COLUMNS = 4
MOST_MARKERS = 12  # digits of a line, each with a marker
LEGEND_COLUMNS = 5
LEGEND_LINES = 3  # that a figure has room for
LEGEND_HANDLE, CHARACTER = 0.6, 0.072  # inches: what stands before a name, and a letter of it
LEGEND_LINE = 0.2  # inches
MESSAGE_SIZE, MESSAGE_CHARACTER, MESSAGE_LINE = 11, 0.098, 0.19  # points; inches
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
def sheet(
    message: str, titles: Sequence[str], x: str = "", y: str = "", **size: float
) -> Iterator[tuple[Figure, list[Axes]]]:
    """Inside, a figure in the style of the house is drawn, with a panel for each title.

    Parameters
    ----------
    message : str
        What the figure says, or what to look for in it: its title, with one legend for all panels below.
    titles : sequence of str
        Of the panels.
    x, y : str
        What all panels have at their axes.
    **size
        As in ``panels``.
    """
    with house_style():
        figure, axes = panels(titles, **size)
        yield figure, axes
        if x:
            figure.supxlabel(x)
        if y:
            figure.supylabel(y)
        _head(figure, message)


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
    titles: Sequence[str], across: float = COLUMNS, wide: float = 3.1, high: float = 2.5
) -> tuple[Figure, list[Axes]]:
    """A figure with a panel for each title; without any, if there are none."""
    if not titles:
        return Figure(), []
    columns = min(int(across), len(titles))
    down = math.ceil(len(titles) / columns)
    size = max(NARROWEST, wide * columns + 0.4), high * down + 0.9
    figure = Figure(figsize=size, layout="constrained")
    axes = list(figure.subplots(down, columns, squeeze=False).ravel())
    for panel, title in zip(axes, titles, strict=False):
        panel.set_title(one_line(title))
    for panel in axes[len(titles) :]:
        panel.set_axis_off()
    return figure, axes[: len(titles)]


def _head(figure: Figure, message: str) -> None:
    """The message, and one legend for all panels, each label once."""
    handles = {}
    for panel in figure.axes:
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    for label in (BEYOND, INFINITE):  # last, not among the rows
        if label in handles:
            handles[label] = handles.pop(label)
    column = LEGEND_HANDLE + CHARACTER * max(map(len, handles), default=1)
    columns = max(1, min(len(handles), LEGEND_COLUMNS, int(figure.get_figwidth() / column)))
    lines = math.ceil(len(handles) / columns)
    said = textwrap.wrap(one_line(message), int(figure.get_figwidth() / MESSAGE_CHARACTER))
    higher = LEGEND_LINE * max(0, lines - LEGEND_LINES) + MESSAGE_LINE * len(said)
    figure.set_figheight(figure.get_figheight() + higher)
    figure.legend(
        handles.values(),
        handles.keys(),
        loc="outside upper center",
        ncols=columns,
        title="\n".join(said),
        title_fontproperties={"size": MESSAGE_SIZE, "weight": "bold"},
    )


def draw_line(panel: Axes, by_digit: pd.Series, first: int = 1, **style) -> None:
    """A line with a marker at each digit, if there are few; ``first``: added to the places."""
    marker = "o" if len(by_digit) <= MOST_MARKERS else None
    panel.plot(by_digit.index + first, by_digit, marker=marker, ms=3, **style)


def whole_digits(panel: Axes, digits: int) -> None:
    """Ticks at whole digits only."""
    panel.xaxis.set_major_locator(MaxNLocator(integer=True) if digits > 1 else FixedLocator([1]))


def mark_infinite(panel: Axes, x: ArrayLike, values: ArrayLike, colour: str) -> None:
    """A triangle at the panel's upper or lower edge wherever a value is infinite; lines leave it out."""
    mark_beyond(panel, x, values, colour)


def mark_beyond(
    panel: Axes,
    at: ArrayLike,
    values: ArrayLike,
    colour: str,
    limits: tuple[float, float] = (-np.inf, np.inf),
    *,
    across: bool = False,
) -> None:
    """A triangle at the panel's edge wherever a value is beyond it: full, or hollow if it is infinite.

    Values go up, and ``at`` to the right; the other way round if ``across``.
    """
    at, values = np.atleast_1d(at), np.atleast_1d(values)
    transform = panel.get_yaxis_transform() if across else panel.get_xaxis_transform()
    finite = np.isfinite(values)
    for edge, marker, beyond, endless in (
        (1.0, ">" if across else "^", finite & (values > limits[1]), values == np.inf),
        (0.0, "<" if across else "v", finite & (values < limits[0]), values == -np.inf),
    ):
        for which, fill, label in ((beyond, colour, BEYOND), (endless, "none", INFINITE)):
            if which.any():
                places = np.full(which.sum(), edge)
                panel.plot(
                    *((places, at[which]) if across else (at[which], places)),
                    marker,
                    transform=transform,
                    color=colour,
                    mfc=fill,
                    ms=7,
                    clip_on=False,
                    zorder=4,
                    label=label,
                )


def lines_of(rows: Sequence[Row]) -> Iterator[tuple[Row, dict[str, Any]]]:
    """Each row with the look of its line, and its name in the legend."""
    for (dashes, colour), label, row in zip(cycle(LINES), labels(rows), rows, strict=False):
        yield row, {"color": colour, "ls": dashes, "label": label}


def marks_of(rows: Sequence[Row]) -> Iterator[tuple[Row, dict[str, Any]]]:
    """Each row with the look of its points, and its name in the legend."""
    for colour, marker, label, row in zip(cycle(COLOURS), cycle(MARKERS), labels(rows), rows, strict=False):
        yield row, {"color": colour, "marker": marker, "ls": "", "label": label}


def above_zero(scores: pd.DataFrame) -> tuple[int, int]:
    """How many of the scores are above 0 with their whole interval, and how many have an interval."""
    known = scores.dropna(subset=["low", "high"])
    return int((known["low"] > 0).sum()), len(known)


def named(row: Row) -> str:
    """A row in a sentence."""
    model, *asked = row
    return one_line(f"{model} {way(*asked)}")


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
