"""What was learnt against what was seen, and what is known in the end of sets of all sizes."""

from collections.abc import Iterator, Mapping
from itertools import product

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from sampler_bench.report.figures.kinds import by_kind
from sampler_bench.report.figures.style import COLOURS, FAINT, INK, LINES, MARKERS, sheet
from sampler_bench.score.metrics import in_words

MESSAGES = {
    "content": "Learnt where the line comes down to 0: nats missing in the digits",
    "validity": "The share of answers that are right, along training",
    "component-1": "How often the first intent is carried out, along training; dotted: what is right",
}
KNOWN = "Skill after all training, by how many numbers the constraint leaves"
HOW_MANY = "ln |S|: how many such numbers there are, nats"
SLANT = 50  # degrees: names of neighbours stand beside one another
ASKED = "After 0 asks to switch: what a model gives to the other language, beside the exact law (crosses)"
GUIDES = {"uniform-digits": "--", "feasible-uniform": "-.", "propose-and-check-64": ":"}


def along_training(table: pd.DataFrame, metric: str, seen: str = "numbers_seen") -> Figure:
    """A metric against what was seen, a panel a task, a line a world and size of model; with intervals.

    Parameters
    ----------
    table : DataFrame
        As ``sampler_bench.learning.learn`` returns it.
    seen : str
        ``numbers_seen`` or ``tokens_seen``.
    """
    found = table[table["metric"] == metric]
    tasks = list(pd.unique(found["task"]))
    trained = found[found["parameters"] > 0]
    looks = dict(zip(_lines(trained), LINES, strict=False))
    with sheet(MESSAGES[metric], tasks, seen.replace("_", " "), in_words(metric)) as (figure, axes):
        for panel, task in zip(axes, tasks, strict=True):
            _draw_levels(panel, found[found["task"] == task], metric)
            for key, (dashes, colour) in looks.items():
                mine = _of(trained[trained["task"] == task], key).sort_values(seen)
                panel.fill_between(mine[seen], mine["low"], mine["high"], color=colour, alpha=0.15, lw=0)
                panel.plot(
                    mine[seen], mine["value"], dashes, marker="o", ms=3, color=colour, label=_name(key)
                )
            panel.set_xscale("log")
            panel.xaxis.set_major_formatter(EngFormatter(sep=""))  # 10k
            panel.set_ylim(bottom=0)
    return figure


def by_size(table: pd.DataFrame, families: Mapping[str, str]) -> Figure:
    """Skill of models that have seen all numbers, with intervals, against ln of how many there are.

    A colour a kind of constraint, a marker a size of model; tasks are named at the largest.

    Parameters
    ----------
    families : mapping of str to str
        By task.
    """
    skill = table[(table["metric"] == "skill") & (table["parameters"] > 0)]
    most = skill.groupby(["world", "parameters"])["numbers_seen"].transform("max")
    last = skill[(skill["numbers_seen"] == most) & np.isfinite(skill["value"])]
    size = table[table["metric"] == "ln-size"].groupby("task")["value"].first()
    sizes = sorted(map(int, pd.unique(last["parameters"])))
    y = "skill (1: exact, 0: uniform digits)"
    with sheet(KNOWN, [""], HOW_MANY, y, wide=8.0, high=4.2) as (figure, [panel]):
        kinds = by_kind(list(pd.unique(last["task"])), table, families)
        for colour, (kind, tasks) in zip(COLOURS, kinds.items(), strict=False):
            for marker, parameters in zip(MARKERS, sizes, strict=False):
                mine = last[last["task"].isin(tasks) & (last["parameters"] == parameters)]
                spread = np.clip([mine["value"] - mine["low"], mine["high"] - mine["value"]], 0, None)
                label = kind if len(sizes) == 1 else f"{kind}, {parameters:,} parameters"
                look = {"fmt": marker, "ms": 5, "color": colour, "lw": 1}
                panel.errorbar(mine["task"].map(size), mine["value"], spread, label=label, **look)
        named = last[last["parameters"] == max(sizes, default=0)]
        for task, value in zip(named["task"], named["value"], strict=True):
            if np.isfinite(size.get(task, np.nan)):
                at = {"xytext": (3, 5), "textcoords": "offset points", "rotation": SLANT}
                look = {"fontsize": 6.5, "color": FAINT, "rotation_mode": "anchor"}
                panel.annotate(task, (size[task], value), **at, **look)
        panel.axhline(0, color=INK, lw=0.8)
        panel.axhline(1, color=FAINT, lw=0.8, ls=":")
        panel.set_ylim(top=1.4)  # room for names
        panel.margins(x=0.06)
        low, _ = panel.get_ylim()
        panel.set_yticks([tick for tick in panel.get_yticks() if low <= tick < 1.01])
    return figure


def asked_to_switch(switches: pd.DataFrame) -> Figure:
    """Mass on the other language after zeros, a panel a task, a line a model, the exact law as crosses.

    Parameters
    ----------
    switches : DataFrame
        As ``sampler_bench.score.switching`` returns it, with a column ``task``.
    """
    tasks = list(pd.unique(switches["task"]))
    y, top = "mass on the other language", 1.1 * max(0.01, np.nanmax(switches[["mass", "high", "truth"]]))
    with sheet(ASKED, tasks, "zeros said", y, across=2, wide=4.5) as (figure, axes):
        for panel, task in zip(axes, tasks, strict=True):
            mine = switches[switches["task"] == task]
            for (dashes, colour), (model, line) in zip(
                LINES, mine.groupby("model", sort=False), strict=False
            ):
                spread = np.clip([line["mass"] - line["low"], line["high"] - line["mass"]], 0, None)
                panel.errorbar(
                    line["zeros"], line["mass"], spread, fmt="o", ls=dashes, ms=4, color=colour, label=model
                )
            exact = mine.groupby("zeros")["truth"].mean()
            panel.plot(exact.index, exact, "x", color=INK, ms=7, label="exact")
            panel.set_xticks(range(int(mine["zeros"].max()) + 1))
            panel.set_ylim(0, top)
    return figure


def _draw_levels(panel: Axes, scores: pd.DataFrame, metric: str) -> None:
    """What references have; of a component's share, what it should be."""
    if metric == "component-1":
        panel.axhline(scores["floor"].iloc[0], color=FAINT, lw=1, ls=":")
        return
    for name, dashes in GUIDES.items():
        level = scores.loc[scores["model"] == name, "value"]
        if len(level) and np.isfinite(level.iloc[0]):
            panel.axhline(level.iloc[0], color=FAINT, lw=1, ls=dashes, label=name)


def _lines(trained: pd.DataFrame) -> Iterator[tuple[str, int]]:
    """World and size of each line; the world is told only where tasks are of several."""
    several = len(trained) and trained.groupby("task")["world"].nunique().max() > 1
    worlds = map(str, pd.unique(trained["world"])) if several else [""]
    sizes = sorted(map(int, pd.unique(trained["parameters"])))
    yield from product(worlds, sizes)


def _of(scores: pd.DataFrame, key: tuple[str, int]) -> pd.DataFrame:
    world, size = key
    mine = scores[scores["parameters"] == size]
    return mine[mine["world"] == world] if world else mine


def _name(key: tuple[str, int]) -> str:
    world, size = key
    return f"{world}, {size:,} parameters" if world else f"{size:,} parameters"
