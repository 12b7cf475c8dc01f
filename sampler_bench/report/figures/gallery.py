"""All figures that a run has something for, by name."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import pandas as pd
from matplotlib.figure import Figure

from sampler_bench.report.figures.digits import commitment, digit_profile, survival
from sampler_bench.report.figures.style import of_row, rows_of
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
) -> dict[str, Callable[[], Figure]]:
    """What draws each figure, by its name; ``digits`` is the first.

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
    inexact = [row for row in rows if row[0] != "oracle"]
    of_one_length, climbing = _of_one_length(scores), [task for task in tasks if task in ladders]
    skilled, measured = _with(scores, tasks, "skill"), _with(curves, tasks, "content")
    answered, mixtures = _with(curves, tasks, "survival"), _with(curves, tasks, "component-1")
    candidates = {
        "digits": (measured, lambda: digit_profile(curves, measured, beside)),
        "difficulty": (
            len(of_one_length) >= FEWEST_SIZES,
            lambda: difficulty(scores, of_one_length, inexact),
        ),
        "ladder": (climbing, lambda: ladder(scores, climbing, rows, ladders)),
        "arms": (models and skilled, lambda: arms(scores, skilled, models)),
        "survival": (answered, lambda: survival(curves, answered, beside)),
        "commitment": (mixtures, lambda: commitment(curves, mixtures, rows)),
    }
    for row in models:
        written = _with(of_row(curves, row), tasks, "answers")
        name = "-".join(["answers", *row]).replace("/", "-")
        candidates[name] = (written, partial(digit_bars, curves, written, row))
    return {name: draw for name, (wanted, draw) in candidates.items() if wanted}


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
