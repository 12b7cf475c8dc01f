"""What is known of each constraint, and what is taken up from its words."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sampler_bench.plain import one_line
from sampler_bench.report.figures.kinds import by_kind
from sampler_bench.report.figures.material import Drawing, Material
from sampler_bench.report.figures.style import (
    FAINT,
    INK,
    Row,
    above_zero,
    labels,
    mark_beyond,
    marks_of,
    of_row,
    sheet,
)
from sampler_bench.score.metrics import in_words

LIMITS = -1.0, 1.0
MARGIN = 0.06  # beyond the limits, for points at them
SPREAD = 0.6  # of a task's row, over which the models stand
ROW_HIGH, HEADS = 0.2, 0.8  # inches: a task's row, and what stands around all of them
GUIDES = (("+", INK), ("d", FAINT), ("x", FAINT))  # marks of the references, and colours
MOST_NAMED = 3  # rows that a title has room for


def drawings(material: Material) -> Iterator[Drawing]:
    of_models = [of_row(material.scores, row) for row in material.few_models]
    tasks = material.tasks_with(pd.concat(of_models), "skill") if of_models else []
    if tasks:
        kinds = by_kind(tasks, material.scores, material.families)
        yield "knowledge", partial(knowledge, material.scores, kinds, material.few_models, material.guides)


def knowledge(
    scores: pd.DataFrame, kinds: Mapping[str, Sequence[str]], rows: Sequence[Row], guides: Sequence[Row] = ()
) -> Figure:
    """Skill, and uptake where it was measured, one line a task, with intervals.

    Parameters
    ----------
    scores : DataFrame
        Of the SCORES schema.
    kinds : mapping of str to sequence of str
        Tasks from top to bottom, by kind.
    rows, guides : sequence of (model, arm, decoder)
        Points; those of the guides in grey, and with their skill alone, which is their uptake, too.
    """
    places = _places(kinds)
    scores = scores[scores["task"].isin(places)]
    of_rows = pd.concat([scores.iloc[:0], *(of_row(scores, row) for row in rows)])
    known = set(of_rows.loc[of_rows["value"].notna(), "metric"])
    metrics = [metric for metric in ("skill", "uptake") if metric in known] or ["skill"]
    high = ROW_HIGH * (len(places) + len(kinds)) + HEADS
    wide = 4.6 if len(metrics) > 1 else 6.5
    titles = [""] * len(metrics)
    with sheet(_message(of_rows, metrics[-1], rows), titles, wide=wide, high=high) as (figure, axes):
        for panel, metric in zip(axes, metrics, strict=True):
            found = scores[scores["metric"] == metric]
            _frame(panel, places, kinds)
            _draw_models(panel, found, places, rows)
            if metric == "skill":
                _draw_guides(panel, found, places, guides)
            panel.set_xlabel(in_words(metric))
        _name_tasks(axes[0], places, kinds)
        _name_sizes(axes[-1], scores, places)
    return figure


def _message(scores: pd.DataFrame, metric: str, rows: Sequence[Row]) -> str:
    """At how many tasks a metric is above 0 for certain."""
    found = scores[scores["metric"] == metric]
    above = {}
    for label, row in zip(labels(rows), rows, strict=True):
        count, known = above_zero(of_row(found, row))
        if known:
            above[label.strip()] = f"{count} of {known} tasks"
    if not above:
        return f"How much is known of each constraint: {in_words(metric)}"
    if len(above) == 1:
        ((label, count),) = above.items()
        return f"{label}: {metric} is above 0 at {count}"
    some = [f"at {count} for {label}" for label, count in list(above.items())[:MOST_NAMED]]
    return f"Where {metric} is above 0: {', '.join(some)}{', …' if len(above) > MOST_NAMED else ''}"


def _places(kinds: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """The line of each task, from the top; a kind's name has one, too."""
    places, line = {}, 0
    for tasks in kinds.values():
        for task in tasks:
            line += 1
            places[task] = line
        line += 1
    return places


def _frame(panel: Axes, places: Mapping[str, int], kinds: Mapping[str, Sequence[str]]) -> None:
    panel.axvline(0, color=FAINT, lw=0.8)
    panel.axvline(1, color=INK, lw=0.8)
    panel.set_xlim(LIMITS[0] - MARGIN, LIMITS[1] + MARGIN)
    panel.set_ylim(len(places) + len(kinds) - 0.4, -0.6)
    panel.set_yticks(list(places.values()), [""] * len(places))
    panel.tick_params(axis="y", length=0, pad=7)
    panel.set_xticks([-1, -0.5, 0, 0.5, 1])
    panel.xaxis.set_major_formatter("{x:g}")


def _name_tasks(panel: Axes, places: Mapping[str, int], kinds: Mapping[str, Sequence[str]]) -> None:
    heads = {kind: places[tasks[0]] - 1 for kind, tasks in kinds.items() if tasks}
    names = [*map(one_line, places), *heads]
    panel.set_yticks([*places.values(), *heads.values()], names)
    for label in panel.get_yticklabels()[len(places) :]:
        label.set_fontweight("bold")
    for line in panel.yaxis.get_gridlines()[len(places) :]:
        line.set_visible(False)


def _name_sizes(panel: Axes, scores: pd.DataFrame, places: Mapping[str, int]) -> None:
    """ln|S| of each task, at the right."""
    sizes = scores[scores["metric"] == "ln-size"].groupby("task")["value"].first().dropna()
    style = {"transform": panel.get_yaxis_transform(), "color": FAINT, "va": "center", "ha": "right"}
    if sizes.index.isin(places).any():
        panel.text(1.1, 0, "ln |S|", **style)
    for task, place in places.items():
        if task in sizes:
            panel.text(1.1, place, f"{sizes[task]:.1f}", **style)


def _draw_guides(panel: Axes, found: pd.DataFrame, places: Mapping[str, int], guides: Sequence[Row]) -> None:
    for (marker, colour), label, row in zip(cycle(GUIDES), labels(guides), guides, strict=False):
        mine = of_row(found, row).set_index("task")["value"].reindex(list(places))
        panel.plot(mine, list(places.values()), marker, color=colour, mfc="none", ms=6, label=label, zorder=2)


def _draw_models(panel: Axes, found: pd.DataFrame, places: Mapping[str, int], rows: Sequence[Row]) -> None:
    step = SPREAD / max(len(rows) - 1, 1)
    for index, (row, look) in enumerate(marks_of(rows)):
        mine = of_row(found, row).set_index("task").reindex(list(places))
        at = np.array(list(places.values())) + (index - (len(rows) - 1) / 2) * step
        values = mine["value"].to_numpy(float)
        low, high = (mine[end].clip(*LIMITS) for end in ("low", "high"))
        panel.hlines(at, low, high, color=look["color"], lw=1.3)
        inside = (values >= LIMITS[0]) & (values <= LIMITS[1])
        panel.plot(np.where(inside, values, np.nan), at, ms=4.5, zorder=3, **look)
        mark_beyond(panel, at, values, look["color"], LIMITS, across=True)
        for edge, marker, cut in ((0.0, "<", mine["low"] < LIMITS[0]), (1.0, ">", mine["high"] > LIMITS[1])):
            ends = at[inside & cut.to_numpy()]  # of intervals that go on
            if len(ends):  # a line without points, not clipped, lies in the figure's corner
                style = {"ms": 3, "color": look["color"], "clip_on": False}
                panel.plot(
                    np.full(len(ends), edge), ends, marker, transform=panel.get_yaxis_transform(), **style
                )
