"""All figures that a run has something for, by name."""

from collections.abc import Callable, Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure

from sampler_bench.report.figures.digits import commitment, digit_profile, survival
from sampler_bench.report.figures.style import rows_of
from sampler_bench.report.figures.summary import arms, difficulty, digit_bars, ladder
from sampler_bench.score.scores import OVERALL

COMPARED = ("uniform-digits", "feasible-uniform")  # references drawn beside models, digit by digit
FEWEST_SIZES = 5  # tasks of different size that make a picture of difficulty

Ladder = Sequence[tuple[float, float]]


def gallery(
    scores: pd.DataFrame,
    curves: pd.DataFrame,
    ladders: Mapping[str, Ladder],
    is_reference: Callable[[str], bool],
) -> dict[str, Figure]:
    """Figures by name.

    Parameters
    ----------
    scores, curves : DataFrame
        Of one run, of the SCORES and CURVES schema.
    ladders : mapping of str to sequence of (y, nats)
        The sieve ladder of each task that has one.
    is_reference : callable
        Of a model's name.
    """
    tasks = [task for task in pd.unique(scores["task"]) if task != OVERALL]
    rows = rows_of(scores, is_reference)
    models = [row for row in rows if not is_reference(row[0])]
    beside = [row for row in rows if row in models or row[0] in COMPARED] or rows
    figures = {"digits": digit_profile(curves, _with(curves, tasks, "content"), beside)}
    alike = _of_one_length(scores)
    if len(alike) >= FEWEST_SIZES:
        figures["difficulty"] = difficulty(scores, alike, [row for row in rows if row[0] != "oracle"])
    if ladders:
        figures["ladder"] = ladder(scores, [task for task in tasks if task in ladders], rows, ladders)
    if models:
        figures["arms"] = arms(scores, _with(scores, tasks, "skill"), models)
    figures["survival"] = survival(curves, _with(curves, tasks, "survival"), beside)
    mixtures = _with(curves, tasks, "component-1")
    if mixtures:
        figures["commitment"] = commitment(curves, mixtures, rows)
    for row in models:
        answered = _with(curves[(curves["model"] == row[0]) & (curves["arm"] == row[1])], tasks, "answers")
        if answered:
            figures["-".join(["answers", *row]).replace("/", "-")] = digit_bars(curves, answered, row)
    return {name: figure for name, figure in figures.items() if figure.axes}


def _with(table: pd.DataFrame, tasks: Sequence[str], metric: str) -> list[str]:
    """The tasks of which a table has a metric that is known."""
    known = set(table[(table["metric"] == metric) & table["value"].notna()]["task"])
    return [task for task in tasks if task in known]


def _of_one_length(scores: pd.DataFrame) -> list[str]:
    """The tasks with numbers of one length, of the length that most have: ln|S| + I is ln of all numbers."""
    wide = scores[scores["metric"].isin(["ln-size", "information"])].pivot_table(
        index="task", columns="metric", values="value", sort=False
    )
    if "ln-size" not in wide:
        return []
    everything = (wide["ln-size"] + wide["information"]).dropna().round(6)
    return everything.index[everything == everything.mode().iloc[0]].tolist()
